//! `emulator`: the emulator alone, for development against its faults.

use super::{output::say, stop::StopSignals};
use crate::{
    clock::Clock,
    emulator::{DEMO_KEY, Emulator},
    tasks::Tasks,
};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use std::{net::SocketAddr, process::ExitCode, time::Duration};

#[derive(Debug, Args)]
pub(super) struct Emulate {
    /// Address and port on this machine; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:8089")]
    listen: SocketAddr,
}

impl Emulate {
    pub(super) async fn run(self) -> Result<ExitCode> {
        ensure!(
            self.listen.ip().is_loopback(),
            "the emulator listens on loopback addresses only, for example 127.0.0.1:8089"
        );
        let mut signals = StopSignals::listen()?;
        let tasks = Tasks::new();
        let emulator = Emulator::start(self.listen, Clock::system(), &tasks)
            .await
            .with_context(|| format!("cannot listen on {}", self.listen))?;
        let url = emulator.url();
        say(&format!(
            "Emulating the Places API (New) with synthetic data at {url}\n\n\
             Serve from it:  REVIEWS__GOOGLE__PLACES_URL={url} REVIEWS__GOOGLE__API_KEY={DEMO_KEY} google-reviews-mcp serve\n\
             Add a fault:    curl {url}/_emulator/faults --json '{{\"fault\": {{\"kind\": \"latency\", \"milliseconds\": 3000}}, \"requests\": 1}}'\n\
             What it saw:    curl {url}/_emulator/requests\n\n\
             Press Ctrl-C to stop."
        ));
        signals.arrived().await;
        tasks.stop(Duration::from_secs(1)).await;
        Ok(ExitCode::SUCCESS)
    }
}
