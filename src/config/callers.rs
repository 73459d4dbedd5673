//! Rules for who may call and how much: a server that others can reach must know its callers.

use super::{
    AuthMode, Config, Problem, Provider, Registration,
    check::{is_loopback, problem},
};
use secrecy::ExposeSecret as _;
use std::net::SocketAddr;
use url::Url;

const TOO_FEW_OR_MANY: &str = "must be from 1 to 1000000; limits.enabled = false sets no limit";
/// Shorter ones could be guessed.
const SHORTEST_TOKEN: usize = 32;
const ALGORITHMS: &[&str] = &["ES256", "ES384", "EdDSA", "RS256", "PS256"];

/// What of these rules the configuration breaks.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    [reach(config), invented(config), issuer(config), limits(config)].concat()
}

/// How much anybody may ask, and whose word on addresses is taken.
fn limits(config: &Config) -> Vec<Problem> {
    let limits = &config.limits;
    let counts = [
        ("limits.address_requests_a_minute", limits.address_requests_a_minute),
        ("limits.address_burst", limits.address_burst),
        ("limits.caller_requests_a_minute", limits.caller_requests_a_minute),
        ("limits.caller_burst", limits.caller_burst),
        ("limits.sign_ins_an_hour", limits.sign_ins_an_hour),
        ("limits.sign_in_burst", limits.sign_in_burst),
        ("limits.registrations_an_hour", limits.registrations_an_hour),
        ("limits.registration_burst", limits.registration_burst),
        ("limits.clients", limits.clients),
        ("limits.client_requests_a_minute", limits.client_requests_a_minute),
        ("limits.client_burst", limits.client_burst),
        ("limits.servers", limits.servers),
    ];
    let wrong = counts.into_iter().filter(|(_, count)| !(1..=1_000_000).contains(count));
    let mut found: Vec<_> = wrong.map(|(key, _)| problem(key, TOO_FEW_OR_MANY)).collect();
    let connections = [
        ("limits.connections", limits.connections),
        ("limits.connections_per_address", limits.connections_per_address),
    ];
    let wrong = connections.into_iter().filter(|(_, count)| !(1..=1_000_000).contains(count));
    found.extend(wrong.map(|(key, _)| problem(key, TOO_FEW_OR_MANY)));
    if config.server.trusted_proxies.iter().any(|network| network.prefix_len() == 0) {
        found.push(problem("server.trusted_proxies", "must not be everybody: whoever calls could choose an address"));
    }
    found
}

/// From where the server can be reached.
fn reach(config: &Config) -> Vec<Problem> {
    let (auth, server) = (&config.auth, &config.server);
    let mut found = Vec::new();
    if auth.mode == AuthMode::None {
        let listeners = [("server.listen", server.listen), ("server.operations_listen", server.operations_listen)];
        let is_own = |address: &SocketAddr| address.ip().is_loopback() || auth.none_is_published_on_loopback;
        for (key, _) in listeners.iter().filter(|(_, address)| !is_own(address)) {
            found.push(problem(
                key,
                "must be a loopback address such as 127.0.0.1:8080 while auth.mode is none: whoever reaches the listener could \
                 spend your Google quota; set auth.mode, or, if the port is published on 127.0.0.1 only, \
                 auth.none_is_published_on_loopback",
            ));
        }
        if server.public_url.as_ref().is_some_and(|url| !is_loopback(url)) {
            found
                .push(problem("server.public_url", "must name a loopback host while auth.mode is none: set auth.mode"));
        }
    } else if !server.listen.ip().is_loopback() && server.public_url.is_none() {
        found.push(problem(
            "server.public_url",
            "must be set when server.listen is not loopback: it is what clients connect to and tokens are for",
        ));
    }
    found
}

/// Demo data is for whoever tries the program, and not for strangers, who would take it for true.
fn invented(config: &Config) -> Vec<Problem> {
    let is_public = config.server.public_url.as_ref().is_some_and(|url| !is_loopback(url));
    if config.upstream.provider != Provider::Demo || !is_public {
        return Vec::new();
    }
    vec![problem(
        "upstream.provider",
        "must be google while server.public_url is not a loopback address: strangers would take invented places for real ones",
    )]
}

/// Whose tokens are taken.
fn issuer(config: &Config) -> Vec<Problem> {
    let auth = &config.auth;
    let mut found = Vec::new();
    match &auth.issuer {
        Some(_) if auth.mode != AuthMode::Oauth => {
            found.push(problem("auth.issuer", "is used with auth.mode oauth only: set that, or leave it empty"));
        }
        Some(issuer) if !is_issuer(issuer) => found.push(problem(
            "auth.issuer",
            "must be an https address without query, exactly as in `iss`; plain http is for loopback only",
        )),
        _ => {}
    }
    let is_long = auth.registration_token.as_ref().is_some_and(|token| token.expose_secret().len() >= SHORTEST_TOKEN);
    if auth.registration == Registration::Token && !is_long {
        found.push(problem(
            "auth.registration_token",
            "must be set with auth.registration token, to at least 32 letters: `openssl rand -hex 32` makes one",
        ));
    }
    if auth.registration != Registration::Token && auth.registration_token.is_some() {
        let unused = "is used with auth.registration token only: set that, or leave it empty";
        found.push(problem("auth.registration_token", unused));
    }
    if !auth.allowed_client_hosts.iter().all(|host| is_host(host)) {
        found.push(problem(
            "auth.allowed_client_hosts",
            "must be names of hosts in small letters such as claude.ai, with spaces between them, without https:// and port",
        ));
    }
    let is_known = |name: &String| ALGORITHMS.contains(&name.as_str());
    if auth.algorithms.is_empty() || !auth.algorithms.iter().all(is_known) {
        found.push(problem(
            "auth.algorithms",
            "must be some of ES256 ES384 EdDSA RS256 PS256, with spaces between them",
        ));
    }
    found
}

fn is_host(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let is_name = text.contains('.') && text.bytes().all(is_plain);
    is_name && Url::parse(&format!("https://{text}/")).is_ok_and(|url| url.domain() == Some(text))
}

/// Whether it can be the name of an issuer.
pub(super) fn is_issuer(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        is_safe && url.query().is_none() && url.fragment().is_none() && url.username().is_empty()
    })
}
