//! The one clock. Everything that asks for the time asks here, so that tests can move it.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

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
}

impl Clock {
    /// The clock of the machine.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn system() -> Self {
        Self(Source::System(Instant::now()))
    }

    /// A clock that stands until it is moved with [`Clock::advance`].
    pub fn manual(now: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(Manual { now, elapsed: Duration::ZERO }))))
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
        }
    }
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
