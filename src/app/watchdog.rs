//! Ends the process when its runtime hangs, so that whatever restarts it can do so: a process that is there but answers
//! nobody is worse than none. The watch is kept by a thread of its own, because a runtime that hangs cannot watch itself.

use crate::health::{BEAT, Heartbeat};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

/// Fewer looks than this in a row without a beat mean nothing: beats and looks are equally far apart, so that now and then
/// a beat comes just after the look, and the first look of a process that was stopped and goes on comes before any beat.
const LEAST_LOOKS: u64 = 3;
/// How long the end waits for the words about it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Watches over a runtime until it is dropped.
#[derive(Debug)]
pub struct Watchdog(Arc<AtomicBool>);

impl Watchdog {
    /// Ends the process when no beat has come for as long as `limit`. A process that was stopped and goes on is given
    /// time: the watch stands still with it.
    pub(super) fn start(limit: Duration, heartbeat: Heartbeat) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        thread::spawn(move || {
            let looks = limit.as_secs().max(LEAST_LOOKS);
            if hangs(|| heartbeat.beats(), &over, looks, || thread::sleep(BEAT)) {
                speak_and_end(looks);
            }
        });
        Self(is_over)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Returns true when so many looks in a row have seen no beat, and false when the watch is over.
fn hangs(beats: impl Fn() -> u64, is_over: &AtomicBool, looks: u64, pause: impl Fn()) -> bool {
    let (mut last, mut missed) = (beats(), 0);
    while !is_over.load(Ordering::Relaxed) {
        pause();
        let now = beats();
        missed = if now == last { missed + 1 } else { 0 };
        last = now;
        if missed >= looks {
            return true;
        }
    }
    false
}

/// The words come from a thread of their own: a log that nobody reads may be what the runtime hangs on.
fn speak_and_end(limit_seconds: u64) -> ! {
    let (spoken, heard) = mpsc::channel();
    thread::spawn(move || {
        tracing::error!(limit_seconds, "the runtime hangs: the process ends, to be started again");
        let _ = spoken.send(());
    });
    let _ = heard.recv_timeout(LAST_WORDS);
    std::process::abort();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn life_11_a_heart_that_stands_still_is_seen_after_its_time_and_a_slow_one_is_not() {
        let (beats, over) = (AtomicU64::new(0), AtomicBool::new(false));
        let looks = AtomicU64::new(0);
        let slow = || {
            // A beat at every fourth look, up to the hundredth; then none.
            let look = looks.fetch_add(1, Ordering::Relaxed);
            if look.is_multiple_of(4) && look < 100 {
                beats.fetch_add(1, Ordering::Relaxed);
            }
        };
        assert!(hangs(|| beats.load(Ordering::Relaxed), &over, 5, slow));
        assert_eq!(looks.load(Ordering::Relaxed), 102);

        let until_told = || over.store(true, Ordering::Relaxed);
        assert!(!hangs(|| beats.load(Ordering::Relaxed), &over, 5, until_told), "the watch is over");
    }
}
