//! What was spent today, and what may be: calls stop before the bill does. Google's day begins at midnight US Pacific.
//!
//! The cost of a call is reserved before its first request, so that calls at the same time cannot pass the limit
//! together, and corrected afterwards to what Google bills. With Redis, all instances count together; without it, or
//! while it is away, each counts for itself.

use crate::{
    clock::{Clock, pacific_day, until_pacific_midnight},
    redis::Redis,
    tasks::Tasks,
};
use deadpool_redis::redis::Script;
use jiff::civil::Date;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// From here on the operator is warned, once a day.
const WARN_RATIO: f64 = 0.8;

/// The day's limits; zero means none.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// US dollars at list prices.
    pub daily_usd: f64,
    /// Requests to Google.
    pub daily_calls: u64,
}

/// Millionths of a US dollar, so that sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Micros(pub u64);

impl Micros {
    /// From dollars.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "prices and limits are small")]
    pub fn of_usd(usd: f64) -> Self {
        Self((usd.max(0.0) * 1_000_000.0).round() as u64)
    }

    /// In dollars.
    #[expect(clippy::cast_precision_loss, reason = "a day's sum is far below 2^52 millionths")]
    pub fn usd(self) -> f64 {
        self.0 as f64 / 1_000_000.0
    }
}

/// The day's budget. Clones share it.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    limits: Limits,
    clock: Clock,
    today: Mutex<Today>,
    redis: Option<Redis>,
    tasks: Tasks,
}

#[derive(Debug, Default)]
struct Today {
    day: Option<Date>,
    spent: Micros,
    calls: u64,
    warned: bool,
}

/// The day's limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// Until the next day begins.
    pub resets_in: Duration,
}

impl Budget {
    /// Nothing spent yet.
    pub fn new(limits: Limits, redis: Option<Redis>, clock: Clock, tasks: Tasks) -> Self {
        Self(Arc::new(Parts { limits, clock, today: Mutex::default(), redis, tasks }))
    }

    /// Reserves the cost of a call before its first request.
    ///
    /// # Errors
    /// [`Exhausted`] when it would pass a limit.
    pub async fn reserve(&self, cost: Micros) -> Result<Reservation, Exhausted> {
        let parts = &self.0;
        let shared = match &parts.redis {
            Some(redis) => parts.add_shared(redis, cost).await,
            None => None,
        };
        let now = parts.clock.now();
        let exhausted = Exhausted { resets_in: until_pacific_midnight(now) };
        let mut today = parts.today(pacific_day(now));
        if let Some((is_within, spent, calls)) = shared {
            // What all instances together have spent.
            (today.spent, today.calls) = (spent, calls);
            if !is_within {
                return Err(exhausted);
            }
        } else {
            if parts.passes(today.spent.0 + cost.0, today.calls + 1) {
                return Err(exhausted);
            }
            today.spent.0 += cost.0;
            today.calls += 1;
        }
        parts.warn(&mut today);
        let day = today.day;
        Ok(Reservation { budget: self.clone(), cost, day, is_shared: shared.is_some(), settled: false })
    }

    /// Today's spend as a part of the nearer limit; 0 without limits.
    pub fn used_ratio(&self) -> f64 {
        let today = self.0.today(pacific_day(self.0.clock.now()));
        self.0.ratio(&today)
    }
}

impl Parts {
    fn today(&self, day: Option<Date>) -> MutexGuard<'_, Today> {
        let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        if today.day != day {
            *today = Today { day, ..Today::default() };
        }
        today
    }

    fn passes(&self, spent: u64, calls: u64) -> bool {
        let Limits { daily_usd, daily_calls } = self.limits;
        (daily_usd > 0.0 && spent > Micros::of_usd(daily_usd).0) || (daily_calls > 0 && calls > daily_calls)
    }

    #[expect(clippy::cast_precision_loss, reason = "a day's calls are far below 2^52")]
    fn ratio(&self, today: &Today) -> f64 {
        let Limits { daily_usd, daily_calls } = self.limits;
        let of_usd = if daily_usd > 0.0 { today.spent.usd() / daily_usd } else { 0.0 };
        let of_calls = if daily_calls > 0 { today.calls as f64 / daily_calls as f64 } else { 0.0 };
        of_usd.max(of_calls)
    }

    fn warn(&self, today: &mut Today) {
        let ratio = self.ratio(today);
        if ratio >= WARN_RATIO && !today.warned {
            today.warned = true;
            tracing::warn!(
                spent_usd = today.spent.usd(),
                calls = today.calls,
                used_ratio = ratio,
                "most of today's budget for Google is spent; it starts anew at midnight US Pacific time"
            );
        }
    }

    /// Adds to the count that all instances share; nothing if Redis cannot be asked.
    async fn add_shared(&self, redis: &Redis, cost: Micros) -> Option<(bool, Micros, u64)> {
        let key = shared_key(pacific_day(self.clock.now())?);
        let limit = if self.limits.daily_usd > 0.0 { Micros::of_usd(self.limits.daily_usd).0 } else { 0 };
        let calls = self.limits.daily_calls;
        let script = Script::new(ADD);
        let added = redis.look_up(async |connection| {
            script.key(&key).arg(cost.0).arg(limit).arg(calls).invoke_async::<(bool, u64, u64)>(connection).await
        });
        added.await.ok().map(|(is_within, spent, calls)| (is_within, Micros(spent), calls))
    }

    /// Takes back what a call did not cost.
    fn take_back(self: &Arc<Self>, unspent: Micros, calls: u64, day: Option<Date>, is_shared: bool) {
        {
            let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
            if today.day == day {
                today.spent.0 = today.spent.0.saturating_sub(unspent.0);
                today.calls = today.calls.saturating_sub(calls);
            }
        }
        let (true, Some(redis), Some(day)) = (is_shared, self.redis.clone(), day) else { return };
        self.tasks.spawn(async move {
            let (key, script) = (shared_key(day), Script::new(TAKE_BACK));
            let taken = redis.run(async |connection| {
                script.key(&key).arg(unspent.0).arg(calls).invoke_async::<()>(connection).await
            });
            if taken.await.is_err() {
                tracing::debug!("the shared budget counts a call that was not made");
            }
        });
    }
}

/// Adds the cost unless that passes a limit; returns whether it did not, and the day's sums.
const ADD: &str = "
local spent = tonumber(redis.call('HGET', KEYS[1], 'micros') or '0')
local calls = tonumber(redis.call('HGET', KEYS[1], 'calls') or '0')
local cost, limit, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if (limit > 0 and spent + cost > limit) or (most > 0 and calls + 1 > most) then
  return {0, spent, calls}
end
spent = redis.call('HINCRBY', KEYS[1], 'micros', cost)
calls = redis.call('HINCRBY', KEYS[1], 'calls', 1)
redis.call('EXPIRE', KEYS[1], 172800)
return {1, spent, calls}";

const TAKE_BACK: &str = "
redis.call('HINCRBY', KEYS[1], 'micros', -tonumber(ARGV[1]))
redis.call('HINCRBY', KEYS[1], 'calls', -tonumber(ARGV[2]))
return nil";

fn shared_key(day: Date) -> String {
    format!("google-reviews:budget:{day}")
}

/// Money set aside for one call. Dropped without being settled, it is given back.
#[derive(Debug)]
pub struct Reservation {
    budget: Budget,
    cost: Micros,
    day: Option<Date>,
    is_shared: bool,
    settled: bool,
}

impl Reservation {
    /// The call ended and Google billed so many requests of the reserved price.
    pub fn settle(mut self, billed: u32) {
        self.settled = true;
        let (budget, is_shared) = (&self.budget, self.is_shared);
        match billed {
            0 => budget.0.take_back(self.cost, 1, self.day, is_shared),
            1 => {}
            // A retry after an answer that broke off: billed again, though not asked for beforehand.
            more => budget.0.add_unasked(self.cost, u64::from(more) - 1, self.day, is_shared),
        }
    }
}

impl Parts {
    fn add_unasked(self: &Arc<Self>, cost: Micros, times: u64, day: Option<Date>, is_shared: bool) {
        {
            let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
            if today.day == day {
                today.spent.0 += cost.0 * times;
                today.calls += times;
            }
        }
        let (true, Some(redis), Some(day)) = (is_shared, self.redis.clone(), day) else { return };
        self.tasks.spawn(async move {
            let (key, script) = (shared_key(day), Script::new(ADD));
            let added = redis.run(async |connection| {
                script.key(&key).arg(cost.0 * times).arg(0).arg(0).invoke_async::<()>(connection).await
            });
            if added.await.is_err() {
                tracing::debug!("the shared budget misses a call that was made");
            }
        });
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.settled {
            self.budget.0.take_back(self.cost, 1, self.day, self.is_shared);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(daily_usd: f64, daily_calls: u64) -> (Budget, Clock) {
        let clock = Clock::manual("2026-11-20T12:00:00Z".parse().expect("time"));
        (Budget::new(Limits { daily_usd, daily_calls }, None, clock.clone(), Tasks::new()), clock)
    }

    const CENT: Micros = Micros(10_000);

    #[tokio::test]
    async fn what_is_reserved_counts_at_once_and_is_given_back_if_unspent() {
        let (budget, _) = budget(0.02, 0);
        let first = budget.reserve(CENT).await.expect("within");
        let second = budget.reserve(CENT).await.expect("within");
        assert!(budget.reserve(CENT).await.is_err());
        assert!((budget.used_ratio() - 1.0).abs() < 1e-9);
        second.settle(0);
        drop(first);
        assert!(budget.used_ratio().abs() < 1e-9);
        budget.reserve(CENT).await.expect("within").settle(2);
        assert!(budget.reserve(CENT).await.is_err(), "billed twice, spent twice");
    }

    #[tokio::test]
    async fn a_new_day_begins_at_midnight_pacific() {
        let (budget, clock) = budget(0.0, 1);
        budget.reserve(CENT).await.expect("within").settle(1);
        assert_eq!(budget.reserve(CENT).await.expect_err("spent").resets_in, Duration::from_hours(20));
        clock.advance(Duration::from_hours(20));
        assert!(budget.reserve(CENT).await.is_ok());
    }

    #[tokio::test]
    async fn without_limits_everything_goes() {
        let (budget, _) = budget(0.0, 0);
        for _ in 0..100 {
            budget.reserve(Micros(u64::MAX / 1_000)).await.expect("no limit").settle(1);
        }
    }
}
