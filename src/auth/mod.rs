//! WHO CALLS: a bearer token or an API key becomes a [`Caller`], or the request is refused with a challenge that tells the
//! client how to sign in. Sources: RFC 6750 (bearer tokens), RFC 9068 (JWT access tokens), RFC 9728 (metadata).

mod access_token;
mod api_key;
mod challenge;
mod credential;
mod outside;
mod own;
mod remembered;

pub use api_key::{ApiKey, KEY_PREFIX};
pub use challenge::Protected;
pub use outside::Outside;
pub use own::Own;

use crate::{
    clock::Clock,
    model::{Caller, Scope},
    store::Store,
    telemetry::{AuthFailure, Metrics},
};
use access_token::Verified;
use credential::{Credential, credential};
use http::{HeaderMap, HeaderValue};
use remembered::{Digest, Remembered};

/// Why a request has no caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// It has no credential, or one that is not valid.
    Refused(AuthFailure),
    /// Its credential cannot be judged now.
    Unavailable,
}

impl From<AuthFailure> for Denied {
    fn from(failure: AuthFailure) -> Self {
        if failure == AuthFailure::Unavailable { Self::Unavailable } else { Self::Refused(failure) }
    }
}

/// How callers are known.
#[derive(Debug)]
pub enum Gate {
    /// Not at all: all requests are those of one caller.
    Open(Caller),
    /// By API keys, and by the tokens of an issuer if there is one.
    Guarded {
        /// Whose tokens are taken.
        tokens: Option<Source>,
        /// Where API keys are kept.
        keys: Store,
    },
}

/// Who gives the tokens that are taken.
#[derive(Debug)]
pub enum Source {
    /// An issuer outside.
    Outside(Outside),
    /// This server.
    Own(Own),
}

impl Source {
    /// Its name, as in `iss`.
    pub fn name(&self) -> &str {
        match self {
            Self::Outside(outside) => outside.name(),
            Self::Own(own) => own.name(),
        }
    }

    async fn judge(&self, token: &str, resource: &str) -> Result<Verified, Denied> {
        match self {
            Self::Outside(outside) => outside.judge(token, resource).await,
            Self::Own(own) => own.judge(token, resource).await,
        }
    }
}

/// Finds out who calls.
#[derive(Debug)]
pub struct Auth {
    gate: Gate,
    protected: Protected,
    remembered: Remembered,
    metrics: Metrics,
}

impl Auth {
    /// Guards what `protected` describes.
    pub fn new(gate: Gate, protected: Protected, clock: Clock, metrics: Metrics) -> Self {
        Self { gate, protected, remembered: Remembered::new(clock), metrics }
    }

    /// Who makes a request with these headers.
    ///
    /// # Errors
    /// [`Denied`]; it is counted.
    pub async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Denied> {
        let (tokens, keys) = match &self.gate {
            Gate::Open(caller) => return Ok(caller.clone()),
            Gate::Guarded { tokens, keys } => (tokens.as_ref(), keys),
        };
        let found = match credential(headers) {
            Ok(credential) => self.judge(credential, tokens, keys).await,
            Err(failure) => Err(Denied::Refused(failure)),
        };
        if let Err(denied) = &found {
            self.metrics.auth_failure(denied.reason());
        }
        found
    }

    async fn judge(&self, credential: Credential<'_>, tokens: Option<&Source>, keys: &Store) -> Result<Caller, Denied> {
        let digest = Digest::of(credential.text());
        // Read first: what is revoked while this is judged is not remembered as valid.
        let revocations = keys.revocations();
        if let Some(caller) = self.remembered.get(&digest, revocations) {
            return Ok(caller);
        }
        let (caller, until) = match (credential, tokens) {
            (Credential::Key(text), _) => (api_key::judge(text, keys).await?, None),
            (Credential::Token(_), None) => return Err(Denied::Refused(AuthFailure::UnknownKey)),
            (Credential::Token(text), Some(tokens)) => {
                let verified = tokens.judge(text, self.protected.resource()).await?;
                (verified.caller, Some(verified.expires_at))
            }
        };
        self.remembered.put(digest, caller.clone(), until, revocations);
        Ok(caller)
    }

    /// The challenge for a request without a caller. Source: RFC 6750 §3, RFC 9728 §5.1.
    pub fn challenge(&self, failure: AuthFailure) -> HeaderValue {
        self.protected.challenge(failure)
    }

    /// The challenge for a caller that may not do this; it is counted. Source: RFC 6750 §3.1.
    pub fn missing_scope(&self, needed: Scope) -> HeaderValue {
        self.metrics.auth_failure(AuthFailure::InsufficientScope);
        self.protected.missing_scope(needed)
    }

    /// What is protected, for clients that look for the way to sign in.
    pub fn protected(&self) -> &Protected {
        &self.protected
    }
}

impl Denied {
    fn reason(self) -> AuthFailure {
        match self {
            Self::Refused(failure) => failure,
            Self::Unavailable => AuthFailure::Unavailable,
        }
    }
}
