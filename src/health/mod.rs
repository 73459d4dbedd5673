//! The health registry: each part reports how it is, the health paths read it. Reading costs no call to anybody.

mod heartbeat;

pub use heartbeat::{BEAT, Heartbeat};

use crate::clock::Clock;
use jiff::Timestamp;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How a dependency is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Not asked yet. Counts as up: an idle server is well.
    Unknown,
    /// The last call succeeded.
    Up,
    /// The last call failed, for this reason, in words for the operator.
    Down(String),
}

impl State {
    /// The name used in answers.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down(_) => "down",
        }
    }

    /// Whether the dependency can be used as far as is known.
    pub fn is_up(&self) -> bool {
        !matches!(self, Self::Down(_))
    }
}

/// Whether an instance can serve without a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It can.
    Never,
    /// It cannot begin without it, and goes on when it is away later.
    ToStart,
    /// It cannot.
    Always,
}

/// One dependency as it stands.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its name, as in the metric `dependency_up`.
    pub name: &'static str,
    /// Whether this instance can serve without it.
    pub need: Need,
    /// How it is.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// When it was last heard of, by a probe or by a real call.
    pub checked_at: Option<Timestamp>,
    /// How long it took to answer the last probe.
    pub latency: Option<Duration>,
    /// What it last failed with, and when; also after it has recovered.
    pub last_failure: Option<(String, Timestamp)>,
    /// Whether it was ever up.
    was_up: bool,
    /// Probes in a row that failed.
    failed_probes: u32,
}

/// A failure that lasts is logged again at each third probe.
const LOGGED_PROBES: u32 = 3;

/// All checks of one server. Clones see the same checks.
#[derive(Debug, Clone)]
pub struct Health {
    checks: Arc<Mutex<Vec<Check>>>,
    clock: Clock,
}

impl Health {
    /// No check yet.
    pub fn new(clock: Clock) -> Self {
        Self { checks: Arc::default(), clock }
    }

    /// Adds a check; the part that owns the dependency keeps the reporter.
    pub fn register(&self, name: &'static str, need: Need) -> Reporter {
        self.lock().push(Check {
            name,
            need,
            state: State::Unknown,
            since: self.clock.now(),
            checked_at: None,
            latency: None,
            last_failure: None,
            was_up: false,
            failed_probes: 0,
        });
        Reporter { health: self.clone(), name }
    }

    /// All checks, in the order in which they were added.
    pub fn checks(&self) -> Vec<Check> {
        self.lock().clone()
    }

    /// Whether this instance can serve: what it needs has answered, and still does.
    pub fn is_ready(&self) -> bool {
        self.lock().iter().all(|check| match check.need {
            Need::Never => true,
            Need::ToStart => check.was_up,
            Need::Always => check.state == State::Up,
        })
    }

    /// Whether this instance has been able to serve: what it needs has answered once.
    pub fn is_started(&self) -> bool {
        self.lock().iter().all(|check| check.need == Need::Never || check.was_up)
    }

    /// The present moment of the clock by which the checks are dated.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn update(&self, name: &'static str, change: impl FnOnce(&mut Check)) {
        let mut checks = self.lock();
        if let Some(check) = checks.iter_mut().find(|check| check.name == name) {
            check.checked_at = Some(self.clock.now());
            change(check);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Check>> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Check {
    /// Every change is logged once.
    fn enter(&mut self, state: State, now: Timestamp) {
        if let State::Down(cause) = &state {
            self.last_failure = Some((cause.clone(), now));
        }
        if state == State::Up {
            (self.was_up, self.failed_probes) = (true, 0);
        }
        if self.state.as_str() != state.as_str() {
            log_change(self.name, &state);
            self.since = now;
        }
        self.state = state;
    }
}

fn log_change(dependency: &'static str, state: &State) {
    match state {
        State::Down(cause) => tracing::warn!(dependency, cause, "dependency is down"),
        State::Up | State::Unknown => tracing::info!(dependency, state = state.as_str(), "dependency changed"),
    }
}

/// Through this a part says how its dependency is.
#[derive(Debug, Clone)]
pub struct Reporter {
    health: Health,
    name: &'static str,
}

impl Reporter {
    /// The dependency answered a real call.
    pub fn up(&self) {
        let now = self.health.now();
        self.health.update(self.name, |check| check.enter(State::Up, now));
    }

    /// The dependency failed a real call. `cause` is for the operator: what is wrong and what to do, without secrets.
    pub fn down(&self, cause: impl Into<String>) {
        let now = self.health.now();
        self.health.update(self.name, |check| check.enter(State::Down(cause.into()), now));
    }

    /// The outcome of a probe: how long the answer took, or the cause of the failure as in [`Reporter::down`].
    pub fn probed(&self, outcome: Result<Duration, String>) {
        let now = self.health.now();
        self.health.update(self.name, |check| match outcome {
            Ok(latency) => {
                check.latency = Some(latency);
                check.enter(State::Up, now);
            }
            Err(cause) => {
                check.failed_probes += 1;
                if check.failed_probes % LOGGED_PROBES == 0 {
                    let (probes, since) = (check.failed_probes, check.since);
                    tracing::warn!(dependency = check.name, cause, probes, %since, "dependency is still down");
                }
                check.enter(State::Down(cause), now);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_of_any_kind_ends_the_row_of_failed_probes() {
        let health = Health::new(Clock::manual("2026-11-20T12:00:00Z".parse().expect("time")));
        let reporter = health.register("redis", Need::Never);
        let failed = || health.checks()[0].failed_probes;
        reporter.probed(Err("away".to_owned()));
        reporter.probed(Err("away".to_owned()));
        assert_eq!(failed(), 2);
        reporter.up();
        assert_eq!((failed(), health.checks()[0].last_failure.is_some()), (0, true));
    }
}
