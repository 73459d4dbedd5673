//! A circuit breaker: what has failed again and again is left alone for a while, then probed by one call.
//!
//! It opens after five consecutive failures, because a dependency that is down should be noticed at low traffic, or
//! when half of at least twenty calls within thirty seconds failed, because one that flaps never fails five times in a
//! row. Faults of the caller and quotas are no failures.

use crate::clock::Clock;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const CONSECUTIVE_FAILURES: u32 = 5;
const WINDOW: Duration = Duration::from_secs(30);
const WINDOW_CALLS: usize = 20;

/// How long a breaker stays open.
#[derive(Debug, Clone, Copy)]
pub struct OpenFor {
    /// The first time.
    pub first: Duration,
    /// Doubled with each failed probe, up to this.
    pub longest: Duration,
}

/// What a call showed about the dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Success,
    /// It does not.
    Failure,
}

/// Closed, half open or open, as the metric `circuit_breaker_state` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Position {
    /// Calls go through.
    Closed = 0,
    /// One call probes.
    HalfOpen = 1,
    /// Calls are refused.
    Open = 2,
}

/// One breaker. Clones share it.
#[derive(Debug, Clone)]
pub struct Breaker {
    clock: Clock,
    open_for: OpenFor,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    consecutive: u32,
    /// Outcomes of the last thirty seconds: when, and whether it failed.
    recent: VecDeque<(Duration, bool)>,
    /// How long the next opening lasts.
    next_open: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open {
        until: Duration,
    },
    /// A probe is under way.
    Probing,
}

/// The breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// When the next probe may be made.
    pub retry_after: Duration,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(clock: Clock, open_for: OpenFor) -> Self {
        let state = State { phase: Phase::Closed, consecutive: 0, recent: VecDeque::new(), next_open: open_for.first };
        Self { clock, open_for, state: Arc::new(Mutex::new(state)) }
    }

    /// Asks to make a call. Whoever gets a permit tells what the call showed, or drops it if it showed nothing.
    ///
    /// # Errors
    /// [`Open`] when no call should be made now.
    pub fn permit(&self) -> Result<Permit, Open> {
        let now = self.clock.elapsed();
        let mut state = self.lock();
        match state.phase {
            Phase::Closed => Ok(Permit { breaker: self.clone(), is_probe: false, told: false }),
            Phase::Open { until } if now >= until => {
                state.phase = Phase::Probing;
                Ok(Permit { breaker: self.clone(), is_probe: true, told: false })
            }
            Phase::Open { until } => Err(Open { retry_after: until.saturating_sub(now) }),
            // The probe tells soon.
            Phase::Probing => Err(Open { retry_after: Duration::from_secs(1) }),
        }
    }

    /// Where it stands.
    pub fn position(&self) -> Position {
        match self.lock().phase {
            Phase::Closed => Position::Closed,
            Phase::Open { until } if self.clock.elapsed() < until => Position::Open,
            Phase::Open { .. } | Phase::Probing => Position::HalfOpen,
        }
    }

    fn tell(&self, is_probe: bool, verdict: Verdict) {
        let now = self.clock.elapsed();
        let mut state = self.lock();
        match (is_probe, verdict) {
            (true, Verdict::Success) => {
                *state = State {
                    phase: Phase::Closed,
                    consecutive: 0,
                    recent: VecDeque::new(),
                    next_open: self.open_for.first,
                };
            }
            (true, Verdict::Failure) => state.open(now, self.open_for),
            (false, verdict) if state.phase == Phase::Closed => {
                state.note(now, verdict == Verdict::Failure);
                if state.is_failing() {
                    state.open(now, self.open_for);
                }
            }
            // A call from before the opening tells nothing new.
            (false, _) => {}
        }
    }

    /// A probe that showed nothing, for example because its caller went away: the next call probes.
    fn give_back(&self, is_probe: bool) {
        let mut state = self.lock();
        if is_probe && state.phase == Phase::Probing {
            state.phase = Phase::Open { until: self.clock.elapsed() };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, now: Duration, failed: bool) {
        self.consecutive = if failed { self.consecutive + 1 } else { 0 };
        self.recent.push_back((now, failed));
        while self.recent.front().is_some_and(|(then, _)| now.saturating_sub(*then) > WINDOW) {
            self.recent.pop_front();
        }
        // More calls than this say no more about a half.
        if self.recent.len() > 1_000 {
            self.recent.pop_front();
        }
    }

    fn is_failing(&self) -> bool {
        let failures = self.recent.iter().filter(|(_, failed)| *failed).count();
        self.consecutive >= CONSECUTIVE_FAILURES
            || (self.recent.len() >= WINDOW_CALLS && failures * 2 >= self.recent.len())
    }

    fn open(&mut self, now: Duration, open_for: OpenFor) {
        self.phase = Phase::Open { until: now + self.next_open };
        self.next_open = (self.next_open * 2).min(open_for.longest);
        self.consecutive = 0;
        self.recent.clear();
    }
}

/// Leave to make one call.
#[derive(Debug)]
pub struct Permit {
    breaker: Breaker,
    is_probe: bool,
    told: bool,
}

impl Permit {
    /// Whether the call is the one that probes.
    pub fn is_probe(&self) -> bool {
        self.is_probe
    }

    /// Tells what the call showed.
    pub fn tell(mut self, verdict: Verdict) {
        self.told = true;
        self.breaker.tell(self.is_probe, verdict);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.told {
            self.breaker.give_back(self.is_probe);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn breaker() -> (Breaker, Clock) {
        let clock = Clock::manual("2026-11-20T12:00:00Z".parse().expect("time"));
        let open_for = OpenFor { first: Duration::from_secs(30), longest: Duration::from_mins(5) };
        (Breaker::new(clock.clone(), open_for), clock)
    }

    fn call(breaker: &Breaker, verdict: Verdict) -> bool {
        breaker.permit().map(|permit| permit.tell(verdict)).is_ok()
    }

    fn open(breaker: &Breaker) {
        for _ in 0..5 {
            assert!(call(breaker, Verdict::Failure));
        }
        assert_eq!(breaker.position(), Position::Open);
    }

    #[test]
    fn five_failures_in_a_row_open_it_for_thirty_seconds() {
        let (breaker, clock) = breaker();
        for _ in 0..4 {
            call(&breaker, Verdict::Failure);
        }
        call(&breaker, Verdict::Success);
        open(&breaker);
        assert_eq!(breaker.permit().expect_err("open").retry_after, Duration::from_secs(30));
        clock.advance(Duration::from_secs(30));
        assert!(call(&breaker, Verdict::Success));
        assert_eq!(breaker.position(), Position::Closed);
    }

    #[test]
    fn half_of_twenty_calls_open_it() {
        let (breaker, _) = breaker();
        for number in 0..20 {
            assert!(call(&breaker, if number % 2 == 0 { Verdict::Success } else { Verdict::Failure }), "{number}");
        }
        assert_eq!(breaker.position(), Position::Open);
    }

    #[test]
    fn failures_of_long_ago_do_not_count() {
        let (breaker, clock) = breaker();
        for number in 0..40 {
            call(&breaker, if number % 2 == 0 { Verdict::Success } else { Verdict::Failure });
            clock.advance(Duration::from_secs(2));
        }
        assert_eq!(breaker.position(), Position::Closed);
    }

    #[test]
    fn up_12_a_probe_that_is_cancelled_gives_its_permit_back() {
        let (breaker, clock) = breaker();
        open(&breaker);
        clock.advance(Duration::from_secs(30));
        let probe = breaker.permit().expect("a probe");
        assert!(breaker.permit().is_err(), "one probe at a time");
        drop(probe);
        assert!(call(&breaker, Verdict::Success));
        assert_eq!(breaker.position(), Position::Closed);
    }

    #[test]
    fn failed_probes_double_the_wait_up_to_five_minutes() {
        let (breaker, clock) = breaker();
        open(&breaker);
        for seconds in [30, 60, 120, 240, 300, 300] {
            assert_eq!(breaker.permit().expect_err("open").retry_after, Duration::from_secs(seconds));
            clock.advance(Duration::from_secs(seconds));
            assert!(call(&breaker, Verdict::Failure));
        }
    }

    proptest! {
        /// Whatever happens: never two probes at once, never open for ever.
        #[test]
        fn it_always_probes_again_and_one_at_a_time(steps in prop::collection::vec((0_u8..4, 1_u64..60), 1..200)) {
            let (breaker, clock) = breaker();
            let mut held: Vec<Permit> = Vec::new();
            for (step, seconds) in steps {
                match step {
                    0 => held.extend(breaker.permit().ok()),
                    1 => if let Some(permit) = held.pop() { permit.tell(Verdict::Failure) },
                    2 => if let Some(permit) = held.pop() { permit.tell(Verdict::Success) },
                    _ => drop(held.pop()),
                }
                prop_assert!(held.iter().filter(|permit| permit.is_probe).count() <= 1);
                clock.advance(Duration::from_secs(seconds));
            }
            held.clear();
            clock.advance(Duration::from_mins(5));
            prop_assert!(breaker.permit().is_ok());
        }
    }
}
