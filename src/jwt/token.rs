//! One token, looked at in the order in which it is least dangerous: form, header, key, signature, and only then what it
//! claims.
//!
//! Sources: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (best practices).

use super::jwks::Jwks;
use crate::telemetry::AuthFailure;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, crypto};
use serde::Deserialize;

/// Ids of keys are short names.
const LONGEST_ID: usize = 256;

/// A token in its parts, nothing of it believed yet.
#[derive(Debug)]
pub struct Unverified<'a> {
    key_id: Option<String>,
    kind: Option<String>,
    algorithm: Algorithm,
    signed: &'a str,
    claims: &'a str,
    signature: &'a str,
}

/// Fields that are named twice are refused, by the reader of this struct: two readers could take different ones.
#[derive(Debug, Deserialize)]
struct Head {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart: three parts, and a header that asks for nothing unusual. Keys and addresses in the header are
    /// not looked at.
    ///
    /// # Errors
    /// [`AuthFailure`] when it is in no form that is read here.
    pub fn read(token: &'a str) -> Result<Self, AuthFailure> {
        let unreadable = AuthFailure::Unreadable;
        let (signed, signature) = token.rsplit_once('.').ok_or(unreadable)?;
        let (head, claims) = signed.split_once('.').ok_or(unreadable)?;
        if claims.contains('.') || signature.is_empty() {
            return Err(unreadable);
        }
        let head: Head = serde_json::from_slice(&decoded(head)?).map_err(|_| unreadable)?;
        if head.crit.is_some() || head.kid.as_ref().is_some_and(|kid| kid.len() > LONGEST_ID) {
            return Err(unreadable);
        }
        let algorithm = match head.alg.as_str() {
            "ES256" => Algorithm::ES256,
            "ES384" => Algorithm::ES384,
            "RS256" => Algorithm::RS256,
            "PS256" => Algorithm::PS256,
            "EdDSA" => Algorithm::EdDSA,
            _ => return Err(AuthFailure::WrongAlgorithm),
        };
        Ok(Self { key_id: head.kid, kind: head.typ, algorithm, signed, claims, signature })
    }

    /// The key that it names.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// What it says that it is (`typ`).
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// What it claims, as JSON, if one of these keys has signed it.
    ///
    /// # Errors
    /// [`AuthFailure`] when none has.
    pub fn claims(&self, keys: &Jwks) -> Result<Vec<u8>, AuthFailure> {
        let mut candidates = keys.candidates(self.key_id(), self.algorithm).peekable();
        if candidates.peek().is_none() {
            let is_known = self.key_id().is_some_and(|id| keys.knows(id));
            return Err(if is_known { AuthFailure::WrongAlgorithm } else { AuthFailure::UnknownKey });
        }
        let signs = |key| crypto::verify(self.signature, self.signed.as_bytes(), key, self.algorithm).unwrap_or(false);
        if !candidates.any(signs) {
            return Err(AuthFailure::WrongSignature);
        }
        decoded(self.claims)
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, AuthFailure> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| AuthFailure::Unreadable)
}
