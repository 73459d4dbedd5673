//! Rules that look at more than the form of one value.

use super::{Config, Problem, Provider};
use std::{net::IpAddr, time::Duration};
use tracing_subscriber::EnvFilter;
use url::{Host, Url};

/// All rules that the configuration breaks.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut say = |key: &str, message: &str| found.push(Problem { key: key.to_owned(), message: message.to_owned() });

    for (key, address) in
        [("server.listen", config.server.listen), ("server.operations_listen", config.server.operations_listen)]
    {
        if !address.ip().is_loopback() {
            say(
                key,
                "must be a loopback address such as 127.0.0.1:8080: this version has no sign-in, so whoever reaches \
                 the listener could spend your Google quota",
            );
        }
    }
    if let Some(url) = &config.server.public_url {
        if !is_origin(url) {
            say("server.public_url", "must be an origin such as http://localhost:8080, without path, query or user");
        } else if !is_loopback(url) {
            say("server.public_url", "must name a loopback host: this version has no sign-in");
        }
    }
    if !is_origin(&config.google.places_url) {
        say("google.places_url", "must be an origin such as https://places.googleapis.com, without path or query");
    } else if config.google.places_url.scheme() != "https" && !is_loopback(&config.google.places_url) {
        say(
            "google.places_url",
            "must be https, because the API key travels with every request; plain http is for loopback only",
        );
    }
    for (key, duration) in [
        ("server.tool_timeout", config.server.tool_timeout),
        ("google.connect_timeout", config.google.connect_timeout),
        ("google.first_byte_timeout", config.google.first_byte_timeout),
        ("google.idle_timeout", config.google.idle_timeout),
        ("google.total_timeout", config.google.total_timeout),
    ] {
        if duration.is_zero() || duration > Duration::from_secs(120) {
            say(key, "must be longer than 0 and at most 120s");
        }
    }
    if config.server.max_request_bytes < 1024 {
        say("server.max_request_bytes", "must be at least 1024: a tool call is a few hundred bytes");
    }
    if config.upstream.provider == Provider::Google && config.google.max_answer_bytes < 65_536 {
        say("google.max_answer_bytes", "must be at least 65536: an answer with five reviews is about 20000");
    }
    if EnvFilter::builder().parse(&config.log.level).is_err() {
        say(
            "log.level",
            "must be error, warn, info, debug or trace, or directives such as info,google_reviews_mcp=debug",
        );
    }
    found
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

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}
