//! THE AUTHORIZATION SERVER: a side room for the self-hoster who has no identity provider. People sign in here, agree to
//! what a client may do, and the client gets tokens that `auth` takes. Small and strict: authorization code with PKCE,
//! rotating refresh tokens, nothing else.
//!
//! A sign-in walks through these files in this order: `registration` or `documents` (a client says what it is), `request` (it
//! asks for a person's agreement), `people` (the person signs in, here or at a `provider` outside), `agreement` (and agrees),
//! `token` (the code becomes tokens),
//! `refresh` (tokens are replaced), `revocation`, `connections` (a person sees and takes back what they agreed to).
//!
//! Sources: OAuth 2.1 (draft 13), RFC 6749, RFC 7009, RFC 7591, RFC 7636, RFC 8414, RFC 8707, RFC 9068, RFC 9207, RFC 9700.

mod access_token;
mod agreement;
mod client;
mod connections;
mod documents;
mod error;
mod forms;
mod key_ring;
mod keys;
mod metadata;
mod name;
mod parameters;
mod passwords;
mod people;
mod permissions;
mod provider;
pub mod redirect;
mod refresh;
mod refresh_token;
mod registration;
mod request;
mod revocation;
mod seal;
mod signing_key;
mod token;

pub use crate::store::{Invitation, Person, StoreError};
pub use agreement::{Asked, NotAsked, NotKept};
pub use connections::Connected;
pub use documents::DocumentRules;
pub use error::{ErrorName, OauthError};
pub use forms::{Browser, Form};
pub use keys::{Keys, KeysError};
pub use parameters::Parameters;
pub use passwords::BadPassword;
pub use people::{People, SetUpError, SignInError, SignedIn, session_cutoff};
pub use permissions::Permissions;
pub use provider::{Journey, NotArrived, Provider};
pub use registration::{NewClient, NotRegistered};
pub use request::{Prompt, Request};
pub use token::{Requester, Tokens};

use crate::{
    clock::Clock,
    config::Registration,
    model::{SecretKey, sha256_hex},
    outbound::Strangers,
    store::Store,
    tasks::Tasks,
    telemetry::Metrics,
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use documents::Documents;
use forms::FormKey;
use refresh_token::RefreshTokens;
use seal::Seal;
use secrecy::{ExposeSecret as _, SecretString};

/// What the authorization server is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where everything is kept.
    pub store: Store,
    /// By which tokens are signed.
    pub keys: Keys,
    /// Who can sign in.
    pub people: People,
    /// With whose accounts they can, beside passwords.
    pub provider: Option<Provider>,
    /// From which the keys of seals, forms and refresh tokens derive.
    pub secret: SecretKey,
    /// The secret from before its last change.
    pub previous: Option<SecretKey>,
    /// By whom descriptions of clients are fetched.
    pub strangers: Strangers,
    /// Where that goes on when the one who caused it has left.
    pub tasks: Tasks,
    /// Where times come from.
    pub clock: Clock,
    /// Where it is counted.
    pub metrics: Metrics,
}

/// Who may register clients, and how many there may be.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Who.
    pub registration: Registration,
    /// What they must show, where that is so.
    pub registration_token: Option<SecretString>,
    /// How many.
    pub most_clients: u32,
    /// Which clients may describe themselves, and need not register.
    pub documents: DocumentRules,
}

/// The authorization server of one origin.
#[derive(Debug)]
pub struct AuthorizationServer {
    /// `https://host`, by which it names itself, letter by letter.
    issuer: String,
    /// `https://host/mcp`, for which its tokens are.
    resource: String,
    rules: Rules,
    store: Store,
    documents: Documents,
    keys: Keys,
    people: People,
    provider: Option<Provider>,
    seal: Seal,
    forms: FormKey,
    refresh_tokens: RefreshTokens,
    clock: Clock,
    metrics: Metrics,
}

impl AuthorizationServer {
    /// For the endpoint `resource` of `issuer`.
    pub fn new(issuer: String, resource: String, rules: Rules, parts: Parts) -> Self {
        let Parts { store, keys, people, provider, secret, previous, strangers, tasks, clock, metrics } = parts;
        let documents = Documents::new(rules.documents.clone(), &issuer, strangers, tasks, clock.clone());
        let seal = Seal::new(secret.derive("requests to an authorization server").expose_secret());
        let forms = FormKey::new(secret.derive("forms").expose_secret());
        let refresh_tokens = RefreshTokens::new(&secret, previous.as_ref());
        Self {
            issuer,
            resource,
            rules,
            store,
            documents,
            keys,
            people,
            provider,
            seal,
            forms,
            refresh_tokens,
            clock,
            metrics,
        }
    }

    /// The people who can sign in.
    pub fn people(&self) -> &People {
        &self.people
    }

    /// The name of the endpoint that is connected to.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Whether a client may register that shows this.
    pub fn may_register(&self, shown: Option<&str>) -> bool {
        let is_right = |token: &SecretString| {
            let (token, shown) = (sha256_hex(token.expose_secret()), sha256_hex(shown.unwrap_or_default()));
            verify_slices_are_equal(token.as_bytes(), shown.as_bytes()).is_ok()
        };
        match self.rules.registration {
            Registration::Open => true,
            Registration::Token => self.rules.registration_token.as_ref().is_some_and(is_right),
            Registration::Off => false,
        }
    }

    /// Whether clients can register themselves at all.
    pub fn has_registration(&self) -> bool {
        self.rules.registration != Registration::Off
    }

    /// Registers the client that describes itself in this body.
    ///
    /// # Errors
    /// [`NotRegistered`] when it is not.
    pub async fn register(&self, body: &[u8]) -> Result<NewClient, NotRegistered> {
        registration::register(body, &self.store, self.rules.most_clients.into(), self.clock.now()).await
    }

    /// The public keys of its tokens, as a JSON Web Key Set. Source: RFC 7517.
    ///
    /// # Errors
    /// [`KeysError`] when they cannot be read.
    pub async fn public_keys(&self) -> Result<serde_json::Value, KeysError> {
        self.keys.published().await
    }
}
