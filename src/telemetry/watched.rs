//! Figures that are not recorded but looked at, whenever somebody reads the page of metrics.

use super::{Metrics, SpanCounts};
use opentelemetry::{KeyValue, metrics::AsyncInstrument};

impl Metrics {
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

    /// Shows as `signing_key_age_seconds` what `read` tells, in seconds; nothing while there is no key.
    pub fn watch_signing_key(&self, read: impl Fn() -> Option<f64> + Send + Sync + 'static) {
        let help = "How long the key has signed access tokens that signs now.";
        let meter = self.meter();
        let gauge = meter.f64_observable_gauge("signing.key.age").with_unit("s").with_description(help);
        let observe = move |gauge: &dyn AsyncInstrument<f64>| {
            if let Some(age) = read() {
                gauge.observe(age, &[]);
            }
        };
        gauge.with_callback(observe).build();
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
}
