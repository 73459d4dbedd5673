//! What was spent today, and what may be: calls stop before the bill does. Google's day begins at midnight US Pacific.
//!
//! The cost of a call is reserved before its first request, so that calls at the same time cannot pass the limit
//! together, and corrected afterwards to what Google bills. With Redis, all instances with the same Google key count
//! together; without it, or while it is away, each counts for itself and with what it last knew of the others.

mod amount;
mod reservation;
mod saved;
mod shared;

pub use amount::Micros;
pub use reservation::Reservation;

use crate::{
    clock::{Clock, pacific_day, until_pacific_midnight},
    model::{Spend, hex},
    redis::Redis,
    store::Store,
    tasks::Tasks,
};
use amount::Sums;
use aws_lc_rs::digest::{SHA256, digest};
use jiff::civil::Date;
use saved::Saved;
use secrecy::{ExposeSecret as _, SecretString};
use shared::Shared;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use uuid::Uuid;

/// From here on the operator is warned, once a day.
const WARN_RATIO: f64 = 0.8;

/// The day's limits; zero means none.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// US dollars at list prices.
    pub daily_usd: f64,
    /// Requests that Google bills.
    pub daily_calls: u64,
}

/// The day's budget. Clones share it.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    limits: Limits,
    clock: Clock,
    today: Mutex<Today>,
    shared: Option<Shared>,
    saved: Option<Saved>,
    tasks: Tasks,
}

/// Where a budget is kept beside the memory of the process.
#[derive(Debug, Default)]
pub struct Kept {
    /// Instances that share it count together at once.
    pub redis: Option<Redis>,
    /// Outlives the process; instances that share it count together soon.
    pub store: Option<Store>,
}

#[derive(Debug, Default)]
struct Today {
    day: Option<Date>,
    /// What this process has spent or reserved.
    own: Sums,
    /// What all instances together had when Redis was last asked.
    shared: Sums,
    warned: bool,
}

/// The day's limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// Until the next day begins.
    pub resets_in: Duration,
}

impl Budget {
    /// Nothing spent yet, as far as this process knows. `credential` is what Google bills: what is spent with another
    /// counts apart.
    pub fn new(limits: Limits, kept: Kept, credential: &SecretString, clock: Clock, tasks: Tasks) -> Self {
        let is_limited = limits.daily_usd > 0.0 || limits.daily_calls > 0;
        let redis = kept.redis.filter(|_| is_limited);
        let shared = redis.map(|redis| Shared::new(redis, partition(credential), limits));
        let saved =
            kept.store.map(|store| Saved::new(store, partition(credential), Uuid::new_v4().simple().to_string()));
        Self(Arc::new(Parts { limits, clock, today: Mutex::default(), shared, saved, tasks }))
    }

    /// Reserves the cost of a call before its first request.
    ///
    /// # Errors
    /// [`Exhausted`] when it would pass a limit.
    pub async fn reserve(&self, cost: Micros) -> Result<Reservation, Exhausted> {
        self.reserve_all(cost, 1).await?.pop().ok_or(Exhausted { resets_in: Duration::ZERO })
    }

    /// Reserves the cost of so many requests of one call: of all or of none.
    ///
    /// # Errors
    /// [`Exhausted`] when it would pass a limit.
    pub async fn reserve_all(&self, cost: Micros, times: u32) -> Result<Vec<Reservation>, Exhausted> {
        let now = self.0.clock.now();
        let day = pacific_day(now);
        let set_aside = self.0.set_aside(cost, times, day).await;
        set_aside.map_err(|()| Exhausted { resets_in: until_pacific_midnight(now) })?;
        Ok((0..times).map(|_| Reservation::new(self.clone(), cost, day)).collect())
    }

    /// Takes up what was spent today before this process started.
    pub async fn restore(&self) {
        let day = pacific_day(self.0.clock.now());
        let (Some(saved), Some(date)) = (&self.0.saved, day) else { return };
        if let Some(sums) = saved.of_day(date).await {
            let mut today = self.0.today(day);
            if today.day == day {
                today.own = today.own.max(sums);
            }
        }
    }

    /// Writes what could not be written when it was spent.
    pub async fn save(&self) {
        self.0.save().await;
    }

    /// Today's spend as a part of the nearer limit; 0 without limits.
    pub fn used_ratio(&self) -> f64 {
        self.spend().used_ratio
    }

    /// Today's spend against its limits.
    pub fn spend(&self) -> Spend {
        let now = self.0.clock.now();
        let today = self.0.today(pacific_day(now));
        let sums = today.own.max(today.shared);
        let Limits { daily_usd, daily_calls } = self.0.limits;
        Spend {
            usd: Micros(sums.micros).usd(),
            limit_usd: (daily_usd > 0.0).then_some(daily_usd),
            calls: sums.calls,
            limit_calls: (daily_calls > 0).then_some(daily_calls),
            used_ratio: self.0.ratio(sums),
            resets_at: now.saturating_add(until_pacific_midnight(now)).unwrap_or(now),
        }
    }
}

impl Parts {
    /// The latest day; a later one begins anew, and one that is over stays over.
    fn today(&self, day: Option<Date>) -> MutexGuard<'_, Today> {
        let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        if today.day < day {
            *today = Today { day, ..Today::default() };
        }
        today
    }

    async fn set_aside(self: &Arc<Self>, cost: Micros, times: u32, day: Option<Date>) -> Result<(), ()> {
        let own = self.today(day).own;
        let shared = match (&self.shared, day) {
            (Some(shared), Some(day)) => shared.add((cost, times), own, day).await,
            _ => None,
        };
        let mut today = self.today(day);
        if today.day != day {
            // Another request of a call that began yesterday: it belongs to that day, which has no limit any more.
            self.note(cost, i64::from(times), day);
            return Ok(());
        }
        if let Some((is_within, sums)) = shared {
            today.shared = sums;
            if !is_within {
                return Err(());
            }
        } else {
            let mut wanted = today.own.max(today.shared);
            wanted.change(cost, i64::from(times));
            if self.passes(wanted) {
                return Err(());
            }
            today.shared.change(cost, i64::from(times));
        }
        today.own.change(cost, i64::from(times));
        self.note(cost, i64::from(times), day);
        Ok(())
    }

    /// Writes down what was set aside, or given back, soon. Called with the day in hand, so that nobody sees the one
    /// without the other.
    fn note(self: &Arc<Self>, cost: Micros, times: i64, day: Option<Date>) {
        if let (Some(saved), Some(day)) = (&self.saved, day) {
            saved.note(cost, times, day);
            let parts = Arc::clone(self);
            self.tasks.spawn(async move { parts.save().await });
        }
    }

    async fn save(&self) {
        let Some(saved) = &self.saved else { return };
        let tell = |day, sums| {
            let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
            if today.day == Some(day) {
                // Redis knows more than the database; while it is away, the database knows more than it did.
                today.shared = if self.shared.is_some() { today.shared.max(sums) } else { sums };
            }
        };
        saved.save(tell).await;
    }

    fn passes(&self, sums: Sums) -> bool {
        let Limits { daily_usd, daily_calls } = self.limits;
        (daily_usd > 0.0 && sums.micros > Micros::of_usd(daily_usd).0) || (daily_calls > 0 && sums.calls > daily_calls)
    }

    #[expect(clippy::cast_precision_loss, reason = "a day's calls are far below 2^52")]
    fn ratio(&self, sums: Sums) -> f64 {
        let Limits { daily_usd, daily_calls } = self.limits;
        let of_usd = if daily_usd > 0.0 { Micros(sums.micros).usd() / daily_usd } else { 0.0 };
        let of_calls = if daily_calls > 0 { sums.calls as f64 / daily_calls as f64 } else { 0.0 };
        of_usd.max(of_calls)
    }

    /// Corrects by so many requests of this cost, here at once and elsewhere soon.
    fn correct(self: &Arc<Self>, cost: Micros, times: i64, day: Option<Date>) {
        if times == 0 {
            return;
        }
        {
            let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
            if today.day == day {
                today.own.change(cost, times);
                today.shared.change(cost, times);
            }
            self.note(cost, times, day);
        }
        if let (Some(shared), Some(day)) = (self.shared.clone(), day) {
            self.tasks.spawn(async move { shared.correct(cost, times, day).await });
        }
    }

    /// Said once a day, of what was really spent.
    fn warn(&self, day: Option<Date>) {
        let mut today = self.today(day);
        if today.day != day {
            return;
        }
        let sums = today.own.max(today.shared);
        let ratio = self.ratio(sums);
        if ratio >= WARN_RATIO && !today.warned {
            today.warned = true;
            tracing::warn!(
                spent_usd = Micros(sums.micros).usd(),
                calls = sums.calls,
                used_ratio = ratio,
                "most of today's budget for Google is spent; it starts anew at midnight US Pacific time"
            );
        }
    }
}

/// A name for a credential that does not tell it.
fn partition(credential: &SecretString) -> String {
    let hash = digest(&SHA256, &[b"partition of the budget\0", credential.expose_secret().as_bytes()].concat());
    hex(hash.as_ref().get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(daily_usd: f64, daily_calls: u64) -> (Budget, Clock) {
        let clock = Clock::manual("2026-11-20T12:00:00Z".parse().expect("time"));
        let limits = Limits { daily_usd, daily_calls };
        let credential = SecretString::from("key");
        (Budget::new(limits, Kept::default(), &credential, clock.clone(), Tasks::new()), clock)
    }

    const CENT: Micros = Micros(10_000);

    async fn spend(budget: &Budget) -> bool {
        let Ok(reserved) = budget.reserve(CENT).await else { return false };
        reserved.send().await.expect("reserved");
        reserved.billed();
        true
    }

    #[tokio::test]
    async fn what_is_reserved_counts_at_once_and_is_given_back_if_unspent() {
        let (budget, _) = budget(0.02, 0);
        let first = budget.reserve(CENT).await.expect("within");
        let second = budget.reserve(CENT).await.expect("within");
        assert!(budget.reserve(CENT).await.is_err());
        assert!((budget.used_ratio() - 1.0).abs() < 1e-9);
        second.send().await.expect("reserved");
        second.ended();
        drop((first, second));
        assert!(budget.used_ratio().abs() < 1e-9);
        assert!(spend(&budget).await && spend(&budget).await && !spend(&budget).await);
    }

    #[tokio::test]
    async fn what_was_sent_and_abandoned_counts_as_billed() {
        let (budget, _) = budget(0.01, 0);
        let reserved = budget.reserve(CENT).await.expect("within");
        reserved.send().await.expect("reserved");
        drop(reserved);
        assert!(!spend(&budget).await);
    }

    #[tokio::test]
    async fn a_second_billed_request_is_reserved_too() {
        let (budget, _) = budget(0.02, 0);
        let reserved = budget.reserve(CENT).await.expect("within");
        for _ in 0..2 {
            reserved.send().await.expect("within");
            reserved.billed();
        }
        assert!(reserved.send().await.is_err(), "a third one passes the limit");
        drop(reserved);
        assert!((budget.used_ratio() - 1.0).abs() < 1e-9);
    }

    #[tokio::test]
    async fn a_new_day_begins_at_midnight_pacific() {
        let (budget, clock) = budget(0.0, 1);
        assert!(spend(&budget).await);
        assert_eq!(budget.reserve(CENT).await.expect_err("spent").resets_in, Duration::from_hours(20));
        clock.advance(Duration::from_hours(20));
        assert!(spend(&budget).await);
    }

    #[tokio::test]
    async fn without_limits_everything_goes() {
        let (budget, _) = budget(0.0, 0);
        for _ in 0..100 {
            budget.reserve(Micros(u64::MAX / 2)).await.expect("no limit").billed();
        }
    }
}
