//! A provider of OpenID Connect, as strict as a good one and as wrong as a test wants it: whoever is sent there is signed in at
//! once, and what it says of them can be changed.

use super::{issuer::SigningKey, sign_in::challenge};
use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use google_reviews_mcp::clock::Clock;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

pub(crate) const CLIENT_ID: &str = "reviews of the test";
pub(crate) const CLIENT_SECRET: &str = "canary-of-the-client: a+b/c%";
/// What it gives beside the ID token.
pub(crate) const ACCESS_TOKEN: &str = "canary-access-token-of-the-provider";
pub(crate) const REFRESH_TOKEN: &str = "canary-refresh-token-of-the-provider";

/// A running provider; it ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct FakeProvider {
    pub(crate) url: String,
    clock: Clock,
    answers: Arc<Mutex<Answers>>,
}

/// How it answers.
pub(crate) struct Answers {
    /// In place of what its metadata says; null leaves it out.
    pub(crate) metadata: Value,
    /// The same for the ID token.
    pub(crate) claims: Value,
    pub(crate) header: String,
    /// With which it signs, and which it shows.
    pub(crate) key: Arc<SigningKey>,
    pub(crate) shown: Vec<Value>,
    /// In place of the tokens.
    pub(crate) exchange: Option<(u16, String)>,
    /// What it says of the person beside the token.
    pub(crate) person: Option<Value>,
    /// What it was asked for tokens: the header that says by whom, and the form.
    pub(crate) exchanges: Vec<(String, BTreeMap<String, String>)>,
    /// What it told in ID tokens.
    pub(crate) id_tokens: Vec<String>,
    journeys: BTreeMap<String, BTreeMap<String, String>>,
    codes: usize,
}

/// Names and values in an address or a form.
pub(crate) fn read(text: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn changed(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        if change.is_null() {
            value.as_object_mut().unwrap().remove(name);
        } else {
            value[name] = change.clone();
        }
    }
    value
}

impl FakeProvider {
    pub(crate) async fn start(clock: Clock) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let key = SigningKey::p256();
        let answers = Answers {
            metadata: json!({}),
            claims: json!({}),
            header: r#"{"alg":"ES256","kid":"one"}"#.to_owned(),
            shown: vec![key.public("one")],
            key: Arc::new(key),
            exchange: None,
            person: None,
            exchanges: Vec::new(),
            id_tokens: Vec::new(),
            journeys: BTreeMap::new(),
            codes: 0,
        };
        let provider = Self { url, clock, answers: Arc::new(Mutex::new(answers)) };
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/person", get(person))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        provider
    }

    /// What a server must be told to send people here.
    pub(crate) fn settings<'a>(&'a self, allowed: &'a str) -> Vec<(&'static str, &'a str)> {
        vec![
            ("auth.login.issuer", &self.url),
            ("auth.login.client_id", CLIENT_ID),
            ("auth.login.client_secret", CLIENT_SECRET),
            ("auth.login.name", "Example & Sons"),
            ("auth.login.allowed", allowed),
        ]
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Answers)) {
        change(&mut self.answers.lock().unwrap());
    }

    /// How often it was asked for tokens.
    pub(crate) fn exchanges(&self) -> usize {
        self.answers.lock().unwrap().exchanges.len()
    }

    /// Signs in whoever was sent to this address; the path to which they are sent back.
    pub(crate) fn sign_in(&self, address: &str) -> String {
        let asked = read(address.split_once('?').unwrap().1);
        let mut answers = self.answers.lock().unwrap();
        answers.codes += 1;
        let code = format!("canary-code-{}-of-the-provider", answers.codes);
        let state = asked["state"].clone();
        answers.journeys.insert(code.clone(), asked);
        drop(answers);
        Self::back(&[("code", &code), ("state", &state), ("iss", &self.url)])
    }

    /// The path to which somebody is sent back with these parameters.
    pub(crate) fn back(parameters: &[(&str, &str)]) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        format!("/login/callback?{query}")
    }

    fn id_token(&self, answers: &Answers, nonce: &str) -> String {
        let seconds = self.clock.now().as_second();
        let claims = json!({
            "iss": self.url, "sub": "ada-0815", "aud": CLIENT_ID, "exp": seconds + 300, "iat": seconds, "nonce": nonce,
            "email": "Ada@Example.com", "email_verified": true, "at_hash": "not-looked-at",
        });
        answers.key.token(&answers.header, &changed(claims, &answers.claims).to_string())
    }
}

async fn metadata(State(provider): State<FakeProvider>) -> impl IntoResponse {
    let url = &provider.url;
    let metadata = json!({
        "issuer": url, "jwks_uri": format!("{url}/keys"), "authorization_endpoint": format!("{url}/authorize?policy=1"),
        "token_endpoint": format!("{url}/token"), "userinfo_endpoint": format!("{url}/person"),
        "authorization_response_iss_parameter_supported": true,
    });
    axum::Json(changed(metadata, &provider.answers.lock().unwrap().metadata))
}

async fn keys(State(provider): State<FakeProvider>) -> impl IntoResponse {
    axum::Json(json!({"keys": provider.answers.lock().unwrap().shown}))
}

/// As OpenID Connect Core §3.1.3 has it: a code once, for whoever began, with their verifier.
async fn token(State(provider): State<FakeProvider>, headers: HeaderMap, body: String) -> Response {
    let form = read(&body);
    let sender = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let mut answers = provider.answers.lock().unwrap();
    answers.exchanges.push((sender.clone(), form.clone()));
    let json = [("content-type", "application/json")];
    if let Some((status, body)) = &answers.exchange {
        return (StatusCode::from_u16(*status).unwrap(), json, body.clone()).into_response();
    }
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let written = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", written(CLIENT_ID), written(CLIENT_SECRET))));
    let is_in_form = field("client_id") == CLIENT_ID && field("client_secret") == CLIENT_SECRET;
    if (sender == basic) == is_in_form {
        return (StatusCode::UNAUTHORIZED, json, r#"{"error":"invalid_client"}"#).into_response();
    }
    let journey = answers.journeys.remove(field("code")).filter(|journey| {
        field("grant_type") == "authorization_code"
            && journey["code_challenge"] == challenge(field("code_verifier"))
            && journey["redirect_uri"] == field("redirect_uri")
    });
    let Some(journey) = journey else {
        return (StatusCode::BAD_REQUEST, json, r#"{"error":"invalid_grant"}"#).into_response();
    };
    let id_token = provider.id_token(&answers, &journey["nonce"]);
    answers.id_tokens.push(id_token.clone());
    let tokens = json!({"id_token": id_token, "access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN,
        "token_type": "Bearer", "expires_in": 300});
    (json, tokens.to_string()).into_response()
}

async fn person(State(provider): State<FakeProvider>, headers: HeaderMap) -> Response {
    let is_theirs = headers.get("authorization").is_some_and(|value| value == &format!("Bearer {ACCESS_TOKEN}"));
    match &provider.answers.lock().unwrap().person {
        Some(person) if is_theirs => axum::Json(person.clone()).into_response(),
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}
