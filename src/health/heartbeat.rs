//! The beat that a runtime gives as long as its tasks get their turn: `/livez` looks at its age, the watchdog counts it.

use crate::{clock::Clock, tasks::Tasks, telemetry::Metrics};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::DropGuard;

/// Between two beats.
pub const BEAT: Duration = Duration::from_secs(1);
/// Without a beat for longer than this, the runtime no longer lives.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

/// Clones hear the same heart.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    heart: Arc<Heart>,
    clock: Clock,
}

#[derive(Debug)]
struct Heart {
    beats: AtomicU64,
    /// When the last one was, in milliseconds of the clock.
    last: AtomicU64,
}

impl Heartbeat {
    /// It has just beaten, and does not again until it is kept going.
    pub fn new(clock: Clock) -> Self {
        let last = AtomicU64::new(milliseconds(clock.elapsed()));
        Self { heart: Arc::new(Heart { beats: AtomicU64::new(0), last }), clock }
    }

    /// Beats until the guard is dropped: also while the process stops, since calls that finish may take long.
    pub fn keep(&self, tasks: &Tasks, metrics: Metrics) -> DropGuard {
        let heartbeat = self.clone();
        tasks.supervise_to_the_end("heartbeat", metrics, move || {
            let heartbeat = heartbeat.clone();
            async move {
                loop {
                    heartbeat.beat();
                    heartbeat.clock.sleep(BEAT).await;
                }
            }
        })
    }

    /// Whether it has beaten lately.
    pub fn is_alive(&self) -> bool {
        let last = Duration::from_millis(self.heart.last.load(Ordering::Relaxed));
        self.clock.elapsed().saturating_sub(last) <= LONGEST_SILENCE
    }

    /// How often it has beaten.
    pub fn beats(&self) -> u64 {
        self.heart.beats.load(Ordering::Relaxed)
    }

    fn beat(&self) {
        self.heart.last.store(milliseconds(self.clock.elapsed()), Ordering::Relaxed);
        self.heart.beats.fetch_add(1, Ordering::Relaxed);
    }
}

/// Ages of the earth fit.
fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Clock {
        Clock::manual("2026-11-20T12:00:00Z".parse().expect("time"))
    }

    #[test]
    fn life_11_fifteen_seconds_of_silence_are_borne_and_no_more() {
        let clock = standing();
        let heartbeat = Heartbeat::new(clock.clone());
        clock.advance(Duration::from_secs(15));
        assert!(heartbeat.is_alive());
        clock.advance(Duration::from_millis(1));
        assert!(!heartbeat.is_alive());
        heartbeat.beat();
        assert!(heartbeat.is_alive());
    }

    #[tokio::test]
    async fn life_11_the_heart_beats_each_second_also_while_the_process_stops() {
        let (clock, tasks) = (standing(), Tasks::new());
        let heartbeat = Heartbeat::new(clock.clone());
        let guard = heartbeat.keep(&tasks, Metrics::new().expect("metrics"));
        let beats = async |least: u64| {
            while heartbeat.beats() < least {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        beats(1).await;
        assert!(tasks.stop(Duration::from_secs(5)).await, "the heart is not waited for");
        for beat in 2..5 {
            clock.advance(BEAT);
            beats(beat).await;
        }
        drop(guard);
        tokio::time::sleep(Duration::from_millis(10)).await;
        clock.advance(BEAT);
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(heartbeat.beats(), 4, "it ends with its guard");
    }
}
