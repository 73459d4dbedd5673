//! `check-config`: the effective configuration, and every problem with it at once.

use super::output::{complain, say};
use crate::config::{self, Problems, Provider, Sources};
use anyhow::Result;
use std::process::ExitCode;

/// What no program can look up, because only Google knows.
const REMINDER: &str = "note: restrict the Google key to the Places API (New) and to this server's public address; \
                        docs/google-key.md shows how";

pub(super) fn run(sources: &Sources) -> Result<ExitCode> {
    let loaded = config::load(sources)?;
    say(loaded.effective.trim_end());
    let (provider, google) = (loaded.config.upstream.provider, &loaded.config.google);
    if provider == Provider::Google && google.api_key.is_some() {
        complain(REMINDER);
    }
    if loaded.problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    complain(&Problems(loaded.problems).to_string());
    Ok(ExitCode::FAILURE)
}
