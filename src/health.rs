//! The health registry: each part reports how it is, the health paths read it. Reading costs no call to anybody.

use crate::clock::Clock;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};

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

/// One dependency as it stands.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its name, as in the metric `dependency_up`.
    pub name: &'static str,
    /// Whether this instance cannot serve without it.
    pub needed_to_serve: bool,
    /// How it is.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
}

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
    pub fn register(&self, name: &'static str, needed_to_serve: bool) -> Reporter {
        let check = Check { name, needed_to_serve, state: State::Unknown, since: self.clock.now() };
        self.lock().push(check);
        Reporter { health: self.clone(), name }
    }

    /// All checks, in the order in which they were added.
    pub fn checks(&self) -> Vec<Check> {
        self.lock().clone()
    }

    /// Whether this instance can serve: what it needs has answered, and still does.
    pub fn is_ready(&self) -> bool {
        self.lock().iter().all(|check| !check.needed_to_serve || check.state == State::Up)
    }

    fn set(&self, name: &'static str, state: State) {
        let now = self.clock.now();
        let mut checks = self.lock();
        let Some(check) = checks.iter_mut().find(|check| check.name == name) else {
            return;
        };
        if check.state.as_str() == state.as_str() {
            check.state = state;
            return;
        }
        match &state {
            State::Down(cause) => tracing::warn!(dependency = name, cause, "dependency is down"),
            State::Up | State::Unknown => {
                tracing::info!(dependency = name, state = state.as_str(), "dependency changed");
            }
        }
        check.state = state;
        check.since = now;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Check>> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Through this a part says how its dependency is.
#[derive(Debug, Clone)]
pub struct Reporter {
    health: Health,
    name: &'static str,
}

impl Reporter {
    /// The dependency answered.
    pub fn up(&self) {
        self.health.set(self.name, State::Up);
    }

    /// The dependency failed. `cause` is for the operator: what is wrong and what to do, without secrets.
    pub fn down(&self, cause: impl Into<String>) {
        self.health.set(self.name, State::Down(cause.into()));
    }
}
