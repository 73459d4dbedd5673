//! Configuration: embedded defaults, then a file, then the environment. All problems are reported at once.

mod check;
mod environment;
mod reader;

pub use reader::{Problem, Sources};

use reader::Reader;
use secrecy::SecretString;
use serde::Deserialize;
use std::{fmt, net::SocketAddr, time::Duration};
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
    /// `[log]`
    pub log: Log,
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
    /// The longest that one tool call may take.
    pub tool_timeout: Duration,
    /// The largest request body.
    pub max_request_bytes: usize,
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

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct Log {
    /// A level or `tracing` directives.
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
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

/// Everything that is wrong with the configuration.
#[derive(Debug)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "the configuration has {} problem(s):", self.0.len())?;
        for problem in &self.0 {
            writeln!(formatter, "  - {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A configuration with the text that `check-config` prints of it.
#[derive(Debug)]
pub struct Loaded {
    /// The settings; where one has a problem, its default stands in.
    pub config: Config,
    /// All settings as TOML, secrets redacted.
    pub effective: String,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl Loaded {
    /// The settings, if nothing is wrong with them.
    ///
    /// # Errors
    /// [`Problems`] names all that is wrong.
    pub fn into_config(self) -> Result<Config, Problems> {
        if self.problems.is_empty() { Ok(self.config) } else { Err(Problems(self.problems)) }
    }
}

/// Reads all settings and checks them.
///
/// # Errors
/// [`Problems`] when a source cannot be read at all, for example a file that is not TOML. Problems with single
/// values are in [`Loaded::problems`].
pub fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let mut reader = Reader::open(sources).map_err(|problem| Problems(vec![problem]))?;
    let config = Config {
        server: server(&mut reader),
        upstream: Upstream { provider: reader.value("upstream.provider") },
        google: google(&mut reader),
        cache: cache(&mut reader),
        log: Log { level: reader.value("log.level"), format: reader.value("log.format") },
    };
    let (effective, mut problems) = reader.finish();
    problems.extend(check::problems(&config));
    Ok(Loaded { config, effective, problems })
}

fn server(reader: &mut Reader) -> Server {
    Server {
        listen: reader.value("server.listen"),
        operations_listen: reader.value("server.operations_listen"),
        public_url: reader.optional("server.public_url"),
        tool_timeout: reader.duration("server.tool_timeout"),
        max_request_bytes: reader.value("server.max_request_bytes"),
        drain_timeout: reader.duration("server.drain_timeout"),
    }
}

fn google(reader: &mut Reader) -> Google {
    Google {
        api_key: reader.optional("google.api_key"),
        places_url: reader.value("google.places_url"),
        connect_timeout: reader.duration("google.connect_timeout"),
        first_byte_timeout: reader.duration("google.first_byte_timeout"),
        idle_timeout: reader.duration("google.idle_timeout"),
        total_timeout: reader.duration("google.total_timeout"),
        max_answer_bytes: reader.value("google.max_answer_bytes"),
        use_system_proxy: reader.value("google.use_system_proxy"),
        retries: reader.value("google.retries"),
        retry_first_wait: reader.duration("google.retry_first_wait"),
        max_under_way: reader.value("google.max_under_way"),
        max_queue: reader.value("google.max_queue"),
        pool_idle_connections: reader.value("google.pool_idle_connections"),
        pool_idle_timeout: reader.duration("google.pool_idle_timeout"),
        daily_budget_usd: reader.value("google.daily_budget_usd"),
        daily_calls: reader.value("google.daily_calls"),
    }
}

fn cache(reader: &mut Reader) -> Cache {
    Cache {
        memory_bytes: reader.value("cache.memory_bytes"),
        redis_url: reader.optional("cache.redis_url"),
        places_content_ttl: reader.duration("cache.places_content_ttl"),
        missing_place_ttl: reader.duration("cache.missing_place_ttl"),
        redis_pool_size: reader.value("cache.redis_pool_size"),
        redis_wait: reader.duration("cache.redis_wait"),
        redis_operation_timeout: reader.duration("cache.redis_operation_timeout"),
        redis_lookup_timeout: reader.duration("cache.redis_lookup_timeout"),
    }
}
