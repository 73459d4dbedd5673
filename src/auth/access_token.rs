//! What an access token must say, and what it says of its caller. Times are compared with the clock that is passed in.
//!
//! Sources: RFC 7519 (JWT), RFC 9068 (access tokens).

use crate::{
    jwt::{Audience, LEEWAY, Unverified, moment},
    model::{Caller, Principal, Scopes},
    telemetry::AuthFailure,
};
use jiff::Timestamp;
use serde::Deserialize;
use std::time::Duration;

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

/// Times are whole or fractional seconds, as RFC 7519 §2 has it, and nothing that only looks like a number. Fields that are
/// named twice are refused: two readers could take different ones.
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

impl Rules {
    /// Whose a token is, if what it claims, and its issuer has signed, fits.
    pub(super) fn judge(
        &self,
        token: &Unverified<'_>,
        claims: &[u8],
        resource: &str,
        now: Timestamp,
    ) -> Result<Verified, AuthFailure> {
        let kind = token.kind().unwrap_or_default();
        let is_access_token = ["at+jwt", "application/at+jwt"].iter().any(|name| kind.eq_ignore_ascii_case(name));
        if self.must_be_typed && !is_access_token {
            return Err(AuthFailure::WrongType);
        }
        let claims: Claims = serde_json::from_slice(claims).map_err(|_| AuthFailure::WrongClaims)?;
        // ID tokens have these; a token that is typed as an access token is none.
        if !is_access_token && (claims.nonce.is_some() || claims.at_hash.is_some()) {
            return Err(AuthFailure::WrongType);
        }
        let audience = self.audience.as_deref().unwrap_or(resource);
        let expires_at = claims.check(self, audience, now)?;
        let (caller, grant) = (claims.caller(&self.issuer), claims.grant());
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
