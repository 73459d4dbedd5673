//! Codes become tokens. What can be checked is checked before anything is used up, so that who guesses, or uses the wrong
//! resource, spoils nothing for the one whose code it is.
//!
//! A code that is shown a second time, by its own client and with its own verifier, takes back what it gave. There is no
//! grace: who lost the answer cannot be told from who stole the code, and signing in again is one click.
//! Sources: RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 8707 §2.2, RFC 9700 §2.1.1.

use super::{
    AuthorizationServer, ErrorName, OauthError, Parameters, Permissions, access_token::LIFETIME, client::Claimed,
    refresh_token::RefreshToken, request::check_resource,
};
use crate::{
    model::{Principal, Scopes, sha256, sha256_hex},
    store::{Grant, KeptClient, NextTokens},
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How long a refresh token may lie unused.
pub(super) const IDLE: Duration = Duration::from_hours(30 * 24);

/// How long it need not be noted again that a client is in use.
const USE_STAYS: Duration = Duration::from_hours(24);

/// A request to the token or revocation endpoint.
#[derive(Debug)]
pub struct Requester {
    claimed: Claimed,
    parameters: Parameters,
}

impl Requester {
    /// From the header `Authorization`, if there is one, and the form in the body.
    ///
    /// # Errors
    /// [`OauthError`] when it cannot be said who asks.
    pub fn read(authorization: Option<&str>, parameters: Parameters) -> Result<Self, OauthError> {
        if parameters.repeats() {
            return match parameters.one("resource") {
                Err(_) => Err(check_resource(&parameters, "").err().unwrap_or(OauthError::invalid_grant())),
                Ok(_) => Err(OauthError::invalid_request("A parameter stands in the request twice")),
            };
        }
        let claimed = Claimed::read(authorization, &parameters)?;
        Ok(Self { claimed, parameters })
    }

    /// Who says to ask; by this its requests are counted.
    pub fn client_id(&self) -> &str {
        self.claimed.id()
    }

    pub(super) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    pub(super) fn claimed(&self) -> &Claimed {
        &self.claimed
    }
}

/// What a client gets. Told once, and kept nowhere.
#[derive(Debug)]
pub struct Tokens {
    access_token: SecretString,
    expires_in: i64,
    refresh_token: Option<SecretString>,
    scope: String,
}

impl Tokens {
    /// The answer. Source: RFC 6749 §5.1.
    pub fn answer(&self) -> Value {
        let mut answer = Map::from_iter([
            ("access_token".to_owned(), json!(self.access_token.expose_secret())),
            ("token_type".to_owned(), json!("Bearer")),
            ("expires_in".to_owned(), json!(self.expires_in)),
            ("scope".to_owned(), json!(self.scope)),
        ]);
        if let Some(token) = &self.refresh_token {
            answer.insert("refresh_token".to_owned(), json!(token.expose_secret()));
        }
        Value::Object(answer)
    }
}

impl AuthorizationServer {
    /// Tokens for a code, or for a refresh token.
    ///
    /// # Errors
    /// [`OauthError`] when there are none.
    pub async fn tokens(&self, requester: &Requester) -> Result<Tokens, OauthError> {
        let client = requester.claimed.prove(&self.store).await?;
        let parameters = &requester.parameters;
        let tokens = match parameters.one("grant_type")? {
            Some("authorization_code") => self.exchange(&client, parameters).await,
            Some("refresh_token") => self.refresh(&client, parameters).await,
            Some(_) => Err(OauthError::new(
                ErrorName::UnsupportedGrantType,
                "grant_type must be authorization_code or refresh_token",
            )),
            None => Err(OauthError::invalid_request("grant_type is missing")),
        }?;
        self.note_use(&client).await;
        Ok(tokens)
    }

    /// A client that gets tokens is in use, however long ago somebody agreed to it. One write a day is enough for that.
    async fn note_use(&self, client: &KeptClient) {
        let now = self.clock.now();
        if client.used_at.is_none_or(|at| at + USE_STAYS <= now) {
            // Were it not noted, the next refresh would note it.
            let _ = self.store.clients().note_use(&client.id, now).await;
        }
    }

    async fn exchange(&self, client: &KeptClient, parameters: &Parameters) -> Result<Tokens, OauthError> {
        let code = parameters.one("code")?.ok_or(OauthError::invalid_request("code is missing"))?;
        check_resource(parameters, &self.resource)?;
        let found = self.store.grants().find_by_code(&sha256_hex(code)).await?;
        let grant = found.filter(|grant| grant.client_id == client.id).ok_or(OauthError::invalid_grant())?;
        let is_meant = parameters.one("redirect_uri")? == Some(grant.redirect_uri.as_str())
            && proves(parameters.one("code_verifier")?, &grant.challenge);
        if !is_meant {
            return Err(OauthError::invalid_grant());
        }
        let now = self.clock.now();
        let token = grant.can_refresh.then(|| self.refresh_tokens.random(&grant.id, 1)).flatten();
        let expires_at = if grant.can_refresh { grant.expires_at } else { now + LIFETIME };
        let idle_until = if grant.can_refresh { now + IDLE } else { expires_at };
        let first =
            NextTokens { token_hash: token.as_ref().map(RefreshToken::hash), successor: None, idle_until, expires_at };
        let scopes = Permissions::parse(&grant.scopes).scopes;
        // Made before the code is used up: were there no key to sign with, the code would be lost for nothing.
        let tokens = self.given(&grant, (1, token.as_ref()), scopes, now).await?;
        if !self.store.grants().exchange(&grant.id, &first, now).await? {
            self.refuse_again(&grant, now).await?;
            return Err(OauthError::invalid_grant());
        }
        Ok(tokens)
    }

    /// A code that was exchanged before: what it gave is taken back. One that is only too old gave nothing.
    async fn refuse_again(&self, grant: &Grant, now: Timestamp) -> Result<(), OauthError> {
        let is_used = self.store.grants().find(&grant.id).await?.is_some_and(|grant| grant.generation > 0);
        if is_used && self.store.grants().revoke(&grant.id, now).await? {
            let principal = Principal::person(&grant.person_id).hashed();
            tracing::warn!(principal, client_id = grant.client_id, "a code was used twice: what it gave is revoked");
        }
        Ok(())
    }

    /// The tokens of one place in the chain of a grant.
    pub(super) async fn given(
        &self,
        grant: &Grant,
        (generation, refresh_token): (i64, Option<&RefreshToken>),
        scopes: Scopes,
        now: Timestamp,
    ) -> Result<Tokens, OauthError> {
        let (access_token, expires_in) = self.access_token(grant, generation, scopes, now).await?;
        let offline = Permissions::parse(&grant.scopes).offline;
        Ok(Tokens {
            access_token: access_token.into(),
            expires_in,
            refresh_token: refresh_token.map(|token| token.text().clone()),
            scope: Permissions { scopes, offline }.names(),
        })
    }
}

/// Whether the verifier is the one whose hash came with the request. Source: RFC 7636 §4.1, §4.6.
fn proves(verifier: Option<&str>, challenge: &str) -> bool {
    let Some(verifier) = verifier else { return false };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(is_plain) {
        return false;
    }
    let hash = URL_SAFE_NO_PAD.encode(sha256(verifier));
    verify_slices_are_equal(hash.as_bytes(), challenge.as_bytes()).is_ok()
}
