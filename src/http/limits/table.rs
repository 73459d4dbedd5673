//! One limit for many, in memory. Who asks is put into one of a fixed number of buckets, so that the memory is bounded
//! whoever comes; which bucket, nobody outside can know or choose.

use super::Rate;
use crate::clock::Clock;
use governor::{
    Quota, RateLimiter, clock::Clock as GovernorClock, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::HashMapStateStore,
};
use std::{
    fmt,
    hash::{BuildHasher as _, Hash, RandomState},
    num::NonZeroU32,
    time::Duration,
};

/// So many buckets, of some 40 bytes each.
const BUCKETS: u64 = 1 << 16;

pub(super) struct Table {
    limiter: RateLimiter<u16, HashMapStateStore<u16>, Time, NoOpMiddleware<Nanos>>,
    hasher: RandomState,
    clock: Time,
}

impl Table {
    pub(super) fn new(rate: Rate, clock: &Clock) -> Self {
        let clock = Time(clock.clone());
        let limiter = RateLimiter::hashmap_with_clock(quota(rate), clock.clone());
        Self { limiter, hasher: RandomState::new(), clock }
    }

    /// Counts a request; how long to wait if it is too many.
    pub(super) fn wait(&self, who: &impl Hash) -> Option<Duration> {
        let bucket = u16::try_from(self.hasher.hash_one(who) % BUCKETS).unwrap_or_default();
        self.limiter.check_key(&bucket).err().map(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    pub(super) fn tidy(&self) {
        self.limiter.retain_recent();
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Table").field("buckets_in_use", &self.limiter.len()).finish_non_exhaustive()
    }
}

fn quota(rate: Rate) -> Quota {
    let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
    // An interval is never zero; were it, one a minute would be allowed.
    Quota::with_period(rate.interval).unwrap_or(Quota::per_minute(NonZeroU32::MIN)).allow_burst(burst)
}

/// The one clock, as the library wants it.
#[derive(Debug, Clone)]
struct Time(Clock);

impl GovernorClock for Time {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        // The library looks back by as much as a burst, and cannot look back before zero.
        Nanos::from(self.0.elapsed() + Duration::from_hours(24))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(a_minute: u32, burst: u32) -> (Table, Clock) {
        let clock = Clock::manual("2026-11-20T12:00:00Z".parse().expect("time"));
        (Table::new(Rate::a_minute(a_minute, burst), &clock), clock)
    }

    #[test]
    fn rate_01_bursts_and_refills_are_exact() {
        let (table, clock) = table(60, 10);
        let allowed = |requests: u32| (0..requests).filter(|_| table.wait(&"ada").is_none()).count();
        assert_eq!(allowed(30), 10, "the burst");
        assert_eq!(table.wait(&"ada"), Some(Duration::from_secs(1)));
        clock.advance(Duration::from_millis(999));
        assert_eq!(allowed(5), 0);
        clock.advance(Duration::from_millis(1));
        assert_eq!(allowed(5), 1);
        // A minute of asking twice a second: one a second is served.
        let mut served = 0;
        for _ in 0..120 {
            clock.advance(Duration::from_millis(500));
            served += allowed(1);
        }
        assert_eq!(served, 60);
        clock.advance(Duration::from_hours(1));
        assert_eq!(allowed(30), 10, "no more than the burst is saved up");
    }

    #[test]
    fn rate_04_a_million_strangers_fit_into_the_table() {
        let (table, clock) = table(60, 10);
        for number in 0..1_000_000_u32 {
            table.wait(&number);
        }
        assert!(table.limiter.len() <= 65_536, "{}", table.limiter.len());
        clock.advance(Duration::from_mins(10));
        table.tidy();
        assert_eq!(table.limiter.len(), 0);
    }
}
