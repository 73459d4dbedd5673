//! `healthcheck`: asks the server on this machine whether it is ready, for containers without a shell.

use super::output::complain;
use crate::config::Config;
use anyhow::{Context as _, Result};
use std::{net::SocketAddr, process::ExitCode, time::Duration};

pub(super) async fn run(config: Config) -> Result<ExitCode> {
    let listen = config.server.listen;
    let host = if listen.ip().is_unspecified() { [127, 0, 0, 1].into() } else { listen.ip() };
    let url = format!("http://{}/readyz", SocketAddr::new(host, listen.port()));
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build()?;
    let answer = http.get(&url).send().await.with_context(|| format!("nothing answers at {url}"))?;
    if answer.status().is_success() {
        return Ok(ExitCode::SUCCESS);
    }
    complain(&format!("not ready: {} {}", answer.status(), answer.text().await.unwrap_or_default()));
    Ok(ExitCode::FAILURE)
}
