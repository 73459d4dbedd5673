//! Background work is owned: what is spawned here is waited for when the process stops, and what must go on for ever is
//! started again when it dies.

use crate::telemetry::Metrics;
use futures_util::FutureExt as _;
use std::{future::Future, panic::AssertUnwindSafe, time::Duration};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// Before work that died is started again, at first and at most.
const RESTART_WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// All background work of one server, with the signal that ends it.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Nothing spawned yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `work` until it ends by itself; it should end soon after [`Tasks::stopping`] fires.
    pub fn spawn<F>(&self, work: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tracker.spawn(work);
    }

    /// Keeps work going that has no end, until the process stops: if it ends or panics, it is counted, logged, and
    /// started again after a pause.
    pub fn supervise<F>(&self, name: &'static str, metrics: Metrics, work: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawn(keep_going(self.stop.clone(), name, metrics, work));
    }

    /// The same, but the work goes on while the process stops and is not waited for: it ends when the guard is dropped.
    #[expect(clippy::disallowed_methods, reason = "this is the one piece of work that the stop must not wait for")]
    pub fn supervise_to_the_end<F>(
        &self,
        name: &'static str,
        metrics: Metrics,
        work: impl Fn() -> F + Send + 'static,
    ) -> DropGuard
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let end = CancellationToken::new();
        tokio::spawn(keep_going(end.clone(), name, metrics, work));
        end.drop_guard()
    }

    /// Fires when the process is asked to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Asks everything to stop and waits for it, at most for `limit`. Returns whether all of it ended in time.
    pub async fn stop(&self, limit: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(limit, self.tracker.wait()).await.is_ok()
    }
}

/// Begins the work again whenever it ends or panics, until `stop` fires.
async fn keep_going<F>(stop: CancellationToken, name: &'static str, metrics: Metrics, work: impl Fn() -> F)
where
    F: Future<Output = ()>,
{
    let (mut wait, longest) = RESTART_WAITS;
    while stop.run_until_cancelled(AssertUnwindSafe(work()).catch_unwind()).await.is_some() {
        metrics.task_restarted(name);
        tracing::error!(task = name, wait_ms = wait.as_millis(), "background work ended; it is started again");
        stop.run_until_cancelled(tokio::time::sleep(wait)).await;
        wait = longest.min(wait * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    #[tokio::test]
    async fn life_11_background_work_that_dies_is_started_again_and_counted() {
        let (tasks, metrics) = (Tasks::new(), Metrics::new().expect("metrics"));
        let starts = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&starts);
        tasks.supervise("probes", metrics.clone(), move || {
            let start = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                match start {
                    0 => panic!("a secret of the panic"),
                    1 => {}
                    _ => std::future::pending().await,
                }
            }
        });
        while starts.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let page = metrics.render().expect("a page");
        assert!(page.contains("background_restarts_total{task=\"probes\"} 2"), "{page}");
        assert!(tasks.stop(Duration::from_secs(5)).await, "it ends when the process does");
    }
}
