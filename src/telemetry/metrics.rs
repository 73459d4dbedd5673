//! Every instrument of the server, in one struct. Recorded with OpenTelemetry, read by Prometheus from `/metrics`.
//!
//! The exporter turns `mcp.tool.duration` with unit `s` into `mcp_tool_duration_seconds`, and adds `_total` to
//! counters. Label values come from enums or from our own lists, never from input, so that the number of series is
//! bounded whatever callers send.

use super::{
    SetUp, SpanCounts, ledger,
    outcomes::{CacheOutcome, IdempotencyOutcome},
    traces::resource,
};
use crate::{
    config::Otlp,
    model::{Code, Failure, Tier},
};
use opentelemetry::{
    KeyValue,
    metrics::{AsyncInstrument, Counter, Histogram, Meter, MeterProvider as _},
};
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Encoder as _, Registry, TextEncoder, process_collector::ProcessCollector};
use std::time::Duration;

/// Buckets in seconds of OpenTelemetry's convention for MCP durations.
const MCP_SECONDS: &[f64] = &[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
/// Finer at the low end: a cached answer takes well under a millisecond.
const TOOL_SECONDS: &[f64] =
    &[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The instruments. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
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
        Ok(Self {
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
            task_restarts: counter(&meter, "background.restarts", "Background work that died and was started again."),
            idempotent_requests: counter(&meter, "idempotent.requests", "Writing calls by what came of them."),
            cost: meter
                .f64_counter("upstream.cost.usd")
                .with_description("Estimated cost at Google's list prices, before free calls.")
                .build(),
            registry,
            provider,
        })
    }

    /// Shows as `dependency_up` what `read` tells: the name of each dependency, and whether it works.
    pub fn watch_dependencies(&self, read: impl Fn() -> Vec<(&'static str, bool)> + Send + Sync + 'static) {
        let read = move || read().into_iter().map(|(name, is_up)| (name, if is_up { 1.0 } else { 0.0 })).collect();
        self.watch("dependency.up", "1 while a dependency works as far as is known, else 0.", "dependency", read);
    }

    /// Shows as `circuit_breaker_state` what `read` tells: 0 closed, 1 half open, 2 open.
    pub fn watch_breakers(&self, read: impl Fn() -> Vec<(&'static str, f64)> + Send + Sync + 'static) {
        let help = "0 closed, 1 half open, 2 open; the worst of a dependency's endpoints.";
        self.watch("circuit.breaker.state", help, "dependency", read);
    }

    /// Shows as `upstream_budget_used_ratio` what `read` tells.
    pub fn watch_budget(&self, read: impl Fn() -> f64 + Send + Sync + 'static) {
        let help = "Today's spend at Google as a part of the nearer limit.";
        let meter = self.meter();
        let gauge = meter.f64_observable_gauge("upstream.budget.used.ratio").with_description(help);
        gauge.with_callback(move |gauge| gauge.observe(read(), &[])).build();
    }

    /// Shows as `mcp_active_sessions` what `read` tells.
    pub fn watch_sessions(&self, read: impl Fn() -> usize + Send + Sync + 'static) {
        let help = "Distinct pairs of caller and client that were heard of in the last five minutes.";
        let meter = self.meter();
        let gauge = meter.u64_observable_gauge("mcp.active.sessions").with_description(help);
        gauge.with_callback(move |gauge| gauge.observe(read() as u64, &[])).build();
    }

    /// Shows as `trace_spans_total` what became of the spans of traces.
    pub fn watch_spans(&self, counts: SpanCounts) {
        let help =
            "Spans by what became of them: delivered to the collector, failed there, or dropped for want of room.";
        let meter = self.meter();
        let counter = meter.u64_observable_counter("trace.spans").with_description(help);
        let observe = move |counter: &dyn AsyncInstrument<u64>| {
            for (outcome, count) in counts.read() {
                counter.observe(count, &[KeyValue::new("outcome", outcome)]);
            }
        };
        counter.with_callback(observe).build();
    }

    /// Sends the last figures to the collector, for at most `limit`.
    pub async fn finish(&self, limit: Duration) {
        let provider = self.provider.clone();
        // It blocks, and a collector that hangs must not hold up the end of the process.
        let last = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(limit));
        let _ = tokio::time::timeout(limit, last).await;
    }

    /// Shows the figures of the asynchronous runtime: tasks that are alive, and tasks that wait for a thread.
    pub fn watch_runtime(&self, runtime: tokio::runtime::Handle) {
        let read = move || {
            let figures = runtime.metrics();
            let numbers = [("alive", figures.num_alive_tasks()), ("waiting", figures.global_queue_depth())];
            numbers.map(|(state, tasks)| (state, f64::from(u32::try_from(tasks).unwrap_or(u32::MAX)))).to_vec()
        };
        self.watch("runtime.tasks", "Tasks of the asynchronous runtime, alive or waiting for a thread.", "state", read);
    }

    fn watch(
        &self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        read: impl Fn() -> Vec<(&'static str, f64)> + Send + Sync + 'static,
    ) {
        let meter = self.meter();
        let gauge = meter.f64_observable_gauge(name).with_description(help);
        let observe = move |gauge: &dyn AsyncInstrument<f64>| {
            for (value_of_label, value) in read() {
                gauge.observe(value, &[KeyValue::new(label, value_of_label)]);
            }
        };
        gauge.with_callback(observe).build();
    }

    pub(super) fn meter(&self) -> Meter {
        self.provider.meter(env!("CARGO_PKG_NAME"))
    }

    /// A tier of the cache was asked, or given something.
    pub fn cache(&self, tier: &'static str, outcome: CacheOutcome) {
        self.cache_requests.add(1, &[KeyValue::new("tier", tier), KeyValue::new("outcome", outcome.as_str())]);
        if outcome == CacheOutcome::Hit {
            ledger::cache(true);
        }
    }

    /// Background work died and is started again.
    pub fn task_restarted(&self, task: &'static str) {
        self.task_restarts.add(1, &[KeyValue::new("task", task)]);
    }

    /// No tier of the cache had a value: it has to be asked for.
    pub fn cache_missed(&self) {
        ledger::cache(false);
    }

    /// A writing call was answered.
    pub fn idempotent_request(&self, outcome: IdempotencyOutcome) {
        self.idempotent_requests.add(1, &[KeyValue::new("outcome", outcome.as_str())]);
    }

    /// There is such a tool: its figures begin at zero, because Prometheus sees no change in a series that is born with
    /// its first value.
    pub fn tool_offered(&self, tool: &'static str) {
        for status in ["ok", "error", "cancelled"] {
            self.tool_calls.add(0, &[KeyValue::new("tool", tool), KeyValue::new("status", status)]);
        }
        for tier in [Tier::Client, Tier::Server, Tier::Dependency] {
            self.tool_errors.add(0, &[KeyValue::new("tool", tool), KeyValue::new("tier", tier.as_str())]);
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
        self.tool_calls.add(1, &[tool.clone(), KeyValue::new("status", status)]);
        self.tool_duration.record(duration.as_secs_f64(), std::slice::from_ref(&tool));
        if let Some(failure) = failure.filter(|_| status == "error") {
            self.tool_errors.add(1, &[tool, KeyValue::new("tier", failure.code.class().0.as_str())]);
        }
    }

    /// One MCP request was answered. `error_type` is a JSON-RPC code or `tool_error`.
    pub fn operation(
        &self,
        method: &'static str,
        tool: Option<&'static str>,
        duration: Duration,
        error_type: Option<&'static str>,
    ) {
        let mut labels = vec![KeyValue::new("mcp.method.name", method)];
        labels.extend(tool.map(|tool| KeyValue::new("gen_ai.tool.name", tool)));
        labels.extend(error_type.map(|error| KeyValue::new("error.type", error)));
        self.operation_duration.record(duration.as_secs_f64(), &labels);
    }

    /// One request to Google ended.
    pub fn upstream_request(&self, endpoint: &'static str, outcome: &'static str, duration: Duration) {
        ledger::upstream_call();
        self.upstream_duration.record(
            duration.as_secs_f64(),
            &[KeyValue::new("api", "places"), KeyValue::new("endpoint", endpoint), KeyValue::new("outcome", outcome)],
        );
    }

    /// Google's answer differed from its published schema.
    pub fn schema_drift(&self, endpoint: &'static str, kind: &'static str) {
        self.schema_drift.add(1, &[KeyValue::new("endpoint", endpoint), KeyValue::new("kind", kind)]);
    }

    /// A request was answered that Google bills.
    pub fn upstream_cost(&self, sku: &'static str, usd: f64) {
        ledger::billed(usd);
        self.cost.add(usd, &[KeyValue::new("sku", sku)]);
    }

    /// All figures in Prometheus' text format.
    ///
    /// # Errors
    /// [`SetUp`] when the figures cannot be encoded.
    pub fn render(&self) -> Result<String, SetUp> {
        let mut page = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut page).map_err(|error| SetUp(error.to_string()))?;
        String::from_utf8(page).map_err(|error| SetUp(error.to_string()))
    }
}

fn counter(meter: &Meter, name: &'static str, help: &'static str) -> Counter<u64> {
    meter.u64_counter(name).with_description(help).build()
}

fn seconds(meter: &Meter, name: &'static str, help: &'static str, buckets: &[f64]) -> Histogram<f64> {
    meter.f64_histogram(name).with_description(help).with_unit("s").with_boundaries(buckets.to_vec()).build()
}
