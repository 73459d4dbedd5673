//! `serve`: the HTTP server, from configuration.

use super::stop::StopSignals;
use crate::{
    app::{App, Parts},
    config::{Config, Provider},
    telemetry,
};
use anyhow::Result;
use std::process::ExitCode;

pub(super) async fn run(config: Config) -> Result<ExitCode> {
    let signals = StopSignals::listen()?;
    telemetry::install_logging(&config.log);
    let (provider, limit) = (config.upstream.provider, config.health.watchdog);
    let app = App::start(config, Parts::default()).await?;
    let _watchdog = app.watch(limit);
    introduce(&app, provider);
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

/// Where it serves, and what.
fn introduce(app: &App, provider: Provider) {
    if matches!(provider, Provider::Demo) {
        tracing::warn!("serving synthetic demo data: invented places and reviews");
    }
    tracing::info!(operations = %format!("http://{}", app.operations_address()), "serving metrics and health");
    tracing::info!(endpoint = app.endpoint(), "serving MCP");
}
