//! The sums of the day in the database: a restart does not forget them, and instances that share a database count
//! together. Written behind the calls, so that no call waits for it.

use super::{Micros, Sums};
use crate::store::{Spent, Store};
use jiff::civil::Date;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What is in the database, and what is not yet.
#[derive(Debug)]
pub(super) struct Saved {
    store: Store,
    credential: String,
    unsaved: Mutex<BTreeMap<Date, Spent>>,
    /// One save at a time: the others find that theirs is done.
    turn: tokio::sync::Mutex<()>,
}

impl Saved {
    pub(super) fn new(store: Store, credential: String) -> Self {
        Self { store, credential, unsaved: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// So many requests of this cost more, or less.
    pub(super) fn note(&self, cost: Micros, times: i64, day: Date) {
        let micros = i64::try_from(cost.0).unwrap_or(i64::MAX).saturating_mul(times);
        self.add(day, Spent { micros, calls: times });
    }

    /// Writes what is not written yet, day by day, and tells what each then comes to, by all instances. What cannot be
    /// written is kept for the next time.
    pub(super) async fn save(&self, tell: impl Fn(Date, Spent)) {
        // What is told last is what was written last.
        let _turn = self.turn.lock().await;
        let unsaved = std::mem::take(&mut *self.lock());
        for (day, more) in unsaved {
            match self.store.spend().add(&day.to_string(), &self.credential, more).await {
                Ok(spent) => tell(day, spent),
                Err(_) => self.add(day, more),
            }
        }
    }

    /// What a day comes to, with what is not written yet.
    pub(super) fn sums(&self, day: Date, written: Spent) -> Sums {
        let unsaved = self.lock().get(&day).copied().unwrap_or_default();
        let positive = |one: i64, other: i64| u64::try_from(one.saturating_add(other)).unwrap_or(0);
        Sums { micros: positive(written.micros, unsaved.micros), calls: positive(written.calls, unsaved.calls) }
    }

    /// What a day came to when it was last written.
    pub(super) async fn of_day(&self, day: Date) -> Option<Spent> {
        self.store.spend().of_day(&day.to_string(), &self.credential).await.ok()
    }

    fn add(&self, day: Date, more: Spent) {
        let mut unsaved = self.lock();
        let sum = unsaved.entry(day).or_default();
        sum.micros = sum.micros.saturating_add(more.micros);
        sum.calls = sum.calls.saturating_add(more.calls);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Date, Spent>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
