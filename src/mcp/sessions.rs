//! Who is here: distinct pairs of caller and client that were heard of in the last five minutes. There are no sessions
//! in the protocol as it is served here, and operators still want to know how many use the server.

use crate::{clock::Clock, model::Principal};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long a pair counts after it was last heard of.
const ACTIVE_FOR: Duration = Duration::from_mins(5);
/// No more pairs are told apart, whatever clients call themselves.
const MOST: usize = 10_000;

/// The pairs, by a hash. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Sessions {
    seen: Arc<Mutex<HashMap<u64, Duration>>>,
    clock: Clock,
}

impl Sessions {
    /// Nobody yet.
    pub(super) fn new(clock: Clock) -> Self {
        Self { seen: Arc::default(), clock }
    }

    /// This caller was heard of, through this client.
    pub(super) fn heard_of(&self, principal: &Principal, client: &str) {
        let mut hasher = DefaultHasher::new();
        (principal.as_str(), client).hash(&mut hasher);
        let now = self.clock.elapsed();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.retain(|_, last| is_active(*last, now));
        }
        if seen.len() < MOST || seen.contains_key(&hasher.finish()) {
            seen.insert(hasher.finish(), now);
        }
    }

    /// How many are active.
    pub(super) fn count(&self) -> usize {
        let now = self.clock.elapsed();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, last| is_active(*last, now));
        seen.len()
    }
}

fn is_active(last: Duration, now: Duration) -> bool {
    now.saturating_sub(last) < ACTIVE_FOR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_count_once_for_five_minutes_and_their_number_is_bounded() {
        let clock = Clock::manual("2026-11-20T12:00:00Z".parse().expect("time"));
        let sessions = Sessions::new(clock.clone());
        let (one, other) = (Principal::new("one"), Principal::new("other"));
        for _ in 0..3 {
            sessions.heard_of(&one, "claude");
        }
        sessions.heard_of(&one, "cursor");
        sessions.heard_of(&other, "claude");
        assert_eq!(sessions.count(), 3);
        clock.advance(Duration::from_mins(4));
        sessions.heard_of(&other, "claude");
        clock.advance(Duration::from_mins(1));
        assert_eq!(sessions.count(), 1);
        for number in 0..20_000 {
            sessions.heard_of(&one, &number.to_string());
        }
        assert_eq!(sessions.count(), MOST);
    }
}
