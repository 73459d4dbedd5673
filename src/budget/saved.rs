//! The sums of the day in the database: a restart does not forget them, and instances that share a database count
//! together. Written behind the calls, so that no call waits for it.

use super::{Micros, Sums};
use crate::store::{Spent, Store};
use jiff::civil::Date;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
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

    /// Writes what is not written yet, and returns what each day then comes to, by all instances. What cannot be written
    /// is kept for the next time.
    pub(super) async fn save(&self) -> Vec<(Date, Sums)> {
        let _turn = self.turn.lock().await;
        let unsaved = std::mem::take(&mut *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner));
        let mut saved = Vec::new();
        for (day, more) in unsaved {
            match self.store.spend().add(&day.to_string(), &self.credential, more).await {
                Ok(spent) => saved.push((day, sums(spent))),
                Err(_) => self.add(day, more),
            }
        }
        saved
    }

    /// What a day came to when it was last written.
    pub(super) async fn of_day(&self, day: Date) -> Option<Sums> {
        self.store.spend().of_day(&day.to_string(), &self.credential).await.ok().map(sums)
    }

    fn add(&self, day: Date, more: Spent) {
        let mut unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = unsaved.entry(day).or_default();
        sum.micros = sum.micros.saturating_add(more.micros);
        sum.calls = sum.calls.saturating_add(more.calls);
    }
}

fn sums(spent: Spent) -> Sums {
    let positive = |number: i64| u64::try_from(number).unwrap_or(0);
    Sums { micros: positive(spent.micros), calls: positive(spent.calls) }
}
