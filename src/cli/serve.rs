//! `serve`: the HTTP server, from configuration.

use super::stop::StopSignals;
use crate::{
    app::{App, Parts},
    clock::Clock,
    config::{Config, Provider},
    telemetry::{self, Traces},
};
use anyhow::Result;
use jiff::Timestamp;
use std::{process::ExitCode, time::Duration};

/// How long sending the last spans may take.
const LAST_SPANS: Duration = Duration::from_secs(5);

pub(super) async fn run(config: Config) -> Result<ExitCode> {
    let signals = StopSignals::listen()?;
    let traces = telemetry::install(&config.log, &config.otlp)?;
    let served = serve(config, signals, traces.as_ref()).await;
    if let Some(traces) = traces {
        traces.finish(LAST_SPANS).await;
    }
    served
}

async fn serve(config: Config, signals: StopSignals, traces: Option<&Traces>) -> Result<ExitCode> {
    let (provider, limit) = (config.upstream.provider, config.health.watchdog);
    let results_until = config.log.results_until;
    let parts = Parts { spans: traces.map(Traces::counts).unwrap_or_default(), ..Parts::default() };
    let app = App::start(config, parts).await?;
    let _watchdog = app.watch(limit);
    warn(provider, results_until);
    introduce(&app);
    tokio::select! {
        () = signals.arrived() => tracing::info!("stopping: calls under way may finish"),
        failure = app.failure() => {
            app.stop().await;
            return Err(failure);
        }
    }
    let ended = app.stop().await;
    Ok(if ended { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where it serves.
fn introduce(app: &App) {
    tracing::info!(operations = %format!("http://{}", app.operations_address()), "serving metrics and health");
    tracing::info!(endpoint = app.endpoint(), "serving MCP");
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
