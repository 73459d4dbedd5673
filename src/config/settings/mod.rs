//! The settings as the rooms get them; what each is for is said in `default.toml` too.

mod callers;
mod login;

pub use callers::{Auth, AuthMode, ClientDocuments, Limits, Registration};
pub use login::{Allowed, Login};

use super::Otlp;
use ipnet::IpNet;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use url::Url;

/// The settings of one server, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[upstream]`
    pub upstream: Upstream,
    /// `[google]`
    pub google: Google,
    /// `[cache]`
    pub cache: Cache,
    /// `[store]`
    pub store: Store,
    /// `[reports]`
    pub reports: Reports,
    /// `[idempotency]`
    pub idempotency: Idempotency,
    /// `[auth]`
    pub auth: Auth,
    /// `[limits]`
    pub limits: Limits,
    /// `[health]`
    pub health: Health,
    /// `[log]`
    pub log: Log,
    /// OpenTelemetry's own variables.
    pub otlp: Otlp,
}

/// The listeners and the limits of one call.
#[derive(Debug, Clone)]
pub struct Server {
    /// The main listener.
    pub listen: SocketAddr,
    /// The operations listener.
    pub operations_listen: SocketAddr,
    /// The origin under which clients reach the main listener, if it is not the listener's own address.
    pub public_url: Option<Url>,
    /// Proxies whose word on the address of a client is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Web pages of these Origins may call.
    pub allowed_origins: Vec<Url>,
    /// From which all keys derive; if there is none, one is made in the data folder.
    pub secret_key: Option<SecretString>,
    /// The one before, while it is being changed: what it has sealed is opened with it, and sealed again.
    pub previous_secret_key: Option<SecretString>,
    /// The longest that one tool call may take.
    pub tool_timeout: Duration,
    /// The largest request body.
    pub max_request_bytes: usize,
    /// How long the head of a request may take to arrive, and the time between two requests of a connection.
    pub header_timeout: Duration,
    /// How long a request body may take to arrive.
    pub body_timeout: Duration,
    /// How long a client may leave an answer unread.
    pub write_timeout: Duration,
    /// How long new connections are still taken once the process is asked to stop.
    pub stop_delay: Duration,
    /// How long calls may take to finish once the process is asked to stop.
    pub drain_timeout: Duration,
}

/// Where reviews come from.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Google, or the embedded emulator.
    pub provider: Provider,
}

/// Where reviews come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Google's Places API (New).
    Google,
    /// The embedded emulator with its invented places.
    Demo,
}

/// The way to Google.
#[derive(Debug, Clone)]
pub struct Google {
    /// The API key; without it every tool says what to set.
    pub api_key: Option<SecretString>,
    /// The Places API's origin.
    pub places_url: Url,
    /// Connecting, DNS and TLS included.
    pub connect_timeout: Duration,
    /// From sending a request to the first byte of its answer.
    pub first_byte_timeout: Duration,
    /// Between two pieces of an answer.
    pub idle_timeout: Duration,
    /// A whole request.
    pub total_timeout: Duration,
    /// The largest answer, after decompression.
    pub max_answer_bytes: usize,
    /// Whether proxies named in the environment are used.
    pub use_system_proxy: bool,
    /// Tries beyond the first.
    pub retries: u32,
    /// The longest wait before the first retry.
    pub retry_first_wait: Duration,
    /// Requests under way at once.
    pub max_under_way: usize,
    /// Calls that wait for their turn.
    pub max_queue: usize,
    /// Idle connections that are kept.
    pub pool_idle_connections: usize,
    /// How long they are kept.
    pub pool_idle_timeout: Duration,
    /// US dollars a day; 0 means no limit.
    pub daily_budget_usd: f64,
    /// Requests a day; 0 means no limit.
    pub daily_calls: u64,
}

/// What is kept, where, and for how long.
#[derive(Debug, Clone)]
pub struct Cache {
    /// The bound of the memory tier.
    pub memory_bytes: u64,
    /// The shared tier, if there is one. May hold a password.
    pub redis_url: Option<SecretString>,
    /// How long Google's content is kept.
    pub places_content_ttl: Duration,
    /// How long it is remembered that a place does not exist.
    pub missing_place_ttl: Duration,
    /// Connections to Redis.
    pub redis_pool_size: usize,
    /// The longest wait for one.
    pub redis_wait: Duration,
    /// The longest that one operation may take.
    pub redis_operation_timeout: Duration,
    /// The longest that a call waits for one.
    pub redis_lookup_timeout: Duration,
}

/// What must outlive the process.
#[derive(Debug, Clone)]
pub struct Store {
    /// The database, if it is not the usual file. May hold a password.
    pub url: Option<SecretString>,
    /// The folder of the usual file, and of what is made at the first start.
    pub data_dir: PathBuf,
    /// How long SQLite waits for another program's lock.
    pub busy_timeout: Duration,
    /// The largest that the file of SQLite may grow.
    pub sqlite_max_bytes: u64,
    /// Connections to PostgreSQL that are kept open.
    pub pool_min: u32,
    /// Connections to PostgreSQL at most.
    pub pool_max: u32,
    /// The longest wait for a connection.
    pub acquire_timeout: Duration,
    /// The longest that one statement may take.
    pub statement_timeout: Duration,
    /// The longest that a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// How long the server waits for its database at the start.
    pub start_timeout: Duration,
}

impl Store {
    /// Whether several servers can share it.
    pub fn is_postgres(&self) -> bool {
        self.url.as_ref().is_some_and(|url| url.expose_secret().starts_with("postgres"))
    }
}

/// What reports hold, and for how long.
#[derive(Debug, Clone)]
pub struct Reports {
    /// Whether names and Google's figures are kept with them.
    pub keep_google_figures: bool,
    /// How long they are kept.
    pub lifetime: Duration,
}

/// How writing calls are done once.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// How long a claim holds after its holder was last heard of.
    pub lease: Duration,
}

/// How the server finds out whether its dependencies are well.
#[derive(Debug, Clone)]
pub struct Health {
    /// Between two probes of each dependency; zero for none.
    pub interval: Duration,
    /// How long the runtime may hang before the process is ended; zero for ever.
    pub watchdog: Duration,
    /// The place by which Google is asked.
    pub google_place_id: String,
    /// Free bytes on the disk of the database below which it counts as full.
    pub least_free_bytes: u64,
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct Log {
    /// A level or `tracing` directives.
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
    /// Until when the results of tool calls are logged too.
    pub results_until: Option<Timestamp>,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}
