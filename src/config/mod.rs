//! Configuration: embedded defaults, then a file, then the environment. All problems are reported at once.

mod callers;
mod check;
mod environment;
mod login;
mod otlp;
mod reader;
mod settings;

pub use check::is_loopback;
pub use otlp::{Otlp, Sampling};
pub use reader::{Problem, Sources};
pub use settings::{
    Allowed, Auth, AuthMode, Cache, ClientDocuments, Config, Google, Health, Idempotency, Limits, Log, LogFormat,
    Login, Provider, Registration, Reports, Server, Store, Upstream,
};

use ipnet::IpNet;
use reader::Reader;
use std::{fmt, net::IpAddr};

/// Everything that is wrong with the configuration.
#[derive(Debug)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the configuration has {} problem(s):", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(formatter, "\n  - {problem}"))
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
        store: store(&mut reader),
        reports: Reports {
            keep_google_figures: reader.value("reports.keep_google_figures"),
            lifetime: reader.duration("reports.lifetime"),
        },
        idempotency: Idempotency { lease: reader.duration("idempotency.lease") },
        auth: auth(&mut reader),
        limits: limits(&mut reader),
        health: Health {
            interval: reader.duration("health.interval"),
            watchdog: reader.duration("health.watchdog"),
            google_place_id: reader.value("health.google_place_id"),
            least_free_bytes: reader.value("health.least_free_bytes"),
        },
        log: Log {
            level: reader.value("log.level"),
            format: reader.value("log.format"),
            results_until: reader.optional("log.results_until"),
        },
        otlp: otlp::settings(&sources.environment, &mut reader.problems),
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
        trusted_proxies: networks(reader, "server.trusted_proxies"),
        allowed_origins: reader.list("server.allowed_origins"),
        secret_key: reader.optional("server.secret_key"),
        previous_secret_key: reader.optional("server.previous_secret_key"),
        tool_timeout: reader.duration("server.tool_timeout"),
        max_request_bytes: reader.value("server.max_request_bytes"),
        header_timeout: reader.duration("server.header_timeout"),
        body_timeout: reader.duration("server.body_timeout"),
        write_timeout: reader.duration("server.write_timeout"),
        stop_delay: reader.duration("server.stop_delay"),
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

fn auth(reader: &mut Reader) -> Auth {
    Auth {
        mode: reader.value("auth.mode"),
        none_is_published_on_loopback: reader.value("auth.none_is_published_on_loopback"),
        issuer: reader.optional("auth.issuer"),
        audience: reader.optional("auth.audience"),
        algorithms: reader.list("auth.algorithms"),
        requires_typed_tokens: reader.value("auth.requires_typed_tokens"),
        client_documents: reader.value("auth.client_documents"),
        allowed_client_hosts: reader.list("auth.allowed_client_hosts"),
        registration: reader.value("auth.registration"),
        registration_token: reader.optional("auth.registration_token"),
        login: login(reader),
    }
}

fn login(reader: &mut Reader) -> Login {
    Login {
        issuer: reader.optional("auth.login.issuer"),
        client_id: reader.optional("auth.login.client_id"),
        client_secret: reader.optional("auth.login.client_secret"),
        name: reader.optional("auth.login.name"),
        allowed: reader.list("auth.login.allowed"),
        passwords: reader.value("auth.login.passwords"),
    }
}

/// A single address is a network too.
fn networks(reader: &mut Reader, key: &str) -> Vec<IpNet> {
    reader.list_of(key, |text| text.parse().or_else(|error| text.parse::<IpAddr>().map(IpNet::from).map_err(|_| error)))
}

fn limits(reader: &mut Reader) -> Limits {
    Limits {
        enabled: reader.value("limits.enabled"),
        connections: reader.value("limits.connections"),
        connections_per_address: reader.value("limits.connections_per_address"),
        address_requests_a_minute: reader.value("limits.address_requests_a_minute"),
        address_burst: reader.value("limits.address_burst"),
        shared_addresses: networks(reader, "limits.shared_addresses"),
        caller_requests_a_minute: reader.value("limits.caller_requests_a_minute"),
        caller_burst: reader.value("limits.caller_burst"),
        sign_ins_an_hour: reader.value("limits.sign_ins_an_hour"),
        sign_in_burst: reader.value("limits.sign_in_burst"),
        registrations_an_hour: reader.value("limits.registrations_an_hour"),
        registration_burst: reader.value("limits.registration_burst"),
        clients: reader.value("limits.clients"),
        client_requests_a_minute: reader.value("limits.client_requests_a_minute"),
        client_burst: reader.value("limits.client_burst"),
        servers: reader.value("limits.servers"),
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

fn store(reader: &mut Reader) -> Store {
    Store {
        url: reader.optional("store.url"),
        data_dir: reader.value("store.data_dir"),
        busy_timeout: reader.duration("store.busy_timeout"),
        sqlite_max_bytes: reader.value("store.sqlite_max_bytes"),
        pool_min: reader.value("store.pool_min"),
        pool_max: reader.value("store.pool_max"),
        acquire_timeout: reader.duration("store.acquire_timeout"),
        statement_timeout: reader.duration("store.statement_timeout"),
        lock_timeout: reader.duration("store.lock_timeout"),
        start_timeout: reader.duration("store.start_timeout"),
    }
}
