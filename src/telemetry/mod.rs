//! What operators see: logs (here) and instruments (`metrics`). Business code records, this room decides the form.

mod ledger;
pub mod metrics;
mod outcomes;

pub use ledger::{Cost, Ledger, carried};
pub use metrics::Metrics;
pub use outcomes::{CacheOutcome, IdempotencyOutcome};

use crate::config::{Log, LogFormat};
use std::io::{self, IsTerminal as _};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Libraries that print what callers send: rmcp ids and whole requests, the others addresses and headers.
const QUIET: &[&str] = &["rmcp=off", "hyper=warn", "hyper_util=warn", "reqwest=warn", "h2=warn", "sqlx=warn"];

/// Sends log lines to standard error: one JSON object a line, or a readable form on a terminal.
///
/// Installing twice in one process leaves the first in place, so that tests can share a process.
pub fn install_logging(settings: &Log) {
    let pretty = match settings.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Json => false,
        LogFormat::Pretty => true,
    };
    let lines = fmt::layer().with_writer(io::stderr).with_target(false);
    let installed = if pretty {
        tracing_subscriber::registry().with(filter(&settings.level)).with(lines.compact()).try_init()
    } else {
        let json = lines.json().flatten_event(true).with_span_list(false);
        tracing_subscriber::registry().with(filter(&settings.level)).with(json).try_init()
    };
    if installed.is_ok() {
        log_panics_without_their_text();
    }
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
