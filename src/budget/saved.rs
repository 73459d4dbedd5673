//! The sums of the day in the database: a restart does not forget them, and instances that share a database count
//! together. Written behind the calls, so that no call waits for it.

use super::{Micros, Sums};
use crate::store::{Spent, Store};
use jiff::civil::Date;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What this process has spent, and what of it the database knows.
#[derive(Debug)]
pub(super) struct Saved {
    store: Store,
    credential: String,
    /// A name of this process: it writes its own sums, so that a write that is repeated counts once.
    instance: String,
    days: Mutex<BTreeMap<Date, Day>>,
    /// Held by the one who saves.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Day {
    spent: Spent,
    written: Spent,
}

impl Saved {
    pub(super) fn new(store: Store, credential: String, instance: String) -> Self {
        Self { store, credential, instance, days: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// So many requests of this cost more, or less.
    pub(super) fn note(&self, cost: Micros, times: i64, day: Date) {
        let micros = i64::try_from(cost.0).unwrap_or(i64::MAX).saturating_mul(times);
        let mut days = self.lock();
        let spent = &mut days.entry(day).or_default().spent;
        spent.micros = spent.micros.saturating_add(micros);
        spent.calls = spent.calls.saturating_add(times);
        // Yesterday may still be corrected.
        while days.len() > 3 {
            days.pop_first();
        }
    }

    /// Writes what is not written yet, and tells what each day then comes to, by all instances. Returns at once if
    /// somebody is at it already, who then writes this too; a write that fails is left for the next time.
    pub(super) async fn save(&self, tell: impl Fn(Date, Sums)) {
        while self.unwritten().is_some() {
            let Ok(_turn) = self.turn.try_lock() else { return };
            while let Some((day, spent)) = self.unwritten() {
                let name = day.to_string();
                let put = self.store.spend().put(&name, &self.credential, &self.instance, spent).await;
                if put.is_err() {
                    return;
                }
                if let Some(known) = self.lock().get_mut(&day) {
                    known.written = spent;
                }
                if let Ok(all) = self.store.spend().of_day(&name, &self.credential).await {
                    tell(day, self.sums(day, all));
                }
            }
        }
    }

    /// What a day comes to, by all instances.
    pub(super) async fn of_day(&self, day: Date) -> Option<Sums> {
        let all = self.store.spend().of_day(&day.to_string(), &self.credential).await.ok()?;
        Some(self.sums(day, all))
    }

    /// What the database knows, with what this process has spent since.
    fn sums(&self, day: Date, all: Spent) -> Sums {
        let Day { spent, written } = self.lock().get(&day).copied().unwrap_or_default();
        let positive = |all: i64, spent: i64, written: i64| {
            u64::try_from(all.saturating_add(spent).saturating_sub(written)).unwrap_or(0)
        };
        Sums {
            micros: positive(all.micros, spent.micros, written.micros),
            calls: positive(all.calls, spent.calls, written.calls),
        }
    }

    fn unwritten(&self) -> Option<(Date, Spent)> {
        let days = self.lock();
        days.iter().find(|(_, day)| day.spent != day.written).map(|(date, day)| (*date, day.spent))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Date, Day>> {
        self.days.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
