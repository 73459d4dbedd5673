//! `serve`: the HTTP server, from configuration.

use super::stop;
use crate::{
    app::{App, Parts},
    config::{Config, Provider},
    telemetry,
};
use anyhow::Result;
use std::process::ExitCode;

pub(super) async fn run(config: Config) -> Result<ExitCode> {
    telemetry::install_logging(&config.log);
    let (provider, has_key) = (config.upstream.provider, config.google.api_key.is_some());
    let app = App::start(config, Parts::default()).await?;
    match provider {
        Provider::Demo => tracing::warn!("serving synthetic demo data: invented places and reviews"),
        Provider::Google if !has_key => {
            tracing::warn!(
                "no Google API key is set, so every tool will say so: set google.api_key or GOOGLE_MAPS_API_KEY"
            );
        }
        Provider::Google => {}
    }
    tracing::info!(operations = %format!("http://{}", app.operations_address()), "serving metrics and health");
    tracing::info!(endpoint = app.endpoint(), "serving MCP");
    stop::requested().await?;
    tracing::info!("stopping: calls under way may finish");
    let ended = app.stop().await;
    tracing::info!("stopped");
    Ok(if ended { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
