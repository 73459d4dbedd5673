//! Every instrument of the server, in one struct. Recorded with OpenTelemetry, read by Prometheus from `/metrics`.
//!
//! The exporter turns `mcp.tool.duration` with unit `s` into `mcp_tool_duration_seconds`, and adds `_total` to
//! counters. Label values come from enums or from our own lists, never from input, so that the number of series is
//! bounded whatever callers send.

use super::{
    SetUp, ledger,
    outcomes::{AuthFailure, CacheOutcome, IdempotencyOutcome, Limit},
    spans::Subject,
    traces::resource,
};
use crate::{
    config::Otlp,
    model::{Code, Failure, Tier},
};
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter, MeterProvider as _},
};
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Encoder as _, Registry, TextEncoder, process_collector::ProcessCollector};
use std::{sync::Arc, time::Duration};

/// Buckets in seconds of OpenTelemetry's convention for MCP durations.
const MCP_SECONDS: &[f64] = &[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
/// Finer at the low end: a cached answer takes well under a millisecond.
const TOOL_SECONDS: &[f64] =
    &[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The instruments. Clones share them.
#[derive(Clone)]
pub struct Metrics(Arc<Instruments>);

struct Instruments {
    registry: Registry,
    provider: SdkMeterProvider,
    tool_calls: Counter<u64>,
    tool_duration: Histogram<f64>,
    tool_errors: Counter<u64>,
    operation_duration: Histogram<f64>,
    upstream_duration: Histogram<f64>,
    schema_drift: Counter<u64>,
    cost: Counter<f64>,
    cache_requests: Counter<u64>,
    idempotent_requests: Counter<u64>,
    task_restarts: Counter<u64>,
    auth_failures: Counter<u64>,
    rate_limited: Counter<u64>,
    refresh_reuse: Counter<u64>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Makes all instruments, in a registry of their own.
    ///
    /// # Errors
    /// [`SetUp`] when the exporter refuses its own settings.
    pub fn new() -> Result<Self, SetUp> {
        Self::sent(&Otlp::default())
    }

    /// The same, and sends their figures to a collector from time to time, if one is named.
    ///
    /// # Errors
    /// [`SetUp`] when an exporter refuses its settings.
    pub fn sent(otlp: &Otlp) -> Result<Self, SetUp> {
        let registry = Registry::new();
        // CPU time, memory, open files, start: the names are those that every Prometheus client has.
        registry.register(Box::new(ProcessCollector::for_self())).map_err(|error| SetUp(error.to_string()))?;
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .without_target_info()
            .build()
            .map_err(|error| SetUp(error.to_string()))?;
        let mut provider = SdkMeterProvider::builder().with_reader(exporter).with_resource(resource(otlp));
        if otlp.metrics {
            let collector = MetricExporter::builder().with_http().build();
            provider = provider.with_periodic_exporter(collector.map_err(|error| SetUp(error.to_string()))?);
        }
        let provider = provider.build();
        let meter = provider.meter(env!("CARGO_PKG_NAME"));
        let seconds = |name: &'static str, help: &'static str, buckets: &[f64]| seconds(&meter, name, help, buckets);
        let refresh_reuse = counter(&meter, "refresh.reuse", "Refresh tokens that were used again after their time.");
        // Its first event must be seen as a change.
        refresh_reuse.add(0, &[]);
        Ok(Self(Arc::new(Instruments {
            tool_calls: counter(&meter, "mcp.tool.calls", "Tool calls by tool and status (ok, error or cancelled)."),
            tool_duration: seconds("mcp.tool.duration", "Duration of tool calls.", TOOL_SECONDS),
            tool_errors: counter(&meter, "mcp.tool.errors", "Failed tool calls by tool and tier."),
            operation_duration: seconds("mcp.server.operation.duration", "Duration of MCP requests.", MCP_SECONDS),
            upstream_duration: seconds("upstream.request.duration", "Duration of requests to Google.", MCP_SECONDS),
            schema_drift: counter(
                &meter,
                "upstream.schema.drift",
                "Findings in Google's answers that its published schema does not name or that have another type.",
            ),
            cache_requests: counter(&meter, "cache.requests", "Requests to the cache by tier and outcome."),
            auth_failures: counter(
                &meter,
                "mcp.auth.failures",
                "Requests refused for want of a caller or a permission.",
            ),
            rate_limited: counter(&meter, "rate.limited", "Requests beyond the limit of an address or a caller."),
            refresh_reuse,
            task_restarts: counter(&meter, "background.restarts", "Background work that died and was started again."),
            idempotent_requests: counter(&meter, "idempotent.requests", "Writing calls by what came of them."),
            cost: meter
                .f64_counter("upstream.cost.usd")
                .with_description("Estimated cost at Google's list prices, before free calls.")
                .build(),
            registry,
            provider,
        })))
    }

    /// Sends the last figures to the collector, for at most `limit`.
    pub async fn finish(&self, limit: Duration) {
        let provider = self.0.provider.clone();
        // It blocks, and a collector that hangs must not hold up the end of the process.
        let last = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(limit));
        let _ = tokio::time::timeout(limit, last).await;
    }

    pub(super) fn meter(&self) -> Meter {
        self.0.provider.meter(env!("CARGO_PKG_NAME"))
    }

    /// A tier of the cache was asked, or given something.
    pub fn cache(&self, tier: &'static str, outcome: CacheOutcome) {
        self.0.cache_requests.add(1, &[KeyValue::new("tier", tier), KeyValue::new("outcome", outcome.as_str())]);
        if outcome == CacheOutcome::Hit {
            ledger::cache(true);
        }
    }

    /// Background work died and is started again.
    pub fn task_restarted(&self, task: &'static str) {
        self.0.task_restarts.add(1, &[KeyValue::new("task", task)]);
    }

    /// A request was refused for want of a caller, or of a permission.
    pub fn auth_failure(&self, reason: AuthFailure) {
        self.0.auth_failures.add(1, &[KeyValue::new("reason", reason.as_str())]);
    }

    /// A request was beyond a limit.
    pub fn rate_limited(&self, limit: Limit) {
        self.0.rate_limited.add(1, &[KeyValue::new("limit", limit.as_str())]);
    }

    /// A refresh token was used again that had been replaced: somebody else may have it.
    pub fn refresh_reuse(&self) {
        self.0.refresh_reuse.add(1, &[]);
    }

    /// No tier of the cache had a value: it has to be asked for.
    pub fn cache_missed(&self) {
        ledger::cache(false);
    }

    /// A writing call was answered.
    pub fn idempotent_request(&self, outcome: IdempotencyOutcome) {
        self.0.idempotent_requests.add(1, &[KeyValue::new("outcome", outcome.as_str())]);
    }

    /// Callers must be known, and are limited: the figures of those who are refused begin at zero, for the same reason as
    /// those of [`Metrics::tool_offered`].
    pub fn callers_guarded(&self) {
        for reason in AuthFailure::ALL {
            self.0.auth_failures.add(0, &[KeyValue::new("reason", reason.as_str())]);
        }
        for limit in Limit::ALL {
            self.0.rate_limited.add(0, &[KeyValue::new("limit", limit.as_str())]);
        }
    }

    /// There is such a tool: its figures begin at zero, because Prometheus sees no change in a series that is born with
    /// its first value.
    pub fn tool_offered(&self, tool: &'static str) {
        for status in ["ok", "error", "cancelled"] {
            self.0.tool_calls.add(0, &[KeyValue::new("tool", tool), KeyValue::new("status", status)]);
        }
        for tier in [Tier::Client, Tier::Server, Tier::Dependency] {
            self.0.tool_errors.add(0, &[KeyValue::new("tool", tool), KeyValue::new("tier", tier.as_str())]);
        }
    }

    /// One tool call ended.
    pub fn tool_call(&self, tool: &'static str, duration: Duration, failure: Option<&Failure>) {
        let status = match failure.map(|failure| failure.code) {
            None => "ok",
            // Nobody failed: the client went away.
            Some(Code::Cancelled) => "cancelled",
            Some(_) => "error",
        };
        let tool = KeyValue::new("tool", tool);
        self.0.tool_calls.add(1, &[tool.clone(), KeyValue::new("status", status)]);
        self.0.tool_duration.record(duration.as_secs_f64(), std::slice::from_ref(&tool));
        if let Some(failure) = failure.filter(|_| status == "error") {
            self.0.tool_errors.add(1, &[tool, KeyValue::new("tier", failure.code.class().0.as_str())]);
        }
    }

    /// One MCP request was answered. `error_type` is a JSON-RPC code or `tool_error`.
    pub fn operation(
        &self,
        method: &'static str,
        subject: Subject,
        duration: Duration,
        error_type: Option<&'static str>,
    ) {
        let mut labels = vec![KeyValue::new("mcp.method.name", method)];
        labels.extend(subject.tool().map(|tool| KeyValue::new("gen_ai.tool.name", tool)));
        labels.extend(subject.prompt().map(|prompt| KeyValue::new("gen_ai.prompt.name", prompt)));
        labels.extend(error_type.map(|error| KeyValue::new("error.type", error)));
        self.0.operation_duration.record(duration.as_secs_f64(), &labels);
    }

    /// One request to Google ended.
    pub fn upstream_request(&self, endpoint: &'static str, outcome: &'static str, duration: Duration) {
        ledger::upstream_call();
        self.0.upstream_duration.record(
            duration.as_secs_f64(),
            &[KeyValue::new("api", "places"), KeyValue::new("endpoint", endpoint), KeyValue::new("outcome", outcome)],
        );
    }

    /// Google's answer differed from its published schema.
    pub fn schema_drift(&self, endpoint: &'static str, kind: &'static str) {
        self.0.schema_drift.add(1, &[KeyValue::new("endpoint", endpoint), KeyValue::new("kind", kind)]);
    }

    /// A request was answered that Google bills.
    pub fn upstream_cost(&self, sku: &'static str, usd: f64) {
        ledger::billed(usd);
        self.0.cost.add(usd, &[KeyValue::new("sku", sku)]);
    }

    /// All figures in Prometheus' text format.
    ///
    /// # Errors
    /// [`SetUp`] when the figures cannot be encoded.
    pub fn render(&self) -> Result<String, SetUp> {
        let mut page = Vec::new();
        TextEncoder::new().encode(&self.0.registry.gather(), &mut page).map_err(|error| SetUp(error.to_string()))?;
        String::from_utf8(page).map_err(|error| SetUp(error.to_string()))
    }
}

fn counter(meter: &Meter, name: &'static str, help: &'static str) -> Counter<u64> {
    meter.u64_counter(name).with_description(help).build()
}

fn seconds(meter: &Meter, name: &'static str, help: &'static str, buckets: &[f64]) -> Histogram<f64> {
    meter.f64_histogram(name).with_description(help).with_unit("s").with_boundaries(buckets.to_vec()).build()
}
