//! Waiting for the signal to stop.

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

/// Returns at SIGINT or SIGTERM.
pub(super) async fn requested() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
