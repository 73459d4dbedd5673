//! The doing of what was claimed: apart from its caller, under a lease that is renewed, and recorded at the end.

use super::{Idempotency, Once};
use crate::{
    model::Failure,
    store::{Attempt, Claim, Held},
    telemetry::{IdempotencyOutcome, carried},
};
use futures_util::FutureExt as _;
use std::{future::Future, panic::AssertUnwindSafe, time::Duration};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Waits before an answer is written again that could not be.
const RECORD_AGAIN: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(500), Duration::from_secs(2)];

impl Idempotency {
    /// Does the work in a task of its own, and waits for it.
    pub(super) async fn perform<F, W>(&self, attempt: Attempt, claim: Claim, work: W) -> Result<Once, Failure>
    where
        F: Future<Output = Result<String, Failure>> + Send + 'static,
        W: FnOnce(Uuid) -> F + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let room = self.clone();
        let work = work(claim.effect_id);
        let performance = async move {
            let outcome = room.run(&claim, work).await;
            let once = room.conclude(&attempt, &claim, outcome).await;
            // The caller may have left.
            let _ = tell.send(once);
        };
        self.tasks.spawn(carried(performance));
        told.await.unwrap_or_else(|_| Err(Failure::internal()))
    }

    /// Runs the work to its end or its panic, and holds the claim meanwhile.
    async fn run(&self, claim: &Claim, work: impl Future<Output = Result<String, Failure>>) -> Result<String, Failure> {
        let work = AssertUnwindSafe(work).catch_unwind();
        tokio::select! {
            ended = work => ended.unwrap_or_else(|_panic| Err(Failure::internal())),
            () = self.hold(claim) => Err(Failure::internal()),
        }
    }

    /// Renews the lease for ever. Where that fails, the claim may be taken over: the fence then keeps this one from
    /// recording, so that it can go on.
    async fn hold(&self, claim: &Claim) {
        loop {
            self.clock.sleep(self.lease / 3).await;
            let until = self.lease_from(self.clock.now());
            if !matches!(self.store.claims().renew(claim, until).await, Ok(true)) {
                tracing::warn!(fence = claim.fence, "the lease of a writing call could not be renewed");
            }
        }
    }

    /// Records an answer, or lets go after a failure.
    async fn conclude(
        &self,
        attempt: &Attempt,
        claim: &Claim,
        outcome: Result<String, Failure>,
    ) -> Result<Once, Failure> {
        let answer = match outcome {
            Ok(answer) => answer,
            Err(failure) => {
                self.metrics.idempotent_request(IdempotencyOutcome::Failed);
                // Were it not written, the lease would run out by itself.
                let _ = self.store.claims().release(claim).await;
                return Err(failure);
            }
        };
        if self.record(claim, &answer).await {
            self.metrics.idempotent_request(IdempotencyOutcome::Performed);
            return Ok(Once { answer, is_replayed: false });
        }
        // Somebody else took over. Both made the same thing, and everybody is told of it in the same words.
        if let Ok(Some(Held::Done(answer))) = self.store.claims().look(attempt).await {
            self.metrics.idempotent_request(IdempotencyOutcome::Replayed);
            return Ok(Once { answer, is_replayed: true });
        }
        self.metrics.idempotent_request(IdempotencyOutcome::Performed);
        Ok(Once { answer, is_replayed: false })
    }

    /// Returns whether the answer stands; false if the claim was lost, or the database cannot be reached.
    async fn record(&self, claim: &Claim, answer: &str) -> bool {
        for wait in RECORD_AGAIN {
            // What was recorded without our hearing of it is recorded again.
            if let Ok(is_recorded) = self.store.claims().record(claim, answer).await {
                return is_recorded;
            }
            tokio::time::sleep(wait).await;
        }
        if let Ok(is_recorded) = self.store.claims().record(claim, answer).await {
            return is_recorded;
        }
        tracing::error!(
            fence = claim.fence,
            "the answer of a writing call could not be recorded; it was done all the same"
        );
        false
    }
}
