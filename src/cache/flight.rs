//! One flight per key: the first who asks starts it, the others wait for it, and it is called off when the last one
//! leaves.

use super::{Outcome, Shared, key::Hash};
use crate::{clock::Deadline, model::Failure};
use futures_util::FutureExt as _;
use std::{
    collections::HashMap,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// All flights under way.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Hash, Weak<Seats>>>);

/// What all who wait for one flight hold; when it is dropped, the flight is called off.
#[derive(Debug)]
struct Seats {
    outcome: watch::Receiver<Option<Outcome>>,
    /// That of the one who waits longest.
    deadline: Deadline,
    _call_off: DropGuard,
}

/// What became of somebody who asked.
pub(super) enum Boarding {
    /// The value came in the meantime.
    Landed(Shared),
    /// A flight is under way.
    Follow(Seat),
    /// There is none: whoever gets this starts one.
    Lead(Seat, Pilot),
}

/// One who waits.
pub(super) struct Seat(Arc<Seats>);

/// The one who flies.
#[derive(Debug)]
pub(super) struct Pilot {
    outcome: watch::Sender<Option<Outcome>>,
    called_off: CancellationToken,
    deadline: Deadline,
    seats: Weak<Seats>,
}

impl Flights {
    /// Joins the flight for `hash` or starts one, unless `landed` finds the value after all.
    pub(super) fn board(&self, hash: Hash, deadline: &Deadline, landed: impl FnOnce() -> Option<Shared>) -> Boarding {
        let mut flights = self.lock();
        if let Some(seats) = flights.get(&hash).and_then(Weak::upgrade) {
            seats.deadline.extend_to(deadline);
            return Boarding::Follow(Seat(seats));
        }
        // A flight keeps its value before it leaves the list, so under the lock this look cannot miss it.
        if let Some(value) = landed() {
            return Boarding::Landed(value);
        }
        let (sender, receiver) = watch::channel(None);
        let called_off = CancellationToken::new();
        let deadline = deadline.apart();
        let call_off = called_off.clone().drop_guard();
        let seats = Arc::new(Seats { outcome: receiver, deadline: deadline.clone(), _call_off: call_off });
        let pilot = Pilot { outcome: sender, called_off, deadline, seats: Arc::downgrade(&seats) };
        flights.insert(hash, Arc::downgrade(&seats));
        Boarding::Lead(Seat(seats), pilot)
    }

    /// Takes a flight off the list, after `keep` has kept its value.
    pub(super) fn close(&self, hash: &Hash, pilot: &Pilot, keep: impl FnOnce()) {
        let mut flights = self.lock();
        keep();
        // Another flight may have started since the last who waited for this one left.
        if flights.get(hash).is_some_and(|seats| Weak::ptr_eq(seats, &pilot.seats)) {
            flights.remove(hash);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Weak<Seats>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pilot {
    /// By when the flight must have ended; it moves when somebody joins who has more time.
    pub(super) fn deadline(&self) -> Deadline {
        self.deadline.clone()
    }

    /// Runs `work` to its end or its panic; nothing if it was called off.
    pub(super) async fn fly<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Option<Result<T, Failure>> {
        tokio::select! {
            biased;
            ended = AssertUnwindSafe(work).catch_unwind() => Some(ended.unwrap_or_else(|_| Err(Failure::internal()))),
            () = self.called_off.cancelled() => None,
        }
    }

    /// Tells all who wait.
    pub(super) fn tell(self, outcome: Outcome) {
        self.outcome.send_replace(Some(outcome));
    }
}

impl Seat {
    /// Waits for the end of the flight.
    pub(super) async fn outcome(self) -> Outcome {
        let mut receiver = self.0.outcome.clone();
        let outcome = match receiver.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            // The process stops.
            Err(_) => None,
        };
        outcome.unwrap_or_else(|| Err(Failure::internal()))
    }
}
