//! `serve`: the HTTP server, from configuration.

use super::{output::say, stop::StopSignals};
use crate::{
    app::{self, App, Parts},
    clock::Clock,
    config::{Config, Provider},
    telemetry::{self, Traces},
};
use anyhow::Result;
use jiff::Timestamp;
use std::{process::ExitCode, time::Duration};

/// How long work that was begun may take to end when the start is broken off.
const LAST_STEPS: Duration = Duration::from_secs(2);
/// How long sending the last spans may take.
const LAST_SPANS: Duration = Duration::from_secs(5);

pub(super) async fn run(config: Config) -> Result<ExitCode> {
    let mut signals = StopSignals::listen()?;
    let traces = telemetry::install(&config.log, &config.otlp)?;
    app::raise_open_files();
    let served = serve(config, &mut signals, traces.as_ref()).await;
    if let Some(traces) = traces {
        signals.unless_asked_again(traces.finish(LAST_SPANS)).await;
    }
    served
}

async fn serve(config: Config, signals: &mut StopSignals, traces: Option<&Traces>) -> Result<ExitCode> {
    let (provider, limit) = (config.upstream.provider, config.health.watchdog);
    let results_until = config.log.results_until;
    let parts = Parts { spans: traces.map(Traces::counts).unwrap_or_default(), ..Parts::default() };
    let tasks = parts.tasks.clone();
    let app = tokio::select! {
        started = App::start(config, parts) => started?,
        () = signals.arrived() => {
            tracing::info!("stopping: asked to before it served");
            signals.unless_asked_again(tasks.stop(LAST_STEPS)).await;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let _watchdog = app.watch(limit);
    warn(provider, results_until);
    introduce(&app);
    let failure = tokio::select! {
        () = signals.arrived() => None,
        failure = failure(&app) => Some(failure),
    };
    let ended = signals.unless_asked_again(app.stop()).await;
    match failure {
        Some(failure) => Err(failure),
        None if ended => Ok(ExitCode::SUCCESS),
        None => Ok(ExitCode::FAILURE),
    }
}

/// Invites the first person, once the database is open, and returns why the server cannot go on, if that comes to pass.
async fn failure(app: &App) -> anyhow::Error {
    let inviting = async {
        match app.first_link().await {
            Ok(Some(link)) => invite(&link),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "no setup link could be made: `user link` makes one"),
        }
    };
    tokio::select! {
        failure = app.failure() => failure,
        () = inviting => app.failure().await,
    }
}

/// On standard output, and not in the log: whoever has the link becomes the first person.
fn invite(link: &str) {
    say(&format!(
        "Nobody can sign in yet. Open this link within a day and choose a name and a password; it works once, the \
         newest counts, and \"user link\" makes another:\n\n  {link}\n"
    ));
}

/// Where it serves, and last what to connect to.
fn introduce(app: &App) {
    tracing::info!(operations = %format!("http://{}", app.operations_address()), "serving metrics and health");
    tracing::info!(endpoint = app.endpoint(), "serving MCP");
    tracing::info!(url = app.public_endpoint(), "clients connect to this address");
}

/// What is not as usual.
fn warn(provider: Provider, results_until: Option<Timestamp>) {
    if matches!(provider, Provider::Demo) {
        tracing::warn!("serving synthetic demo data: invented places and reviews");
    }
    if let Some(until) = results_until.filter(|until| *until > Clock::system().now()) {
        tracing::warn!(%until, "the results of tool calls are logged, with what reviewers wrote (log.results_until)");
    }
}
