//! Rules that look at more than the form of one value.

use super::{Config, Problem, callers, login};
use crate::{
    clock::Clock,
    model::{PlaceId, SecretKey},
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{net::IpAddr, time::Duration};
use tracing_subscriber::EnvFilter;
use url::{Host, Url};

/// The longest that any part of a call may take.
const LONGEST: Duration = Duration::from_mins(2);

/// A watchdog that looks for a shorter time would bite a runtime that is only busy.
const SHORTEST_WATCH: Duration = Duration::from_secs(3);

/// The longest that content may be kept, for Google's terms, and that a process may take to stop.
const LONGEST_LIFETIME: Duration = Duration::from_mins(10);

/// As long as the answer of the call that made a report is repeated, the report must be there.
const SHORTEST_REPORTS: Duration = Duration::from_hours(24);

/// The longest that results may be logged.
const LONGEST_RESULTS: Duration = Duration::from_hours(24);

/// The longest that reports may be kept.
const LONGEST_REPORTS: Duration = Duration::from_hours(366 * 24);

/// All rules that the configuration breaks.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    [
        urls(config),
        callers::problems(config),
        login::problems(config),
        limits(config),
        lifetimes(config),
        counts(config),
        key(config),
        secrets(config),
        store(config),
        log(config),
    ]
    .concat()
}

pub(super) fn problem(key: &str, message: &str) -> Problem {
    Problem { key: key.to_owned(), message: message.to_owned() }
}

fn urls(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    match &config.server.public_url {
        Some(url) if !is_origin(url) => found.push(problem(
            "server.public_url",
            "must be an origin such as https://reviews.example.com, without path, query or user",
        )),
        Some(url) if url.scheme() != "https" && !is_loopback(url) => found.push(problem(
            "server.public_url",
            "must be https, because tokens travel with every request; plain http is for loopback only",
        )),
        _ => {}
    }
    if !config.server.allowed_origins.iter().all(is_origin) {
        found.push(problem(
            "server.allowed_origins",
            "must be origins such as http://localhost:6274, with spaces between them",
        ));
    }
    let places = &config.google.places_url;
    if !is_origin(places) {
        found.push(problem(
            "google.places_url",
            "must be an origin such as https://places.googleapis.com, without path or query",
        ));
    } else if places.scheme() != "https" && !is_loopback(places) {
        found.push(problem(
            "google.places_url",
            "must be https, because the API key travels with every request; plain http is for loopback only",
        ));
    }
    found
}

/// What may be zero, but not long.
fn lifetimes(config: &Config) -> Vec<Problem> {
    let lifetimes = [
        ("cache.places_content_ttl", config.cache.places_content_ttl),
        ("cache.missing_place_ttl", config.cache.missing_place_ttl),
        ("google.retry_first_wait", config.google.retry_first_wait),
        ("google.pool_idle_timeout", config.google.pool_idle_timeout),
        ("server.stop_delay", config.server.stop_delay),
        ("server.drain_timeout", config.server.drain_timeout),
        ("health.interval", config.health.interval),
    ];
    let long = lifetimes.into_iter().filter(|(_, duration)| *duration > LONGEST_LIFETIME);
    let mut found: Vec<_> = long.map(|(key, _)| problem(key, "must be at most 10m")).collect();
    let watchdog = config.health.watchdog;
    if !watchdog.is_zero() && !(SHORTEST_WATCH..=LONGEST_LIFETIME).contains(&watchdog) {
        found.push(problem("health.watchdog", "must be 0, or from 3s to 10m"));
    }
    if config.cache.redis_url.as_ref().is_some_and(|url| !is_redis(url)) {
        found.push(problem("cache.redis_url", "must be an address such as redis://127.0.0.1:6379"));
    }
    found
}

/// Sizes of pools and queues.
fn counts(config: &Config) -> Vec<Problem> {
    let counts = [
        ("google.max_under_way", config.google.max_under_way, 1),
        ("google.max_queue", config.google.max_queue, 0),
        ("google.pool_idle_connections", config.google.pool_idle_connections, 1),
        ("cache.redis_pool_size", config.cache.redis_pool_size, 1),
    ];
    let wrong = counts.into_iter().filter(|(_, count, least)| !(*least..=10_000).contains(count));
    wrong.map(|(key, _, least)| problem(key, &format!("must be from {least} to 10000"))).collect()
}

/// Said without showing it.
fn key(config: &Config) -> Vec<Problem> {
    let is_plain = |key: &SecretString| key.expose_secret().bytes().all(|byte| byte.is_ascii_graphic());
    if config.google.api_key.as_ref().is_none_or(is_plain) {
        return Vec::new();
    }
    vec![problem("google.api_key", "has spaces, line breaks or other characters that no API key has")]
}

fn limits(config: &Config) -> Vec<Problem> {
    let durations = [
        ("server.tool_timeout", config.server.tool_timeout),
        ("server.header_timeout", config.server.header_timeout),
        ("server.body_timeout", config.server.body_timeout),
        ("server.write_timeout", config.server.write_timeout),
        ("google.connect_timeout", config.google.connect_timeout),
        ("google.first_byte_timeout", config.google.first_byte_timeout),
        ("google.idle_timeout", config.google.idle_timeout),
        ("google.total_timeout", config.google.total_timeout),
        ("cache.redis_wait", config.cache.redis_wait),
        ("cache.redis_operation_timeout", config.cache.redis_operation_timeout),
        ("cache.redis_lookup_timeout", config.cache.redis_lookup_timeout),
        ("store.busy_timeout", config.store.busy_timeout),
        ("store.acquire_timeout", config.store.acquire_timeout),
        ("store.statement_timeout", config.store.statement_timeout),
        ("store.lock_timeout", config.store.lock_timeout),
        ("idempotency.lease", config.idempotency.lease),
    ];
    let mut found: Vec<_> = durations
        .into_iter()
        .filter(|(_, duration)| duration.is_zero() || *duration > LONGEST)
        .map(|(key, _)| problem(key, "must be longer than 0 and at most 2m"))
        .collect();
    if !(0.0..=1e6).contains(&config.google.daily_budget_usd) {
        found.push(problem("google.daily_budget_usd", "must be a number of dollars from 0 to 1000000"));
    }
    if config.google.retries > 2 {
        found.push(problem("google.retries", "must be at most 2: more would flood an upstream that fails"));
    }
    if config.server.max_request_bytes < 1024 {
        found.push(problem("server.max_request_bytes", "must be at least 1024: a tool call is a few hundred bytes"));
    }
    if config.google.max_answer_bytes < 65_536 {
        found.push(problem("google.max_answer_bytes", "must be at least 65536: five reviews are about 20000"));
    }
    found
}

fn log(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    if EnvFilter::builder().parse(&config.log.level).is_err() {
        found.push(problem(
            "log.level",
            "must be error, warn, info, debug or trace, or directives such as info,google_reviews_mcp=debug",
        ));
    }
    let latest = Clock::system().now() + LONGEST_RESULTS;
    if config.log.results_until.is_some_and(|until| until > latest) {
        found.push(problem("log.results_until", "must be at most a day ahead: results hold what reviewers wrote"));
    }
    found
}

fn is_redis(url: &SecretString) -> bool {
    Url::parse(url.expose_secret()).is_ok_and(|url| url.scheme() == "redis" && url.host().is_some())
}

/// Scheme, host and port only.
fn is_origin(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

/// Whether an address names this machine alone.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// The secret from which all keys derive, and the one before it.
fn secrets(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut read = |name, key: &Option<SecretString>| match SecretKey::parse(key.as_ref()?.expose_secret()) {
        Ok(secret) => Some(secret.to_hex()),
        Err(invalid) => {
            found.push(problem(name, &format!("must be {}", invalid.allowed)));
            None
        }
    };
    let secret = read("server.secret_key", &config.server.secret_key);
    let previous = read("server.previous_secret_key", &config.server.previous_secret_key);
    if config.server.secret_key.is_none() && config.store.is_postgres() {
        found.push(problem(
            "server.secret_key",
            "must be set with PostgreSQL, the same for all servers that share it: `openssl rand -hex 32` makes one",
        ));
    }
    if secret.is_some() && secret == previous {
        found.push(problem(
            "server.previous_secret_key",
            "must be another than server.secret_key: it is the one from before a change, and empty otherwise",
        ));
    }
    found
}

/// The database, and how long reports live.
fn store(config: &Config) -> Vec<Problem> {
    let store = &config.store;
    let mut found = Vec::new();
    let is_database = |url: &SecretString| {
        let url = url.expose_secret();
        ["sqlite://", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme))
    };
    if !store.url.as_ref().is_none_or(is_database) {
        found.push(problem("store.url", "must begin with sqlite:// or postgres://"));
    }
    if store.pool_max == 0 || store.pool_max > 1_000 || store.pool_min > store.pool_max {
        found.push(problem("store.pool_max", "must be from 1 to 1000 and not below store.pool_min"));
    }
    if store.sqlite_max_bytes < 1_000_000 {
        found.push(problem("store.sqlite_max_bytes", "must be at least 1000000"));
    }
    if !(SHORTEST_REPORTS..=LONGEST_REPORTS).contains(&config.reports.lifetime) {
        found.push(problem("reports.lifetime", "must be from 1d to 366d"));
    }
    if PlaceId::parse(&config.health.google_place_id).is_err() {
        found.push(problem("health.google_place_id", "must be a place id of Google"));
    }
    if !(Duration::from_secs(1)..=Duration::from_hours(1)).contains(&store.start_timeout) {
        found.push(problem("store.start_timeout", "must be from 1s to 1h"));
    }
    found
}
