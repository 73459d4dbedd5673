//! Tells operators what each request to Google led to: metrics, the health check, and one log line for each new
//! kind of drift.

use super::{GoogleError, drift::Finding, mask::Sku};
use crate::{health::Reporter, model::Failure, telemetry::Metrics};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

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

    /// A request ended.
    pub(super) fn ended(&self, endpoint: &'static str, duration: Duration, error: Option<&GoogleError>) {
        let outcome = error.map_or("ok", |error| Failure::from(error.clone()).code.as_str());
        self.metrics.upstream_request(endpoint, outcome, duration);
        match error {
            // Google answered as it should: the fault lies in what was asked.
            None | Some(GoogleError::PlaceIdInvalid | GoogleError::PlaceObsolete | GoogleError::InvalidRequest) => {
                self.health.up();
            }
            Some(error) => {
                tracing::warn!(endpoint, outcome, %error, "request to Google failed");
                self.health.down(error.to_string());
            }
        }
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
