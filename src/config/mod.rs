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
        server: Server {
            listen: reader.value("server.listen"),
            operations_listen: reader.value("server.operations_listen"),
            public_url: reader.optional("server.public_url"),
            tool_timeout: reader.duration("server.tool_timeout"),
            max_request_bytes: reader.value("server.max_request_bytes"),
            drain_timeout: reader.duration("server.drain_timeout"),
        },
        upstream: Upstream { provider: reader.value("upstream.provider") },
        google: Google {
            api_key: reader.optional("google.api_key"),
            places_url: reader.value("google.places_url"),
            connect_timeout: reader.duration("google.connect_timeout"),
            first_byte_timeout: reader.duration("google.first_byte_timeout"),
            idle_timeout: reader.duration("google.idle_timeout"),
            total_timeout: reader.duration("google.total_timeout"),
            max_answer_bytes: reader.value("google.max_answer_bytes"),
            use_system_proxy: reader.value("google.use_system_proxy"),
        },
        log: Log { level: reader.value("log.level"), format: reader.value("log.format") },
    };
    let (effective, mut problems) = reader.finish();
    problems.extend(check::problems(&config));
    Ok(Loaded { config, effective, problems })
}
