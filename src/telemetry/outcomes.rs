//! What can come of things, as values of metric labels: enums, so that no input can become one.

/// What came of a writing call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdempotencyOutcome {
    /// It was done.
    Performed,
    /// It had been done: the first answer again.
    Replayed,
    /// Its key stands for other arguments.
    KeyReused,
    /// Another is still at it.
    InProgress,
    /// It failed; the key may be used again.
    Failed,
}

impl IdempotencyOutcome {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Performed => "performed",
            Self::Replayed => "replayed",
            Self::KeyReused => "key_reused",
            Self::InProgress => "in_progress",
            Self::Failed => "failed",
        }
    }
}

/// What a tier of the cache did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheOutcome {
    /// It had the value.
    Hit,
    /// It had not.
    Miss,
    /// It keeps the value now.
    Stored,
    /// What it had was not ours: pasted, flipped, or of another version.
    Rejected,
    /// It could not be asked.
    Error,
}

impl CacheOutcome {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stored => "stored",
            Self::Rejected => "rejected",
            Self::Error => "error",
        }
    }
}

/// Why a request was refused for want of a caller, or of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthFailure {
    /// No credential.
    Missing,
    /// Something that cannot be read as one credential.
    Malformed,
    /// A token in a form that is not read here.
    Unreadable,
    /// Signed by, or naming, a key that is not known.
    UnknownKey,
    /// An API key that was revoked.
    Revoked,
    /// An algorithm that is not allowed for its key.
    WrongAlgorithm,
    /// A signature of something else or someone else.
    WrongSignature,
    /// Another kind of token.
    WrongType,
    /// Claims that are missing or have another form.
    WrongClaims,
    /// Another issuer.
    WrongIssuer,
    /// For another resource.
    WrongAudience,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// A caller that may not do this.
    InsufficientScope,
    /// It cannot be judged now.
    Unavailable,
    /// A name and a password that do not belong together.
    WrongPassword,
    /// A request to sign in, or for tokens, that is not as it must be.
    BadRequest,
    /// A client that did not show who it is.
    UnknownClient,
    /// A code or a refresh token that is not valid, or no longer.
    WrongGrant,
    /// A form that did not come from a page of ours.
    ForeignForm,
    /// Somebody with an account who may not sign in.
    NotAllowed,
}

impl AuthFailure {
    /// All of them.
    pub(super) const ALL: [Self; 21] = [
        Self::Missing,
        Self::Malformed,
        Self::Unreadable,
        Self::UnknownKey,
        Self::Revoked,
        Self::WrongAlgorithm,
        Self::WrongSignature,
        Self::WrongType,
        Self::WrongClaims,
        Self::WrongIssuer,
        Self::WrongAudience,
        Self::Expired,
        Self::NotYetValid,
        Self::InsufficientScope,
        Self::Unavailable,
        Self::WrongPassword,
        Self::BadRequest,
        Self::UnknownClient,
        Self::WrongGrant,
        Self::ForeignForm,
        Self::NotAllowed,
    ];

    /// Its name in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Unreadable => "unreadable",
            Self::UnknownKey => "unknown_key",
            Self::Revoked => "revoked",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::WrongSignature => "wrong_signature",
            Self::WrongType => "wrong_type",
            Self::WrongClaims => "wrong_claims",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::InsufficientScope => "insufficient_scope",
            Self::Unavailable => "unavailable",
            Self::WrongPassword => "wrong_password",
            Self::BadRequest => "bad_request",
            Self::UnknownClient => "unknown_client",
            Self::WrongGrant => "wrong_grant",
            Self::ForeignForm => "foreign_form",
            Self::NotAllowed => "not_allowed",
        }
    }

    /// For a client's developer. Says nothing that helps to forge a credential.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Missing => "No credential was sent",
            Self::Malformed => "The credential cannot be read",
            Self::Unreadable => "This is no signed token in a form that is read here",
            Self::Revoked => "What this was granted for was revoked, or the key was",
            Self::WrongAudience => "The token is for another resource",
            Self::WrongIssuer => "The token is of another issuer",
            Self::Expired => "The token has expired",
            Self::NotYetValid => "The token is not valid yet",
            Self::WrongType => "This is no access token",
            Self::InsufficientScope => "The permission is not granted",
            Self::Unavailable => "The credential cannot be judged now",
            // The last six are of the way to a token and never of a request with one.
            Self::UnknownKey
            | Self::WrongAlgorithm
            | Self::WrongSignature
            | Self::WrongClaims
            | Self::WrongPassword
            | Self::BadRequest
            | Self::UnknownClient
            | Self::WrongGrant
            | Self::ForeignForm
            | Self::NotAllowed => "The credential is not valid here",
        }
    }
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// That of an address.
    Address,
    /// That of a caller.
    Caller,
    /// That of tries to sign in.
    SignIn,
    /// That of registrations of clients.
    Registration,
    /// That of a client that asks for tokens.
    Client,
}

impl Limit {
    /// All of them.
    pub(super) const ALL: [Self; 5] = [Self::Address, Self::Caller, Self::SignIn, Self::Registration, Self::Client];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Caller => "caller",
            Self::SignIn => "sign_in",
            Self::Registration => "registration",
            Self::Client => "client",
        }
    }
}
