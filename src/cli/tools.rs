//! `tools`: all tool definitions as JSON, as `tools/list` gives them.

use super::output::say;
use crate::{
    app,
    config::{self, Sources},
};
use anyhow::Result;
use std::process::ExitCode;

pub(super) fn run() -> Result<ExitCode> {
    // Definitions do not depend on settings.
    let config = config::load(&Sources::default())?.into_config()?;
    say(&serde_json::to_string_pretty(&app::tool_definitions(&config)?)?);
    Ok(ExitCode::SUCCESS)
}
