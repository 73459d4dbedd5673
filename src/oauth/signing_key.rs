//! One key that signs access tokens: ECDSA on P-256 with SHA-256, which is ES256.
//!
//! Sources: RFC 7515 (JWS), RFC 7517 and RFC 7518 §6.2 (JWK), RFC 7638 (thumbprint), RFC 9068 §2.1 (`typ`).

use aws_lc_rs::{
    digest::{SHA256, digest},
    pkcs8::Document,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::fmt;

/// Of one coordinate of a point on P-256.
const COORDINATE_BYTES: usize = 32;

/// A key with its public part, in letters.
pub(super) struct SigningKey {
    pair: EcdsaKeyPair,
    id: String,
    x: String,
    y: String,
}

impl SigningKey {
    /// A new one, and its private part as PKCS#8, which wipes itself. Nothing if the machine has no randomness.
    pub(super) fn make() -> Option<(Self, Document)> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
        let private = pair.to_pkcs8v1().ok()?;
        Some((Self::new(pair)?, private))
    }

    /// The key of this private part (PKCS#8).
    pub(super) fn read(private: &[u8]) -> Option<Self> {
        Self::new(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private).ok()?)
    }

    fn new(pair: EcdsaKeyPair) -> Option<Self> {
        // An uncompressed point: 4, x, y.
        let (form, point) = pair.public_key().as_ref().split_first()?;
        let (x, y) = point.split_at_checked(COORDINATE_BYTES).filter(|(_, y)| y.len() == COORDINATE_BYTES)?;
        let (x, y) = (*form == 4).then(|| (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y)))?;
        // In this order and without spaces, so that everybody finds the same id for the same key.
        let named = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(digest(&SHA256, named.as_bytes()));
        Some(Self { pair, id, x, y })
    }

    /// By which tokens name it: no other key has the same.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What verifies its signatures, as a JSON Web Key.
    pub(super) fn public(&self) -> Value {
        let Self { id, x, y, .. } = self;
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": id, "use": "sig", "alg": "ES256"})
    }

    /// The claims of a token that it has signed.
    pub(super) fn claims(&self, signed: &str, signature: &[u8]) -> Option<Vec<u8>> {
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key().as_ref());
        public.verify(signed.as_bytes(), signature).ok()?;
        URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()
    }

    /// An access token with these claims, which are JSON. Nothing if the machine has no randomness.
    pub(super) fn sign(&self, claims: &[u8]) -> Option<String> {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": self.id}).to_string();
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// A token in its parts: by which key it says to be signed, what was signed, and the signature.
pub(super) fn taken_apart(token: &str) -> Option<(String, &str, Vec<u8>)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split_once('.')?.0).ok()?).ok()?;
    let id = header.get("kid")?.as_str()?.to_owned();
    Some((id, signed, URL_SAFE_NO_PAD.decode(signature).ok()?))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}
