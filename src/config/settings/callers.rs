//! Who may call, how they are known, and how much anybody may ask.

use super::login::Login;
use ipnet::IpNet;
use secrecy::SecretString;
use serde::Deserialize;

/// How much anybody may ask.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Whether there are limits.
    pub enabled: bool,
    /// Connections at once, for each listener.
    pub connections: usize,
    /// Connections at once from one address.
    pub connections_per_address: usize,
    /// Requests of one address before its callers are known.
    pub address_requests_a_minute: u32,
    /// Of these, at once after a pause.
    pub address_burst: u32,
    /// Networks behind whose addresses are many people.
    pub shared_addresses: Vec<IpNet>,
    /// Requests of one caller.
    pub caller_requests_a_minute: u32,
    /// Of these, at once after a pause.
    pub caller_burst: u32,
    /// Tries to sign in with one name from one address.
    pub sign_ins_an_hour: u32,
    /// Of these, at once after a pause.
    pub sign_in_burst: u32,
    /// Registrations of clients from one address.
    pub registrations_an_hour: u32,
    /// Of these, at once after a pause.
    pub registration_burst: u32,
    /// How many clients there may be.
    pub clients: u32,
    /// Requests for tokens by one client.
    pub client_requests_a_minute: u32,
    /// Of these, at once after a pause.
    pub client_burst: u32,
    /// How many servers share the limit of a caller, where there is a Redis.
    pub servers: u32,
}

/// How callers are known.
#[derive(Debug, Clone)]
pub struct Auth {
    /// By what.
    pub mode: AuthMode,
    /// That the port is published on loopback only, which a listener in a container cannot see.
    pub none_is_published_on_loopback: bool,
    /// The issuer outside whose tokens are taken, letter by letter as in their `iss`; if there is none, people sign in here.
    pub issuer: Option<String>,
    /// For whom its tokens must be, if not for this server's own address.
    pub audience: Option<String>,
    /// The algorithms that its keys may be used with.
    pub algorithms: Vec<String>,
    /// Whether its tokens must be typed as access tokens.
    pub requires_typed_tokens: bool,
    /// Whether clients may describe themselves at an address of theirs, where people sign in here.
    pub client_documents: ClientDocuments,
    /// The hosts of such addresses; none: all.
    pub allowed_client_hosts: Vec<String>,
    /// Who may register clients, where people sign in here.
    pub registration: Registration,
    /// What they must show, where that is so.
    pub registration_token: Option<SecretString>,
    /// How people sign in, where they do so here.
    pub login: Login,
}

impl Auth {
    /// Whether people sign in here, and not at an issuer outside.
    pub fn is_own(&self) -> bool {
        self.mode == AuthMode::Oauth && self.issuer.is_none()
    }
}

/// Who may register clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Every client.
    Open,
    /// Who shows a token of the operator.
    Token,
    /// Nobody.
    Off,
}

/// Whether clients may describe themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientDocuments {
    /// Each in a document of its own.
    On,
    /// None may.
    Off,
}

/// By what callers are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMode {
    /// By the tokens of an issuer, here or outside, and by API keys.
    Oauth,
    /// By API keys.
    ApiKey,
    /// Not at all.
    None,
}
