//! The errors of OAuth by their names in the standards, with a sentence for the developer of a client.

use super::{keys::KeysError, parameters::Repeated};
use crate::store::StoreError;

/// The name of an error. Sources: RFC 6749 §4.1.2.1 and §5.2, RFC 7591 §3.2.2, RFC 8707 §2, OpenID Connect Core §3.1.2.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the standards")]
pub enum ErrorName {
    AccessDenied,
    ConsentRequired,
    InvalidClient,
    InvalidClientMetadata,
    InvalidGrant,
    InvalidRedirectUri,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    LoginRequired,
    RequestNotSupported,
    RequestUriNotSupported,
    ServerError,
    TemporarilyUnavailable,
    UnsupportedGrantType,
    UnsupportedResponseType,
}

impl ErrorName {
    /// As it is written in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::ConsentRequired => "consent_required",
            Self::InvalidClient => "invalid_client",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::LoginRequired => "login_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
        }
    }
}

/// Why a request of a client is refused. Never says anything of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", .name.as_str())]
pub struct OauthError {
    /// For programs.
    pub name: ErrorName,
    /// For people, in the letters that RFC 6749 §5.2 allows.
    pub description: &'static str,
}

impl OauthError {
    pub(super) const fn new(name: ErrorName, description: &'static str) -> Self {
        Self { name, description }
    }

    /// The form of the request is wrong.
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorName::InvalidRequest, description)
    }

    /// One sentence for all reasons: which one it was helps nobody but those who guess.
    pub(super) const fn invalid_grant() -> Self {
        Self::new(ErrorName::InvalidGrant, "The code or token is not valid for this client, or no longer")
    }

    /// The client cannot be read from the request.
    pub const fn invalid_client() -> Self {
        Self::new(ErrorName::InvalidClient, "The client is not known, or did not show who it is as it registered")
    }
}

impl From<Repeated> for OauthError {
    fn from(_: Repeated) -> Self {
        Self::invalid_request("A parameter stands in the request twice")
    }
}

/// The grant stays as it is: a client must not throw away its tokens because a database was away for a moment.
impl From<StoreError> for OauthError {
    fn from(_: StoreError) -> Self {
        Self::new(ErrorName::TemporarilyUnavailable, "The database of this server is away: try again in a few seconds")
    }
}

impl From<KeysError> for OauthError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Store(error) => error.into(),
            error => {
                tracing::error!(%error, "tokens cannot be signed");
                Self::new(ErrorName::ServerError, "Tokens cannot be signed; the log of this server says why")
            }
        }
    }
}
