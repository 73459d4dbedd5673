//! Money set aside for one call, and what became of it.

use super::{Budget, Exhausted, Micros};
use crate::clock::until_pacific_midnight;
use jiff::civil::Date;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Money set aside for one call. When it is dropped, the budget is corrected to what was billed; a request that was
/// sent and then abandoned counts as billed, because Google answers it all the same.
#[derive(Debug)]
pub struct Reservation {
    budget: Budget,
    cost: Micros,
    day: Option<Date>,
    reserved: AtomicU32,
    billed: AtomicU32,
    is_under_way: AtomicBool,
}

impl Reservation {
    /// One request of this cost was set aside.
    pub(super) fn new(budget: Budget, cost: Micros, day: Option<Date>) -> Self {
        let (reserved, billed) = (AtomicU32::new(1), AtomicU32::new(0));
        Self { budget, cost, day, reserved, billed, is_under_way: AtomicBool::new(false) }
    }

    /// A request is about to be sent. One more than was reserved, because an answer was billed and then broke off, is
    /// reserved first.
    ///
    /// # Errors
    /// [`Exhausted`] when that would pass a limit.
    pub async fn send(&self) -> Result<(), Exhausted> {
        if self.billed.load(Ordering::Relaxed) >= self.reserved.load(Ordering::Relaxed) {
            let resets_in = until_pacific_midnight(self.budget.0.clock.now());
            self.budget.0.set_aside(self.cost, 1, self.day).await.map_err(|()| Exhausted { resets_in })?;
            self.reserved.fetch_add(1, Ordering::Relaxed);
        }
        self.is_under_way.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Google billed the request.
    pub fn billed(&self) {
        self.billed.fetch_add(1, Ordering::Relaxed);
        self.is_under_way.store(false, Ordering::Relaxed);
    }

    /// The request ended; if it was not billed, it cost nothing.
    pub fn ended(&self) {
        self.is_under_way.store(false, Ordering::Relaxed);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let spent = i64::from(*self.billed.get_mut()) + i64::from(*self.is_under_way.get_mut());
        let reserved = i64::from(*self.reserved.get_mut());
        self.budget.0.correct(self.cost, spent - reserved, self.day);
        self.budget.0.warn(self.day);
    }
}
