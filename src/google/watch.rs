//! Tells operators what each request to Google led to: metrics, the health check, and one log line for each new
//! kind of drift.

use super::{GoogleError, drift::Finding, mask::Sku};
use crate::{
    clock::Clock,
    health::Reporter,
    model::Failure,
    telemetry::{Metrics, spans},
};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tracing::Span;

/// More distinct findings than this are counted but no longer logged one by one.
const LOGGED_FINDINGS: usize = 1_000;

/// Observes every request.
#[derive(Debug)]
pub(super) struct Watch {
    metrics: Metrics,
    health: Reporter,
    logged: Mutex<HashSet<(&'static str, &'static str, String)>>,
}

impl Watch {
    pub(super) fn new(metrics: Metrics, health: Reporter) -> Self {
        Self { metrics, health, logged: Mutex::default() }
    }

    /// A request was answered with 2xx, which is what Google bills.
    pub(super) fn billed(&self, sku: Sku) {
        self.metrics.upstream_cost(sku.as_str(), sku.usd());
    }

    /// A request begins.
    pub(super) fn request<'a>(&'a self, endpoint: &'static str, clock: &'a Clock) -> Observed<'a> {
        let span = spans::google(endpoint);
        Observed { watch: self, endpoint, clock, span, started: clock.elapsed(), outcome: "cancelled" }
    }

    /// The health check was answered, after this time, or not.
    pub(super) fn probed(&self, outcome: Result<Duration, String>) {
        self.health.probed(outcome);
    }

    /// An answer differed from the published schema.
    pub(super) fn drift(&self, endpoint: &'static str, findings: &[Finding]) {
        for finding in findings {
            let kind = finding.kind.as_str();
            self.metrics.schema_drift(endpoint, kind);
            if self.is_new(endpoint, kind, &finding.path) {
                tracing::warn!(
                    endpoint,
                    kind,
                    path = finding.path,
                    "Google's answer differs from its published schema"
                );
            }
        }
    }

    fn is_new(&self, endpoint: &'static str, kind: &'static str, path: &str) -> bool {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.len() < LOGGED_FINDINGS && logged.insert((endpoint, kind, path.to_owned()))
    }
}

/// A request under way. Dropped before its end, it counts as cancelled.
pub(super) struct Observed<'a> {
    watch: &'a Watch,
    endpoint: &'static str,
    clock: &'a Clock,
    /// The span under which it is made.
    pub(super) span: Span,
    started: Duration,
    outcome: &'static str,
}

impl Observed<'_> {
    /// It ended, well or with an error.
    pub(super) fn ended(mut self, error: Option<&GoogleError>) {
        self.outcome = error.map_or("ok", |error| Failure::from(error.clone()).code.as_str());
        let (endpoint, outcome, health) = (self.endpoint, self.outcome, &self.watch.health);
        match error {
            // Google answered as it should: the fault lies in what was asked.
            None | Some(GoogleError::PlaceIdInvalid | GoogleError::PlaceObsolete | GoogleError::InvalidRequest) => {
                health.up();
            }
            Some(error) => {
                tracing::warn!(endpoint, outcome, %error, "request to Google failed");
                health.down(error.to_string());
            }
        }
    }
}

impl Drop for Observed<'_> {
    fn drop(&mut self) {
        let duration = self.clock.elapsed().saturating_sub(self.started);
        if self.outcome != "ok" {
            spans::failed(&self.span, self.outcome, None);
        }
        self.watch.metrics.upstream_request(self.endpoint, self.outcome, duration);
    }
}
