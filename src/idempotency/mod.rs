//! A writing call is done once, whatever dies in between and however often it is repeated.
//!
//! Before its effect, a call claims its key in the database, with a lease that it renews while it runs and a fence that
//! grows with every claim. Who repeats it gets the first answer; who comes while it runs waits for that. If its process
//! dies, the lease runs out and a repetition takes over, with the same name for the effect, so that what was already
//! made is found rather than made again. Who lost its claim can record nothing any more. Failures are not remembered:
//! the same key may try again. Source of the rules: draft-ietf-httpapi-idempotency-key-header-06.

mod key;
mod performance;

pub use key::Request;

use crate::{
    clock::{Clock, Deadline},
    model::{Code, Failure},
    store::{Attempt, Claim, Held, Store},
    tasks::Tasks,
    telemetry::{IdempotencyOutcome, Metrics},
};
use std::{future::Future, time::Duration};
use uuid::Uuid;

/// How long who waits for another's answer waits before it looks again, at first and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));

/// With less time left than this, who waits is told to come again, before anybody gives up on it.
const ANSWER_IN: Duration = Duration::from_millis(500);

/// The room for all writing tools. Clones share it.
#[derive(Debug, Clone)]
pub struct Idempotency {
    store: Store,
    lease: Duration,
    clock: Clock,
    tasks: Tasks,
    metrics: Metrics,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The answer as JSON.
    pub answer: String,
    /// Whether it is that of an earlier call.
    pub is_replayed: bool,
}

impl Idempotency {
    /// In this database. `lease` is how long a claim outlives the last sign of its holder.
    pub fn new(store: Store, lease: Duration, clock: Clock, tasks: Tasks, metrics: Metrics) -> Self {
        Self { store, lease, clock, tasks, metrics }
    }

    /// Does `work` once for this request, or returns what came of it before.
    ///
    /// `work` gets the name of what it makes, which is the same for every try under one key, and must find what is there
    /// already. It runs in a task of its own: it goes on when the caller leaves.
    ///
    /// # Errors
    /// The failure of `work`; [`Code::IdempotencyKeyReused`] when the key stands for other arguments;
    /// [`Code::RequestInProgress`] when another is at it until the deadline; or what the database's failure means.
    pub async fn once<F, W>(&self, request: Request, deadline: &Deadline, work: W) -> Result<Once, Failure>
    where
        F: Future<Output = Result<String, Failure>> + Send + 'static,
        W: FnOnce(Uuid) -> F + Send + 'static,
    {
        let attempt = request.into_attempt();
        let (mut pause, longest) = LOOKS;
        loop {
            if let Some(claim) = self.claim(&attempt).await? {
                return self.perform(attempt, claim, work).await;
            }
            match self.store.claims().look(&attempt).await? {
                Some(Held::Done(answer)) => {
                    self.metrics.idempotent_request(IdempotencyOutcome::Replayed);
                    return Ok(Once { answer, is_replayed: true });
                }
                Some(Held::Other) => {
                    self.metrics.idempotent_request(IdempotencyOutcome::KeyReused);
                    return Err(key_reused());
                }
                Some(Held::InFlight) if deadline.left(&self.clock) < ANSWER_IN => {
                    self.metrics.idempotent_request(IdempotencyOutcome::InProgress);
                    return Err(in_progress(self.lease));
                }
                // Let go in the meantime, or still under way.
                None | Some(Held::InFlight) => tokio::time::sleep(pause).await,
            }
            pause = longest.min(pause * 2);
        }
    }

    async fn claim(&self, attempt: &Attempt) -> Result<Option<Claim>, Failure> {
        let now = self.clock.now();
        Ok(self.store.claims().claim(attempt, now, self.lease_from(now)).await?)
    }

    fn lease_from(&self, now: jiff::Timestamp) -> jiff::Timestamp {
        now.checked_add(self.lease).unwrap_or(jiff::Timestamp::MAX)
    }
}

fn key_reused() -> Failure {
    Failure::new(
        Code::IdempotencyKeyReused,
        "Use another `request_id`: this one was used with other arguments. To repeat that call, send its arguments \
         unchanged.",
    )
}

fn in_progress(lease: Duration) -> Failure {
    let wait = lease.max(Duration::from_secs(1));
    let message = format!(
        "Try again in {} s with the same arguments: the same call is still under way, and its answer will be returned then.",
        wait.as_secs()
    );
    Failure::new(Code::RequestInProgress, message).retry_after(wait)
}
