//! An issuer of access tokens: serves its metadata and its keys, counts who asks for them, and signs whatever it is told.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        KeyPair as _, RSA_PKCS1_SHA256,
    },
};
use axum::{Router, extract::State, response::IntoResponse, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A running issuer; it ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct FakeIssuer {
    pub(crate) url: String,
    state: Arc<Mutex<Answers>>,
}

struct Answers {
    status: u16,
    content_type: &'static str,
    keys: String,
    name: String,
    asked: usize,
}

/// A key of an issuer.
pub(crate) enum SigningKey {
    Curve(EcdsaKeyPair, &'static str, usize),
    Rsa(RsaKeyPair),
}

impl SigningKey {
    pub(crate) fn p256() -> Self {
        Self::curve(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256", 32)
    }

    pub(crate) fn p384() -> Self {
        Self::curve(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384", 48)
    }

    fn curve(algorithm: &'static EcdsaSigningAlgorithm, name: &'static str, size: usize) -> Self {
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        Self::Curve(EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref()).unwrap(), name, size)
    }

    pub(crate) fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// As a JSON Web Key with this id.
    pub(crate) fn public(&self, id: &str) -> Value {
        match self {
            Self::Curve(key, curve, size) => {
                let point = &key.public_key().as_ref()[1..];
                json!({"kty": "EC", "crv": curve, "kid": id, "use": "sig",
                    "x": URL_SAFE_NO_PAD.encode(&point[..*size]), "y": URL_SAFE_NO_PAD.encode(&point[*size..])})
            }
            Self::Rsa(key) => {
                let public = key.public_key();
                let (n, e) = (public.modulus().big_endian_without_leading_zero(), public.exponent());
                json!({"kty": "RSA", "kid": id, "use": "sig", "n": URL_SAFE_NO_PAD.encode(n),
                    "e": URL_SAFE_NO_PAD.encode(e.big_endian_without_leading_zero())})
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Curve(key, ..) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// A token with this header and these claims, word by word.
    pub(crate) fn token(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl FakeIssuer {
    /// With these keys.
    pub(crate) async fn start(keys: &[Value]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keys = json!({"keys": keys}).to_string();
        let answers = Answers { status: 200, content_type: "application/json", keys, name: url.clone(), asked: 0 };
        let issuer = Self { url, state: Arc::new(Mutex::new(answers)) };
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys_page))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        issuer
    }

    pub(crate) fn set_keys(&self, keys: &[Value]) {
        self.set_body(json!({"keys": keys}).to_string());
    }

    pub(crate) fn set_body(&self, body: String) {
        self.state.lock().unwrap().keys = body;
    }

    pub(crate) fn set_status(&self, status: u16) {
        self.state.lock().unwrap().status = status;
    }

    pub(crate) fn set_content_type(&self, content_type: &'static str) {
        self.state.lock().unwrap().content_type = content_type;
    }

    /// By which it calls itself in its metadata.
    pub(crate) fn set_name(&self, name: &str) {
        name.clone_into(&mut self.state.lock().unwrap().name);
    }

    /// How often its keys were asked for.
    pub(crate) fn asked(&self) -> usize {
        self.state.lock().unwrap().asked
    }
}

async fn metadata(State(issuer): State<FakeIssuer>) -> impl IntoResponse {
    let name = issuer.state.lock().unwrap().name.clone();
    axum::Json(json!({"issuer": name, "jwks_uri": format!("{}/keys", issuer.url)}))
}

async fn keys_page(State(issuer): State<FakeIssuer>) -> impl IntoResponse {
    let mut answers = issuer.state.lock().unwrap();
    answers.asked += 1;
    let status = http::StatusCode::from_u16(answers.status).unwrap();
    let headers = [("content-type", answers.content_type), ("location", "http://127.0.0.1:1/keys")];
    (status, headers, answers.keys.clone())
}
