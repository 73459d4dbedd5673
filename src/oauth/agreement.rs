//! A client asks, a person agrees or not, and the client gets a code or a no. Every answer names this server, so that a
//! client that speaks with several takes no answer for another's. Sources: RFC 6749 §4.1.2, RFC 9207.

use super::{
    AuthorizationServer, Browser, ErrorName, OauthError, Parameters, Permissions, Request, client,
    documents::{self, Description, NotDescribed},
    redirect::{self, with_parameters},
    request::{Addressed, Prompt},
};
use crate::{
    model::{hex, random_bytes, random_secret, sha256_hex},
    store::{Agreed, Grant, KeptClient, NewGrant, StoreError},
};
use secrecy::ExposeSecret as _;
use std::time::Duration;

/// How long a code can be exchanged.
const CODE: Duration = Duration::from_mins(1);
/// How long a connection lasts at most.
const LONGEST: Duration = Duration::from_hours(90 * 24);

/// What a client asks a person for.
#[derive(Debug)]
pub struct Asked {
    /// The request.
    pub request: Request,
    /// The same, to be sent through the browser.
    pub sealed: String,
    /// Who asks.
    pub client: KeptClient,
}

impl Asked {
    /// The host that answers for what the client says of itself, if it is one that describes itself.
    pub fn client_host(&self) -> Option<String> {
        documents::host(&self.client.id)
    }
}

/// Why nobody is asked.
#[derive(Debug)]
pub enum NotAsked {
    /// The client, or where the answer would go, is not known: the person is told, and nobody is sent anywhere.
    Nowhere(&'static str),
    /// The client is told, at this address.
    Answer {
        /// With the error.
        address: String,
        /// What is wrong.
        error: OauthError,
    },
    /// Descriptions of clients were fetched too often: how long to wait.
    TooMany(Duration),
    /// Too many descriptions are fetched at this moment.
    Busy,
    /// It cannot be looked up now.
    Store(StoreError),
}

impl From<NotDescribed> for NotAsked {
    fn from(why: NotDescribed) -> Self {
        match why {
            NotDescribed::Unusable => Self::Nowhere(NO_DESCRIPTION),
            NotDescribed::TooMany(wait) => Self::TooMany(wait),
            NotDescribed::Busy => Self::Busy,
        }
    }
}

/// Why an agreement was not kept.
#[derive(Debug)]
pub enum NotKept {
    /// The request was answered before.
    Answered,
    /// The client, or where the answer would go, is not known any more.
    Gone,
    /// Nothing of what was asked for was granted.
    Nothing,
    /// It cannot be written now.
    Store(StoreError),
}

impl From<StoreError> for NotKept {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

const UNKNOWN_CLIENT: &str =
    "The client is not known here, or no longer. Remove the connection in your client and add it again.";
/// One sentence for all reasons: whoever sends such a request must not learn what lies behind an address.
const NO_DESCRIPTION: &str = "The client describes itself at an address that this server does not take, or that does not describe it now. The \
     log of this server says why.";
const UNKNOWN_REDIRECT: &str =
    "The client wants the answer to go to an address that it did not register, so nothing is sent there.";

impl AuthorizationServer {
    /// What a client asks for, with these parameters, through this browser. Its description is fetched, if it has one, and
    /// if `admit` does not say how long to wait first.
    ///
    /// # Errors
    /// [`NotAsked`] when there is nothing that a person could be asked.
    pub async fn asked(
        &self,
        parameters: &Parameters,
        browser: Browser<'_>,
        admit: impl FnOnce() -> Option<Duration>,
    ) -> Result<Asked, NotAsked> {
        let id = parameters.one("client_id").ok().flatten().filter(|id| client::is_id(id));
        let id = id.ok_or(NotAsked::Nowhere(UNKNOWN_CLIENT))?;
        let client = if documents::is_address(id) {
            let description = self.documents.find(id, admit).await?;
            Description::clone(&description).client(id, self.clock.now())
        } else {
            let client = self.store.clients().find(id).await.map_err(NotAsked::Store)?;
            client.ok_or(NotAsked::Nowhere(UNKNOWN_CLIENT))?
        };
        let addressed = Addressed::read(&client, parameters).ok_or(NotAsked::Nowhere(UNKNOWN_REDIRECT))?;
        let read = addressed.request(parameters, &self.resource, &browser.digest(), self.clock.now());
        let request = read.map_err(|error| NotAsked::Answer {
            address: self.no(addressed.redirect_uri, addressed.state, error),
            error,
        })?;
        let sealed = request.sealed(&self.seal).unwrap_or_default();
        Ok(Asked { request, sealed, client })
    }

    /// The request that came back through this browser, with its client as it is now, or as it described itself then;
    /// nothing if it is not of this browser, was changed, or is too old, or if the client is gone or has another address.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be looked up.
    pub async fn asked_again(&self, sealed: &str, browser: Browser<'_>) -> Result<Option<Asked>, StoreError> {
        let Some(request) = Request::opened(sealed, &self.seal, &browser.digest(), self.clock.now()) else {
            return Ok(None);
        };
        let client = match request.description.clone() {
            Some(description) => Some(description.client(&request.client_id, self.clock.now())),
            None => self.store.clients().find(&request.client_id).await?,
        };
        let Some(client) = client else { return Ok(None) };
        let is_registered = client.redirect_uris.iter().any(|known| redirect::fits(known, &request.redirect_uri));
        Ok(is_registered.then(|| Asked { request, sealed: sealed.to_owned(), client }))
    }

    /// What this person has agreed to before, if that is all that is asked for now: for this client and this address, the
    /// last time, if it still holds. An address on the person's machine, or of an app, can be taken by any program there:
    /// that is asked each time.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be looked up.
    pub async fn agreed_before(&self, person_id: &str, asked: &Asked) -> Result<Option<Permissions>, StoreError> {
        let request = &asked.request;
        if request.prompt == Prompt::Always || !redirect::is_site(&request.redirect_uri) {
            return Ok(None);
        }
        let grants = self.store.grants().of_person(person_id, self.clock.now()).await?;
        let is_meant = |grant: &Grant| {
            grant.client_id == request.client_id
                && grant.redirect_uri == request.redirect_uri
                && grant.is_decision
                && grant.generation > 0
        };
        let last = grants.into_iter().rev().find(is_meant);
        let covering = last.filter(|grant| Permissions::parse(&grant.scopes).covers(request.permissions()));
        Ok(covering.map(|grant| Permissions { offline: grant.can_refresh, ..request.permissions() }))
    }

    /// Keeps that a person agrees to some of what was asked for, or to all of it; the address to send them to, with the code.
    ///
    /// # Errors
    /// [`NotKept`] when there is no code.
    pub async fn agree(&self, person_id: &str, asked: &Asked, granted: Permissions) -> Result<String, NotKept> {
        self.keep(person_id, asked, granted, true).await
    }

    /// The same where they have agreed to as much before, and are not asked.
    ///
    /// # Errors
    /// [`NotKept`] when there is no code.
    pub async fn agree_again(&self, person_id: &str, asked: &Asked, granted: Permissions) -> Result<String, NotKept> {
        self.keep(person_id, asked, granted, false).await
    }

    async fn keep(
        &self,
        person_id: &str,
        asked: &Asked,
        granted: Permissions,
        is_decision: bool,
    ) -> Result<String, NotKept> {
        let (request, now) = (&asked.request, self.clock.now());
        // Staying connected is up to the person, also where the client did not ask for it by that name.
        let can_refresh = granted.offline && asked.client.can_refresh;
        let told = Permissions { offline: can_refresh, ..granted }.and(request.permissions());
        if told.scopes.is_empty() {
            return Err(NotKept::Nothing);
        }
        let code = random_secret("grz_");
        let grant = NewGrant {
            id: hex(&random_bytes::<16>()),
            request_id: request.id.clone(),
            person_id: person_id.to_owned(),
            client_id: request.client_id.clone(),
            described: request.description.is_some().then(|| asked.client.clone()),
            redirect_uri: request.redirect_uri.clone(),
            scopes: told.names(),
            can_refresh,
            is_decision,
            code_hash: sha256_hex(code.expose_secret()),
            challenge: request.challenge.clone(),
            code_expires_at: now + CODE,
            expires_at: now + LONGEST,
        };
        match self.store.grants().agree(&grant, now, request.forget_at()).await? {
            Agreed::Kept => {
                Ok(self.answer(&request.redirect_uri, request.state.as_deref(), &[("code", code.expose_secret())]))
            }
            Agreed::Answered => Err(NotKept::Answered),
            Agreed::Gone => Err(NotKept::Gone),
        }
    }

    /// Notes that a person does not agree; the address to send them to.
    ///
    /// # Errors
    /// [`NotKept`] when the request was answered before, or that cannot be known.
    pub async fn decline(&self, asked: &Asked) -> Result<String, NotKept> {
        let request = &asked.request;
        if !self.store.grants().answer(&request.id, request.forget_at()).await? {
            return Err(NotKept::Answered);
        }
        let error = OauthError::new(ErrorName::AccessDenied, "The person did not agree");
        Ok(self.no(&request.redirect_uri, request.state.as_deref(), error))
    }

    /// The address to send a browser to when nobody may be asked, and somebody must be.
    pub fn cannot_ask(&self, asked: &Asked, is_signed_in: bool) -> String {
        let error = if is_signed_in {
            OauthError::new(ErrorName::ConsentRequired, "The person has not agreed to this yet")
        } else {
            OauthError::new(ErrorName::LoginRequired, "Nobody is signed in in this browser")
        };
        self.no(&asked.request.redirect_uri, asked.request.state.as_deref(), error)
    }

    fn no(&self, redirect_uri: &str, state: Option<&str>, error: OauthError) -> String {
        let told = [("error", error.name.as_str()), ("error_description", error.description)];
        self.answer(redirect_uri, state, &told)
    }

    fn answer(&self, redirect_uri: &str, state: Option<&str>, told: &[(&str, &str)]) -> String {
        let state = state.map(|state| ("state", state));
        let all: Vec<_> = told.iter().copied().chain(state).chain([("iss", self.issuer.as_str())]).collect();
        with_parameters(redirect_uri, &all)
    }
}
