//! The one clock. Everything that asks for the time asks here, so that tests can move it.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// The time of day and a steady count of time. Cheap to clone; clones of a manual clock move together.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System(Instant),
    Manual(Arc<Mutex<Manual>>),
}

#[derive(Debug)]
struct Manual {
    now: Timestamp,
    elapsed: Duration,
    moved: Arc<Notify>,
}

impl Clock {
    /// The clock of the machine.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn system() -> Self {
        Self(Source::System(Instant::now()))
    }

    /// A clock that stands until it is moved with [`Clock::advance`].
    pub fn manual(now: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(Manual { now, elapsed: Duration::ZERO, moved: Arc::default() }))))
    }

    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System(_) => Timestamp::now(),
            Source::Manual(manual) => manual.lock().unwrap_or_else(PoisonError::into_inner).now,
        }
    }

    /// Time since the clock was made; never goes back, whatever happens to the time of day.
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Source::System(started) => started.elapsed(),
            Source::Manual(manual) => manual.lock().unwrap_or_else(PoisonError::into_inner).elapsed,
        }
    }

    /// Moves a manual clock on; the machine's clock moves by itself.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(manual) = &self.0 {
            let mut manual = manual.lock().unwrap_or_else(PoisonError::into_inner);
            manual.elapsed += by;
            manual.now += SignedDuration::try_from(by).unwrap_or(SignedDuration::ZERO);
            manual.moved.notify_waiters();
        }
    }

    /// Moves the time of day alone, as somebody who sets a machine's clock does.
    pub fn set_time_of_day(&self, now: Timestamp) {
        if let Source::Manual(manual) = &self.0 {
            manual.lock().unwrap_or_else(PoisonError::into_inner).now = now;
        }
    }

    /// Waits until this much time has passed on this clock.
    pub async fn sleep(&self, time: Duration) {
        match &self.0 {
            Source::System(_) => tokio::time::sleep(time).await,
            Source::Manual(manual) => {
                let until = self.elapsed() + time;
                while self.elapsed() < until {
                    let moved = Arc::clone(&manual.lock().unwrap_or_else(PoisonError::into_inner).moved);
                    let notified = moved.notified();
                    if self.elapsed() < until {
                        notified.await;
                    }
                }
            }
        }
    }
}

/// The moment by which a call must have its answer. It travels with the call, so that no layer works past it. Clones
/// share it.
#[derive(Debug, Clone)]
pub struct Deadline(Arc<AtomicU64>);

impl Deadline {
    /// So much time from now.
    pub fn after(clock: &Clock, time: Duration) -> Self {
        Self(Arc::new(AtomicU64::new(nanoseconds(clock.elapsed().saturating_add(time)))))
    }

    /// One of its own at the same moment.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self(Arc::new(AtomicU64::new(self.0.load(Ordering::Relaxed))))
    }

    /// Not before `other`: somebody who has more time joined.
    pub fn extend_to(&self, other: &Self) {
        self.0.fetch_max(other.0.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// What is left of it.
    pub fn left(&self, clock: &Clock) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed)).saturating_sub(clock.elapsed())
    }
}

/// Centuries fit.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// RFC 3339 in whole seconds, UTC: how times are written wherever they are shown.
pub fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How long it is to the next midnight in the US Pacific time zone, where Google's day begins.
pub fn until_pacific_midnight(now: Timestamp) -> Duration {
    let midnight = TimeZone::get("America/Los_Angeles")
        .and_then(|zone| now.to_zoned(zone).tomorrow())
        .and_then(|tomorrow| tomorrow.start_of_day());
    // The zone is compiled in; were it missing, a day is the longest that it can be.
    let wait = midnight.map_or(SignedDuration::from_hours(24), |midnight| midnight.timestamp().duration_since(now));
    Duration::try_from(wait).unwrap_or(Duration::ZERO)
}

/// Google's day: the date in the US Pacific time zone. Nothing if the zone is missing, which it is not: it is compiled in.
pub fn pacific_day(now: Timestamp) -> Option<Date> {
    Some(now.to_zoned(TimeZone::get("America/Los_Angeles").ok()?).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn googles_day_ends_at_midnight_in_california_also_when_clocks_change() {
        let hours = |now: &str| until_pacific_midnight(now.parse().expect("time")).as_secs() / 3600;
        assert_eq!(hours("2026-11-20T07:00:00Z"), 1);
        assert_eq!(hours("2026-11-20T08:00:00Z"), 24);
        // On this day clocks go back: it has 25 hours.
        assert_eq!(hours("2026-11-01T07:00:00Z"), 25);
    }
}
