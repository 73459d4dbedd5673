//! The state of things that the health paths and the page for people look at: one, so that both tell the same.

use crate::{
    health::{Health, Heartbeat},
    model::Spend,
};
use jiff::Timestamp;
use std::{fmt, sync::Arc};
use tokio_util::sync::CancellationToken;

/// How everything is, and who may know how much of it.
#[derive(Debug, Clone)]
pub struct Overview {
    pub(super) health: Health,
    /// Whether the runtime lives.
    pub(super) heartbeat: Heartbeat,
    pub(super) spending: Spending,
    /// Fires when the process is asked to stop.
    pub(super) stopping: CancellationToken,
    /// Until when the results of calls are logged, which those who call may know.
    results_until: Option<Timestamp>,
    /// Whether causes are told; they are for the operator alone.
    pub(super) tells_causes: bool,
}

impl Overview {
    /// For the public: without causes.
    pub fn new(health: Health, heartbeat: Heartbeat, spending: Spending, stopping: CancellationToken) -> Self {
        Self { health, heartbeat, spending, stopping, results_until: None, tells_causes: false }
    }

    /// The same, where the results of calls are logged until then.
    #[must_use]
    pub fn logging_results(self, until: Option<Timestamp>) -> Self {
        Self { results_until: until, ..self }
    }

    /// Until when the results of calls are logged, if they are now.
    pub(super) fn results_logged_until(&self) -> Option<Timestamp> {
        self.results_until.filter(|until| *until > self.health.now())
    }

    /// With causes.
    pub(super) fn for_the_operator(self) -> Self {
        Self { tells_causes: true, ..self }
    }
}

/// Reads what today has cost so far.
#[derive(Clone)]
pub struct Spending(Arc<dyn Fn() -> Spend + Send + Sync>);

impl Spending {
    /// Reads it with this.
    pub fn new(read: impl Fn() -> Spend + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// As it is now.
    pub(super) fn today(&self) -> Spend {
        (self.0)()
    }
}

impl fmt::Debug for Spending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Spending").finish_non_exhaustive()
    }
}
