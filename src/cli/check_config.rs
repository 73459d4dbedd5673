//! `check-config`: the effective configuration, and every problem with it at once.

use super::output::{complain, say};
use crate::config::{self, Problems, Sources};
use anyhow::Result;
use std::process::ExitCode;

pub(super) fn run(sources: &Sources) -> Result<ExitCode> {
    let loaded = config::load(sources)?;
    say(loaded.effective.trim_end());
    if loaded.problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    complain(&Problems(loaded.problems).to_string());
    Ok(ExitCode::FAILURE)
}
