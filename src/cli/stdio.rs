//! `stdio`: the same server for one client on this machine, over standard input and output. Nothing else may be written to
//! standard output; logs go to standard error.

use super::stop::StopSignals;
use crate::{app::Local, config::Config, telemetry};
use anyhow::Result;
use std::{process::ExitCode, time::Duration};
use tokio_util::sync::CancellationToken;

/// How long sending the last spans may take.
const LAST_SPANS: Duration = Duration::from_secs(5);

pub(super) async fn run(config: Config) -> Result<ExitCode> {
    let mut signals = StopSignals::listen()?;
    let traces = telemetry::install(&config.log, &config.otlp)?;
    let local = Local::start(config).await?;
    tracing::info!("serving one client over standard input and output");
    let stop = CancellationToken::new();
    let mut conversation = Box::pin(local.converse(stop.clone()));
    let ended = tokio::select! {
        ended = &mut conversation => ended,
        () = signals.arrived() => {
            tracing::info!("asked to stop: what the client still waits for is answered first");
            stop.cancel();
            signals.unless_asked_again(&mut conversation).await
        }
    };
    drop(conversation);
    signals.unless_asked_again(local.stop()).await;
    if let Some(traces) = traces {
        signals.unless_asked_again(traces.finish(LAST_SPANS)).await;
    }
    ended.map(|()| ExitCode::SUCCESS)
}
