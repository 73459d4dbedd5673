//! The request of a client for a person's agreement. Until somebody has signed in it is kept nowhere: it goes through the
//! person's browser, sealed, and comes back as it was. So strangers write nothing here, and nothing in a form can change it.
//!
//! Sources: RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2.1, RFC 9207.

use super::{
    documents::{self, Description},
    error::{ErrorName, OauthError},
    parameters::Parameters,
    permissions::Permissions,
    redirect,
    seal::Seal,
};
use crate::{
    model::{hex, random_bytes},
    store::KeptClient,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a person may take to answer.
pub(super) const LIFETIME: Duration = Duration::from_mins(10);
/// Longer states are not sent back.
const LONGEST_STATE: usize = 2_048;
/// SHA-256 in base64url. Source: RFC 7636 §4.2.
const CHALLENGE: usize = 43;
const CONTEXT: &[u8] = b"authorization request";

/// What a client asks a person for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub(super) id: String,
    pub(super) client_id: String,
    /// Of a client that describes itself, as it did when it asked: so it is not asked again until the person has answered.
    #[serde(default)]
    pub(super) description: Option<Description>,
    pub(super) redirect_uri: String,
    /// As the client named them.
    pub(super) scope: String,
    pub(super) state: Option<String>,
    pub(super) challenge: String,
    /// SHA-256 of the cookie of the browser that it goes through.
    browser: String,
    expires_at_ms: i64,
    /// How the client wants the person to be asked.
    pub(super) prompt: Prompt,
}

/// How the person is asked. Source: OpenID Connect Core §3.1.2.1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prompt {
    /// If there is need to.
    #[default]
    AsNeeded,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// The client, and where its answers go: once these are known to be right, it can be told what is wrong with the rest.
pub(super) struct Addressed<'a> {
    pub(super) client: &'a KeptClient,
    pub(super) redirect_uri: &'a str,
    pub(super) state: Option<&'a str>,
}

impl<'a> Addressed<'a> {
    /// Nothing if the address is not one that the client registered. It must be there, also where only one is registered.
    pub(super) fn read(client: &'a KeptClient, parameters: &'a Parameters) -> Option<Self> {
        let redirect_uri = parameters.one("redirect_uri").ok().flatten()?;
        let is_registered = client.redirect_uris.iter().any(|registered| redirect::fits(registered, redirect_uri));
        let state = parameters.one("state").ok().flatten().filter(|state| state.len() <= LONGEST_STATE);
        is_registered.then_some(Self { client, redirect_uri, state })
    }

    /// The rest of the request.
    pub(super) fn request(
        &self,
        parameters: &Parameters,
        resource: &str,
        browser: &str,
        now: Timestamp,
    ) -> Result<Request, OauthError> {
        if parameters.one("state")?.is_some_and(|state| state.len() > LONGEST_STATE) {
            return Err(OauthError::invalid_request("state is longer than 2048 bytes"));
        }
        // Several resources are no mistake of form: they are more than this server can serve.
        check_resource(parameters, resource)?;
        check_form(parameters)?;
        let scope = parameters.one("scope")?;
        let nothing = OauthError::new(ErrorName::InvalidScope, "None of the permissions in scope exists here");
        let asked = Permissions::asked(scope).ok_or(nothing)?;
        Ok(Request {
            id: hex(&random_bytes::<16>()),
            client_id: self.client.id.clone(),
            description: documents::is_address(&self.client.id)
                .then(|| Description::narrowed(self.client, self.redirect_uri)),
            redirect_uri: self.redirect_uri.to_owned(),
            scope: asked.names(),
            state: self.state.map(str::to_owned),
            challenge: challenge(parameters)?.to_owned(),
            browser: browser.to_owned(),
            expires_at_ms: (now + LIFETIME).as_millisecond(),
            prompt: prompt(parameters)?,
        })
    }
}

/// What can be said of the form alone.
fn check_form(parameters: &Parameters) -> Result<(), OauthError> {
    if parameters.repeats() {
        return Err(OauthError::invalid_request("A parameter stands in the request twice"));
    }
    if parameters.one("request")?.is_some() {
        let description = "Requests are not taken as objects";
        return Err(OauthError::new(ErrorName::RequestNotSupported, description));
    }
    if parameters.one("request_uri")?.is_some() {
        let description = "Requests are not fetched";
        return Err(OauthError::new(ErrorName::RequestUriNotSupported, description));
    }
    let only_code = OauthError::new(ErrorName::UnsupportedResponseType, "response_type must be code");
    match parameters.one("response_type")? {
        Some("code") => {}
        Some(_) => return Err(only_code),
        None => return Err(OauthError::invalid_request("response_type is missing: it must be code")),
    }
    match parameters.one("response_mode")? {
        None | Some("query") => Ok(()),
        Some(_) => Err(OauthError::invalid_request("response_mode can be query and nothing else")),
    }
}

/// A token is for this server, by its one name, also written with a slash at its end.
pub(super) fn check_resource(parameters: &Parameters, resource: &str) -> Result<(), OauthError> {
    let wrong = OauthError::new(
        ErrorName::InvalidTarget,
        "resource must be the address of this server's MCP endpoint, once, as its metadata names it",
    );
    match parameters.one("resource") {
        Ok(None) => Ok(()),
        Ok(Some(asked)) if asked.strip_suffix('/').unwrap_or(asked) == resource => Ok(()),
        Ok(Some(_)) | Err(_) => Err(wrong),
    }
}

/// S256 alone, and named: without a name it would be `plain`. Source: RFC 7636 §4.3.
fn challenge(parameters: &Parameters) -> Result<&str, OauthError> {
    let challenge = parameters.one("code_challenge")?;
    let challenge = challenge.ok_or(OauthError::invalid_request("code_challenge is missing: PKCE is required"))?;
    if parameters.one("code_challenge_method")? != Some("S256") {
        return Err(OauthError::invalid_request("code_challenge_method must be S256"));
    }
    let is_hash = challenge.len() == CHALLENGE
        && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_hash {
        Ok(challenge)
    } else {
        Err(OauthError::invalid_request("code_challenge must be 43 letters of base64url"))
    }
}

fn prompt(parameters: &Parameters) -> Result<Prompt, OauthError> {
    let names: Vec<&str> = parameters.one("prompt")?.unwrap_or_default().split(' ').collect();
    let has = |name| names.contains(&name);
    Ok(match names.as_slice() {
        ["none"] => Prompt::Never,
        _ if has("none") => return Err(OauthError::invalid_request("prompt cannot be none and something else")),
        // Who is signed in is shown to whoever is asked, with a way to sign in as somebody else.
        _ if has("consent") || has("login") || has("select_account") => Prompt::Always,
        _ => Prompt::AsNeeded,
    })
}

impl Request {
    /// In a form that goes through the browser and comes back as it was.
    pub(super) fn sealed(&self, seal: &Seal) -> Option<String> {
        seal.close(CONTEXT, &serde_json::to_vec(self).ok()?)
    }

    /// What came back, if it is ours, of this browser, and not too old.
    pub(super) fn opened(text: &str, seal: &Seal, browser: &str, now: Timestamp) -> Option<Self> {
        let request: Self = serde_json::from_slice(&seal.open(CONTEXT, text)?).ok()?;
        (request.browser == browser && now.as_millisecond() < request.expires_at_ms).then_some(request)
    }

    /// What is asked for.
    pub fn permissions(&self) -> Permissions {
        Permissions::parse(&self.scope)
    }

    /// How the person is asked.
    pub fn prompt(&self) -> Prompt {
        self.prompt
    }

    /// Where the answer goes.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// When nobody needs to know any more that it was answered.
    pub(super) fn forget_at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.expires_at_ms).unwrap_or(Timestamp::MAX)
    }
}
