//! Google's limits a minute and a day. A day begins at midnight US Pacific time.

use super::errors::NamedError;
use crate::clock::Clock;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// Limits; absent means without limit, and 0 is what a project has before it is granted access.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) per_minute: Option<u32>,
    pub(super) per_day: Option<u32>,
}

/// Counts requests against the limits.
#[derive(Debug)]
pub(super) struct Quotas {
    clock: Clock,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    limits: Limits,
    minute: i64,
    in_minute: u32,
    day: Option<Date>,
    in_day: u32,
}

impl Quotas {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, counted: Mutex::default() }
    }

    /// Sets the limits and starts counting anew.
    pub(super) fn set(&self, limits: Limits) {
        *self.lock() = Counted { limits, ..Counted::default() };
    }

    /// Counts one request.
    pub(super) fn count(&self) -> Result<(), NamedError> {
        let now = self.clock.now();
        let mut counted = self.lock();
        let (minute, day) = (now.as_second().div_euclid(60), pacific_day(now));
        if counted.minute != minute {
            (counted.minute, counted.in_minute) = (minute, 0);
        }
        if counted.day != day {
            (counted.day, counted.in_day) = (day, 0);
        }
        if counted.limits.per_minute == Some(0) || counted.limits.per_day == Some(0) {
            return Err(NamedError::QuotaZero);
        }
        if counted.limits.per_day.is_some_and(|limit| counted.in_day >= limit) {
            return Err(NamedError::QuotaPerDay);
        }
        if counted.limits.per_minute.is_some_and(|limit| counted.in_minute >= limit) {
            return Err(NamedError::QuotaPerMinute);
        }
        counted.in_minute += 1;
        counted.in_day += 1;
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pacific_day(now: Timestamp) -> Option<Date> {
    Some(now.to_zoned(TimeZone::get("America/Los_Angeles").ok()?).date())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_day_begins_at_midnight_pacific() {
        let clock = Clock::manual("2026-11-20T07:59:00Z".parse().expect("time"));
        let quotas = Quotas::new(clock.clone());
        quotas.set(Limits { per_minute: None, per_day: Some(1) });

        assert_eq!(quotas.count(), Ok(()));
        assert_eq!(quotas.count(), Err(NamedError::QuotaPerDay));
        clock.advance(Duration::from_mins(1));
        assert_eq!(quotas.count(), Ok(()));
    }

    #[test]
    fn a_minute_limit_ends_with_the_minute() {
        let clock = Clock::manual("2026-11-20T08:00:10Z".parse().expect("time"));
        let quotas = Quotas::new(clock.clone());
        quotas.set(Limits { per_minute: Some(2), per_day: None });

        assert_eq!((quotas.count(), quotas.count()), (Ok(()), Ok(())));
        assert_eq!(quotas.count(), Err(NamedError::QuotaPerMinute));
        clock.advance(Duration::from_secs(50));
        assert_eq!(quotas.count(), Ok(()));
    }
}
