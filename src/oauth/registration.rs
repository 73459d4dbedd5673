//! Dynamic registration: a client says what it is and gets an id. Nobody is asked, so nothing is believed: a registration
//! opens nothing until a person agrees. Addresses in it are never fetched, and what it says of itself beyond these fields is
//! not kept. Source: RFC 7591.

use super::{
    client::Authentication,
    error::{ErrorName, OauthError},
    name::cleaned,
    permissions::{self, Permissions},
    redirect,
};
use crate::{
    model::{random_secret, sha256_hex},
    store::{KeptClient, Registered, Store},
};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// So long a client stays in any case that nobody has agreed to: longer than a person may take to answer.
const AT_LEAST: Duration = Duration::from_mins(15);
/// More addresses than any client has.
const MOST_REDIRECTS: usize = 20;

/// What a client may say of itself; everything else is ignored.
#[derive(Debug, Default, Deserialize)]
struct Described {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    scope: Option<String>,
}

/// A client that was just registered. Its secret is told once, and kept nowhere.
#[derive(Debug)]
pub struct NewClient {
    /// As it is kept.
    pub kept: KeptClient,
    /// Its secret, if it has one.
    pub secret: Option<SecretString>,
    scope: String,
}

/// Why there is no new client.
#[derive(Debug)]
pub enum NotRegistered {
    /// What it says cannot be.
    Refused(OauthError),
    /// There are as many as there may be.
    Full,
}

impl<E: Into<OauthError>> From<E> for NotRegistered {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl NewClient {
    /// A client of the operator's making.
    ///
    /// # Errors
    /// [`OauthError`] when one of its addresses cannot be one.
    pub fn of_operator(
        name: &str,
        redirect_uris: Vec<String>,
        has_secret: bool,
        now: Timestamp,
    ) -> Result<Self, OauthError> {
        let method = if has_secret { Authentication::Basic } else { Authentication::None };
        let described = Described {
            redirect_uris,
            client_name: Some(name.to_owned()),
            token_endpoint_auth_method: Some(method.as_str().to_owned()),
            ..Described::default()
        };
        let mut client = described.client(now)?;
        client.kept.by_operator = true;
        Ok(client)
    }

    /// The answer to a registration. Source: RFC 7591 §3.2.1.
    pub fn answer(&self) -> Value {
        let mut answer = Map::from_iter([
            ("client_id".to_owned(), json!(self.kept.id)),
            ("client_id_issued_at".to_owned(), json!(self.kept.created_at.as_second())),
            ("client_name".to_owned(), json!(self.kept.name)),
            ("redirect_uris".to_owned(), json!(self.kept.redirect_uris)),
            ("token_endpoint_auth_method".to_owned(), json!(self.kept.authentication)),
            ("grant_types".to_owned(), json!(grant_types(self.kept.can_refresh))),
            ("response_types".to_owned(), json!(["code"])),
            ("scope".to_owned(), json!(self.scope)),
        ]);
        if let Some(secret) = &self.secret {
            answer.insert("client_secret".to_owned(), json!(secret.expose_secret()));
            answer.insert("client_secret_expires_at".to_owned(), json!(0));
        }
        Value::Object(answer)
    }
}

fn grant_types(can_refresh: bool) -> &'static [&'static str] {
    if can_refresh { &["authorization_code", "refresh_token"] } else { &["authorization_code"] }
}

/// Registers the client that this body describes, unless there are `most` already.
pub(super) async fn register(
    body: &[u8],
    store: &Store,
    most: i64,
    now: Timestamp,
) -> Result<NewClient, NotRegistered> {
    let mut new = Described::read(body)?.client(now)?;
    let mut registered = store.clients().insert(&new.kept, most).await?;
    // Whoever registers much must not keep others out: what nobody has agreed to by now makes room.
    if registered == Registered::Full && store.clients().purge(now - AT_LEAST, Timestamp::MIN).await? > 0 {
        registered = store.clients().insert(&new.kept, most).await?;
    }
    match registered {
        Registered::New => Ok(new),
        // Without a secret, the same client is the same client.
        Registered::Before(id) => {
            new.kept.id = id;
            Ok(new)
        }
        Registered::Full => Err(NotRegistered::Full),
    }
}

impl Described {
    fn read(body: &[u8]) -> Result<Self, OauthError> {
        // A list of values without names would be read as well.
        let is_object = body.trim_ascii_start().starts_with(b"{");
        let described = is_object.then(|| serde_json::from_slice(body).ok()).flatten();
        let description = "The body is no JSON object of the fields of RFC 7591";
        described.ok_or(OauthError::new(ErrorName::InvalidClientMetadata, description))
    }

    fn client(self, now: Timestamp) -> Result<NewClient, OauthError> {
        let can_refresh = self.check()?;
        let authentication = self.authentication()?;
        let name = cleaned(self.client_name.as_deref().unwrap_or_default());
        let asked = self.scope.as_deref().and_then(|names| Permissions::asked(Some(names)));
        let scope = asked.map_or_else(|| permissions::supported().join(" "), Permissions::names);
        let secret = (authentication != Authentication::None).then(|| random_secret("grs_"));
        let digest = secret
            .is_none()
            .then(|| sha256_hex(&json!([name, self.redirect_uris, authentication.as_str(), can_refresh]).to_string()));
        let kept = KeptClient {
            id: random_secret("grc_").expose_secret().to_owned(),
            name,
            redirect_uris: self.redirect_uris,
            authentication: authentication.as_str().to_owned(),
            secret_hash: secret.as_ref().map(|secret| sha256_hex(secret.expose_secret())),
            can_refresh,
            digest,
            by_operator: false,
            created_at: now,
            used_at: None,
        };
        Ok(NewClient { kept, secret, scope })
    }

    /// Whether it may get refresh tokens, if the rest is as it may be.
    fn check(&self) -> Result<bool, OauthError> {
        let metadata = |description| OauthError::new(ErrorName::InvalidClientMetadata, description);
        if self.redirect_uris.is_empty() || self.redirect_uris.len() > MOST_REDIRECTS {
            let description = "redirect_uris must name 1 to 20 addresses";
            return Err(OauthError::new(ErrorName::InvalidRedirectUri, description));
        }
        if !self.redirect_uris.iter().all(|uri| redirect::is_allowed(uri)) {
            let description = "Each of redirect_uris must be https, http on 127.0.0.1, [::1] or localhost, or the scheme \
                               of an app; in ASCII, without fragment, user or wildcard, and at most 1024 bytes long";
            return Err(OauthError::new(ErrorName::InvalidRedirectUri, description));
        }
        let has = |list: &Option<Vec<String>>, name: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|each| each == name))
        };
        if !has(&self.grant_types, "authorization_code") {
            return Err(metadata("grant_types must have authorization_code"));
        }
        if !has(&self.response_types, "code") {
            return Err(metadata("response_types must have code"));
        }
        Ok(has(&self.grant_types, "refresh_token"))
    }

    /// Source: RFC 7591 §2: who names none shows its secret in the header.
    fn authentication(&self) -> Result<Authentication, OauthError> {
        let Some(name) = &self.token_endpoint_auth_method else { return Ok(Authentication::Basic) };
        let description = "token_endpoint_auth_method must be none, client_secret_post or client_secret_basic";
        Authentication::parse(name).ok_or(OauthError::new(ErrorName::InvalidClientMetadata, description))
    }
}
