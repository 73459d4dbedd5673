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
    let about_the_source = notice(&config);
    let app = App::start(config, Parts::default()).await?;
    if let Some(notice) = about_the_source {
        tracing::warn!("{notice}");
    }
    tracing::info!(operations = %format!("http://{}", app.operations_address()), "serving metrics and health");
    tracing::info!(endpoint = app.endpoint(), "serving MCP");
    signals.arrived().await;
    tracing::info!("stopping: calls under way may finish");
    let ended = app.stop().await;
    Ok(if ended { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the operator should know about where reviews come from.
fn notice(config: &Config) -> Option<&'static str> {
    match config.upstream.provider {
        Provider::Demo => Some("serving synthetic demo data: invented places and reviews"),
        Provider::Google if config.google.api_key.is_none() => {
            Some("no Google API key is set, so every tool will say so: set google.api_key or GOOGLE_MAPS_API_KEY")
        }
        Provider::Google => None,
    }
}
