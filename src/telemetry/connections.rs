//! Figures of the listeners' connections.

use super::Metrics;
use opentelemetry::{KeyValue, metrics::AsyncInstrument};

impl Metrics {
    /// Shows as `http_connections` and `http_connections_refused_total` what these tell of a listener: how many
    /// connections it has, and how many it refused, by reason.
    pub fn watch_connections(
        &self,
        listener: &'static str,
        taken: impl Fn() -> usize + Send + Sync + 'static,
        refused: impl Fn() -> [(&'static str, u64); 2] + Send + Sync + 'static,
    ) {
        let meter = self.meter();
        let gauge = meter.u64_observable_gauge("http.connections").with_description("Open connections by listener.");
        let observe = move |gauge: &dyn AsyncInstrument<u64>| {
            gauge.observe(taken() as u64, &[KeyValue::new("listener", listener)]);
        };
        gauge.with_callback(observe).build();
        let help = "Connections refused: the listener was full, or the address had as many as it may.";
        let counter = meter.u64_observable_counter("http.connections.refused").with_description(help);
        let observe = move |counter: &dyn AsyncInstrument<u64>| {
            for (reason, count) in refused() {
                counter.observe(count, &[KeyValue::new("listener", listener), KeyValue::new("reason", reason)]);
            }
        };
        counter.with_callback(observe).build();
    }
}
