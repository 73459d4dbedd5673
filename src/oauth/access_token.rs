//! Access tokens: signed, for this server, for a quarter of an hour. Beside what RFC 9068 asks for, one names its grant and
//! how many times that was renewed, so that it dies with the grant and its first use is noted.

use super::{AuthorizationServer, OauthError};
use crate::{
    model::{Scopes, hex, random_bytes},
    store::Grant,
};
use jiff::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// How long one is valid, at most.
pub(super) const LIFETIME: Duration = Duration::from_mins(15);

#[derive(Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: String,
    client_id: &'a str,
    scope: String,
    sid: &'a str,
    #[serde(rename = "gen")]
    generation: i64,
}

impl AuthorizationServer {
    /// A token for some of the permissions of a grant, and how many seconds it is valid: never longer than the grant.
    pub(super) async fn access_token(
        &self,
        grant: &Grant,
        generation: i64,
        scopes: Scopes,
        now: Timestamp,
    ) -> Result<(String, i64), OauthError> {
        let (begins, ends) = (now.as_second(), (now + LIFETIME).min(grant.expires_at).as_second());
        let claims = Claims {
            iss: &self.issuer,
            sub: &grant.person_id,
            aud: &self.resource,
            exp: ends.max(begins + 1),
            iat: begins,
            jti: hex(&random_bytes::<16>()),
            client_id: &grant.client_id,
            scope: scopes.to_string(),
            sid: &grant.id,
            generation,
        };
        let seconds = claims.exp - begins;
        Ok((self.keys.sign(&claims).await?, seconds))
    }
}
