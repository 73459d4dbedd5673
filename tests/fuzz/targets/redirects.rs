//! Addresses to which answers of a sign-in go: two of them, a line each, the registered one and the one that is asked for.
//! What we take, a browser takes for the same place.
#![no_main]

use google_reviews_mcp::oauth::redirect::{fits, is_allowed, is_site, with_parameters, without_port};
use libfuzzer_sys::fuzz_target;
use url::Url;

const NEVER: [&str; 9] =
    ["javascript", "data", "file", "vbscript", "blob", "about", "view-source", "intent", "filesystem"];

fuzz_target!(|text: &str| {
    let (registered, asked) = text.split_once('\n').unwrap_or((text, text));
    for address in [registered, asked] {
        if is_allowed(address) {
            allowed(address);
        }
    }
    assert_eq!(fits(registered, asked), fits(asked, registered));
    if is_allowed(registered) {
        assert!(fits(registered, registered));
        if fits(registered, asked) {
            same_place(registered, asked);
        }
    }
});

fn allowed(address: &str) {
    let url = parsed(address);
    assert!(!NEVER.contains(&url.scheme()), "{address}");
    assert!(url.username().is_empty() && url.password().is_none(), "a user in {address}");
    assert!(url.fragment().is_none(), "a fragment in {address}");
    assert!(address.bytes().all(|byte| byte.is_ascii_graphic()), "{address}");
    match url.scheme() {
        "http" => assert!(matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")), "{address}"),
        "https" => {
            let host = url.host_str().expect("a site has a host");
            let rest = address.strip_prefix("https://").and_then(|rest| rest.strip_prefix(host)).expect("as written");
            assert!(rest.is_empty() || rest.starts_with(['/', '?', ':']), "{address} is not at {host}");
        }
        _ => {}
    }
    assert_eq!(is_site(address), url.scheme() == "https");
    answered(address, &url);
}

/// The answer goes to the same place, and brings its parameters.
fn answered(address: &str, url: &Url) {
    let added = [("code", "a b&c=d#e%\u{e9}"), ("iss", "https://reviews.example.com")];
    let answer = parsed(&with_parameters(address, &added));
    assert_eq!((answer.scheme(), answer.host_str()), (url.scheme(), url.host_str()));
    assert_eq!(answer.port(), url.port());
    assert!(answer.fragment().is_none());
    let pairs: Vec<_> = answer.query_pairs().collect();
    let last: Vec<_> = pairs.iter().rev().take(2).rev().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(last, added, "{answer}");
}

/// Only the port may be another, and only on the own machine.
fn same_place(registered: &str, asked: &str) {
    assert_eq!(without_port(registered), without_port(asked));
    let (one, other) = (parsed(registered), parsed(asked));
    assert_eq!((one.scheme(), one.host_str()), (other.scheme(), other.host_str()), "{registered} {asked}");
    assert_eq!((one.path(), one.query(), one.fragment()), (other.path(), other.query(), other.fragment()));
    assert!(other.username().is_empty() && other.password().is_none());
    assert!(one.scheme() == "http" || registered == asked);
}

fn parsed(address: &str) -> Url {
    Url::parse(address).unwrap_or_else(|error| panic!("{address}: {error}"))
}
