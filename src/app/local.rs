//! The server for one client on the same machine, which starts it and speaks to it over standard input and output.

use super::{base::Base, core::Core};
use crate::{
    clock::Clock,
    config::Config,
    mcp::{self, Offers},
    model::Caller,
    telemetry::Metrics,
};
use anyhow::Result;
use tokio_util::sync::CancellationToken;

/// A server without listeners.
#[derive(Debug)]
pub struct Local {
    core: Box<Core>,
    longest_message: usize,
}

impl Local {
    /// Builds all parts and opens the database. Others may use it at the same time: each client starts a process of its
    /// own, and a server may be running too.
    ///
    /// # Errors
    /// When a part cannot be built from its settings, or the database cannot be used; says what to do.
    pub async fn start(config: Config) -> Result<Self> {
        let base = Base { metrics: Metrics::sent(&config.otlp)?, ..Base::new(&config, Clock::system())? };
        base.store.attach().await?;
        let core = Core::build(&config, base, Offers::default()).await?;
        core.base.resume(core.domain.budget.clone()).await;
        Ok(Self { core, longest_message: config.server.max_request_bytes })
    }

    /// Answers the client until it closes standard input, or `stop` fires. It may do all: whoever started this process
    /// has its rights.
    ///
    /// # Errors
    /// When the conversation breaks off.
    pub async fn converse(&self, stop: CancellationToken) -> Result<()> {
        let server = self.core.server.clone().alone_with(Caller::local());
        Ok(Box::pin(mcp::converse(server, self.longest_message, stop)).await?)
    }

    /// Ends. Returns whether all ended in time.
    pub async fn stop(self) -> bool {
        self.core.stop().await
    }
}
