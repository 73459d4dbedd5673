//! One access token, looked at in the order in which it is least dangerous: form, header, key, signature, and only then
//! what it claims. Times are compared with the clock that is passed in.
//!
//! Sources: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (best practices), RFC 9068 (access tokens).

use super::jwks::Jwks;
use crate::{
    model::{Caller, Principal, Scopes},
    telemetry::AuthFailure,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, crypto};
use serde::Deserialize;
use std::time::Duration;

/// How far the clocks of two machines may be apart.
pub(super) const LEEWAY: Duration = Duration::from_secs(30);
/// Ids of keys are short names.
const LONGEST_ID: usize = 256;

/// What tokens of an issuer must be like.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) issuer: String,
    /// For whom they must be; that is this server.
    pub(super) audience: Option<String>,
    /// Whether they must say in `typ` that they are access tokens.
    pub(super) must_be_typed: bool,
    /// How long after its end one is still taken, because the issuer's clock may be behind.
    pub(super) leeway: Duration,
}

/// Whose token it is, and until when.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) caller: Caller,
    pub(super) subject: String,
    pub(super) expires_at: Timestamp,
    /// What it was granted for, and the place of this token in its chain, where the issuer is this server.
    pub(super) grant: Option<(String, i64)>,
}

/// A token in its parts, nothing of it believed yet.
#[derive(Debug)]
pub(super) struct Unverified<'a> {
    pub(super) key_id: Option<String>,
    pub(super) algorithm: Algorithm,
    is_access_token: bool,
    signed: &'a str,
    claims: &'a str,
    signature: &'a str,
}

/// Fields that are named twice are refused, by the reader of these structs: two readers could take different ones.
#[derive(Debug, Deserialize)]
struct Head {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

/// Times are whole or fractional seconds, as RFC 7519 §2 has it, and nothing that only looks like a number.
#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    client_id: Option<String>,
    azp: Option<String>,
    appid: Option<String>,
    cid: Option<String>,
    scope: Option<String>,
    scp: Option<Audience>,
    /// Of our own tokens.
    sid: Option<serde_json::Value>,
    #[serde(rename = "gen")]
    generation: Option<serde_json::Value>,
    /// Of ID tokens. Source: OpenID Connect Core §2.
    nonce: Option<serde_json::Value>,
    at_hash: Option<serde_json::Value>,
}

/// One name or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

impl<'a> Unverified<'a> {
    /// Takes a token apart: three parts, and a header that asks for nothing unusual. Keys and addresses in the header are
    /// not looked at.
    pub(super) fn read(token: &'a str) -> Result<Self, AuthFailure> {
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
        let typ = head.typ.as_deref().unwrap_or_default();
        let is_access_token = ["at+jwt", "application/at+jwt"].iter().any(|name| typ.eq_ignore_ascii_case(name));
        let algorithm = match head.alg.as_str() {
            "ES256" => Algorithm::ES256,
            "ES384" => Algorithm::ES384,
            "RS256" => Algorithm::RS256,
            "PS256" => Algorithm::PS256,
            "EdDSA" => Algorithm::EdDSA,
            _ => return Err(AuthFailure::WrongAlgorithm),
        };
        Ok(Self { key_id: head.kid, algorithm, is_access_token, signed, claims, signature })
    }

    /// Whose it is, if one of these keys has signed it and its claims fit.
    pub(super) fn verify(
        &self,
        keys: &Jwks,
        rules: &Rules,
        resource: &str,
        now: Timestamp,
    ) -> Result<Verified, AuthFailure> {
        let mut candidates = keys.candidates(self.key_id.as_deref(), self.algorithm).peekable();
        if candidates.peek().is_none() {
            let is_known = self.key_id.as_deref().is_some_and(|id| keys.knows(id));
            return Err(if is_known { AuthFailure::WrongAlgorithm } else { AuthFailure::UnknownKey });
        }
        let signs = |key| crypto::verify(self.signature, self.signed.as_bytes(), key, self.algorithm).unwrap_or(false);
        if !candidates.any(signs) {
            return Err(AuthFailure::WrongSignature);
        }
        if rules.must_be_typed && !self.is_access_token {
            return Err(AuthFailure::WrongType);
        }
        let claims: Claims = serde_json::from_slice(&decoded(self.claims)?).map_err(|_| AuthFailure::WrongClaims)?;
        // ID tokens have these; a token that is typed as an access token is none.
        if !self.is_access_token && (claims.nonce.is_some() || claims.at_hash.is_some()) {
            return Err(AuthFailure::WrongType);
        }
        let audience = rules.audience.as_deref().unwrap_or(resource);
        let expires_at = claims.check(rules, audience, now)?;
        let (caller, grant) = (claims.caller(&rules.issuer), claims.grant());
        Ok(Verified { caller, subject: claims.sub, expires_at, grant })
    }
}

impl Claims {
    /// Returns when the token expires.
    fn check(&self, rules: &Rules, audience: &str, now: Timestamp) -> Result<Timestamp, AuthFailure> {
        if self.iss != rules.issuer {
            return Err(AuthFailure::WrongIssuer);
        }
        if !self.aud.names().iter().any(|name| name == audience) {
            return Err(AuthFailure::WrongAudience);
        }
        // As issuers call it: RFC 9068, OpenID Connect, and two large ones.
        let names = [&self.client_id, &self.azp, &self.appid, &self.cid];
        let client = names.into_iter().find_map(Option::as_ref);
        if self.sub.is_empty() || client.is_none_or(String::is_empty) {
            return Err(AuthFailure::WrongClaims);
        }
        let expires_at = moment(self.exp)?;
        if expires_at + rules.leeway <= now {
            return Err(AuthFailure::Expired);
        }
        for begins in [self.nbf, self.iat].into_iter().flatten() {
            if moment(begins)? > now + LEEWAY {
                return Err(AuthFailure::NotYetValid);
            }
        }
        Ok(expires_at)
    }

    fn grant(&self) -> Option<(String, i64)> {
        Some((self.sid.as_ref()?.as_str()?.to_owned(), self.generation.as_ref()?.as_i64()?))
    }

    fn caller(&self, issuer: &str) -> Caller {
        let scopes = match (&self.scope, &self.scp) {
            (Some(scope), _) => Scopes::parse(scope),
            (None, Some(names)) => Scopes::parse(&names.names().join(" ")),
            (None, None) => Scopes::NONE,
        };
        // A subject is unique within its issuer only.
        Caller::new(Principal::new(format!("{issuer} {}", self.sub)), scopes)
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, AuthFailure> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| AuthFailure::Unreadable)
}

fn moment(seconds: f64) -> Result<Timestamp, AuthFailure> {
    let since_epoch = SignedDuration::try_from_secs_f64(seconds).ok().filter(SignedDuration::is_positive);
    since_epoch.and_then(|time| Timestamp::from_duration(time).ok()).ok_or(AuthFailure::WrongClaims)
}
