//! A log of the requests that were seen, for tests and for whoever wants to see what a tool call costs.

use crate::clock::Clock;
use http::{HeaderMap, Method, Uri};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// Older requests are forgotten.
const REMEMBERED: usize = 10_000;

/// One request as it arrived; the value of the key is left out, in the header and in the URL.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SeenRequest {
    pub(super) at: String,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Value,
    pub(super) outcome: Outcome,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// No answer yet.
    Pending,
    /// The answer was handed over.
    Answered,
    /// The caller went away before.
    Abandoned,
}

/// The requests in the order of their arrival.
#[derive(Debug)]
pub(super) struct RequestLog {
    clock: Clock,
    seen: Mutex<(u64, VecDeque<(u64, SeenRequest)>)>,
}

impl RequestLog {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, seen: Mutex::default() }
    }

    /// Notes a request and returns its number.
    pub(super) fn note(&self, method: &Method, url: &Uri, headers: &HeaderMap, body: &[u8]) -> u64 {
        let shown = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            let value = if name == "x-goog-api-key" { "[key]" } else { value.to_str().unwrap_or("[binary]") };
            (name.as_str().to_owned(), value.to_owned())
        };
        let request = SeenRequest {
            at: self.clock.now().to_string(),
            method: method.to_string(),
            url: without_key(url),
            headers: headers.iter().map(shown).collect(),
            body: serde_json::from_slice(body).unwrap_or_default(),
            outcome: Outcome::Pending,
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.0 += 1;
        let number = seen.0;
        if seen.1.len() == REMEMBERED {
            seen.1.pop_front();
        }
        seen.1.push_back((number, request));
        number
    }

    /// Notes what became of the request with this number.
    pub(super) fn close(&self, number: u64, outcome: Outcome) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, request)) = seen.1.iter_mut().rev().find(|(known, _)| *known == number) {
            request.outcome = outcome;
        }
    }

    pub(super) fn all(&self) -> Vec<SeenRequest> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.1.iter().map(|(_, request)| request.clone()).collect()
    }

    pub(super) fn forget(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).1.clear();
    }
}

fn without_key(url: &Uri) -> String {
    let Some(query) = url.query() else { return url.to_string() };
    let shown = |pair: &str| if pair.starts_with("key=") { "key=[key]".to_owned() } else { pair.to_owned() };
    format!("{}?{}", url.path(), query.split('&').map(shown).collect::<Vec<_>>().join("&"))
}
