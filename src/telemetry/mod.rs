//! What operators see: logs (here), instruments (`metrics`) and traces (`spans`, `traces`). Business code records, this
//! room decides the form.

mod connections;
mod ledger;
pub mod metrics;
mod outcomes;
pub mod spans;
mod traces;
mod watched;

pub use ledger::{Cost, Ledger, carried};
pub use metrics::Metrics;
pub use outcomes::{AuthFailure, CacheOutcome, IdempotencyOutcome, Limit};
pub use traces::{SpanCounts, Traces};

use crate::config::{Log, LogFormat, Otlp};
use std::io::{self, IsTerminal as _};
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, fmt, layer::SubscriberExt as _, registry::LookupSpan, util::SubscriberInitExt as _,
};

/// Libraries that print what callers send: rmcp ids and whole requests, the others addresses and headers. And our own
/// spans, which are for the collector.
const QUIET: &[&str] = &[
    "rmcp=off",
    "hyper=warn",
    "hyper_util=warn",
    "reqwest=warn",
    "h2=warn",
    "sqlx=warn",
    "opentelemetry=off",
    "google_reviews_mcp::telemetry::spans=off",
];

/// An exporter could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the exporter of metrics or traces could not be set up: {0}")]
pub struct SetUp(String);

/// Sends log lines to standard error: one JSON object a line, or a readable form on a terminal; and spans to a collector,
/// if one is named.
///
/// Installing twice in one process leaves the first in place, so that tests can share a process.
///
/// # Errors
/// [`SetUp`] when the exporter refuses its settings.
pub fn install(log: &Log, otlp: &Otlp) -> Result<Option<Traces>, SetUp> {
    let traces = otlp.traces.then(|| Traces::start(otlp)).transpose()?;
    let lines = tracing_subscriber::registry().with(lines(log));
    // No layer is something else than a layer that is none: that would have spans made for nobody.
    let installed = match &traces {
        Some(traces) => lines.with(traces.layer()).try_init(),
        None => lines.try_init(),
    };
    if installed.is_ok() {
        log_panics_without_their_text();
    }
    Ok(traces)
}

/// The same without a collector.
pub fn install_logging(log: &Log) {
    let _ = install(log, &Otlp::default());
}

fn lines<S>(settings: &Log) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let pretty = match settings.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Json => false,
        LogFormat::Pretty => true,
    };
    let lines = fmt::layer().with_writer(io::stderr).with_target(false);
    let lines =
        if pretty { lines.compact().boxed() } else { lines.json().flatten_event(true).with_span_list(false).boxed() };
    lines.with_filter(filter(&settings.level))
}

fn filter(level: &str) -> EnvFilter {
    let directives = format!("{level},{}", QUIET.join(","));
    EnvFilter::builder().parse_lossy(directives)
}

/// A panic message may hold whatever the code was looking at, so only its place is logged.
fn log_panics_without_their_text() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
        tracing::error!(place, "a task panicked");
    }));
}
