//! `migrate`: brings the schema of the configured database up to date, and says to which version.

use super::output::say;
use crate::{app, config::Config, telemetry};
use anyhow::Result;
use std::process::ExitCode;

pub(super) async fn run(config: Config) -> Result<ExitCode> {
    telemetry::install_logging(&config.log);
    let applied = app::migrate(&config).await?;
    say(&match applied.steps {
        0 => format!("The schema is at version {}: nothing to do.", applied.version),
        1 => format!("Applied 1 step: the schema is at version {}.", applied.version),
        steps => format!("Applied {steps} steps: the schema is at version {}.", applied.version),
    });
    Ok(ExitCode::SUCCESS)
}
