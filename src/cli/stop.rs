//! The signals to stop. They are listened for from the first moment of a command, so that one that comes while it
//! starts is not lost.

use anyhow::Result;
use std::{future::Future, process};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a shell reports for a process that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// SIGINT and SIGTERM.
pub(super) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// From here on they no longer end the process by themselves.
    pub(super) fn listen() -> Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Returns at the next of them.
    pub(super) async fn arrived(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Does what is to be done before the end; another signal ends the process at once.
    pub(super) async fn unless_asked_again<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            done = work => done,
            () = self.arrived() => {
                tracing::warn!("asked to stop again: the process ends at once");
                end_at_once()
            }
        }
    }
}

#[expect(clippy::exit, reason = "whoever asks twice does not want to wait for anything")]
fn end_at_once() -> ! {
    process::exit(INTERRUPTED)
}
