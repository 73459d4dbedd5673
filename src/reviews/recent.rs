//! Which places a caller has seen lately: their ids alone, in memory, for an hour. Clients offer them where a place is to
//! be named.

use crate::{clock::Clock, model::Principal};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long lately is.
const LATELY: Duration = Duration::from_hours(1);
/// Places of one caller.
const MOST_PLACES: usize = 40;
/// Callers; whoever was heard of longest ago makes room.
const MOST_CALLERS: usize = 1_000;

/// The places of all callers. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Recent {
    callers: Arc<Mutex<HashMap<String, Seen>>>,
    clock: Clock,
}

/// The places of one caller, the latest first, each with the time when it was seen.
#[derive(Debug, Default)]
struct Seen(Vec<(String, Duration)>);

impl Recent {
    pub(super) fn new(clock: Clock) -> Self {
        Self { callers: Arc::default(), clock }
    }

    /// This caller was shown these places, the first of them the nearest to what was asked for.
    pub(super) fn note<'a>(&self, caller: &Principal, places: impl IntoIterator<Item = &'a str>) {
        let now = self.clock.elapsed();
        let mut callers = self.lock();
        if callers.len() >= MOST_CALLERS && !callers.contains_key(caller.as_str()) {
            let oldest = callers.iter().min_by_key(|(_, seen)| seen.latest()).map(|(caller, _)| caller.clone());
            oldest.map(|oldest| callers.remove(&oldest));
        }
        let known = std::mem::take(&mut callers.entry(caller.as_str().to_owned()).or_default().0);
        let mut seen: Vec<_> = places.into_iter().map(|id| (id.to_owned(), now)).collect();
        for (id, since) in known {
            if !seen.iter().any(|(other, _)| *other == id) {
                seen.push((id, since));
            }
        }
        seen.truncate(MOST_PLACES);
        callers.insert(caller.as_str().to_owned(), Seen(seen));
    }

    /// Those of this caller whose ids begin so, the latest first.
    pub(super) fn beginning(&self, caller: &Principal, prefix: &str) -> Vec<String> {
        let now = self.clock.elapsed();
        let callers = self.lock();
        let seen = callers.get(caller.as_str()).map(|seen| seen.0.as_slice()).unwrap_or_default();
        let lately = seen.iter().filter(|(_, since)| now.saturating_sub(*since) < LATELY).map(|(id, _)| id);
        lately.filter(|id| id.starts_with(prefix)).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn latest(&self) -> Duration {
        self.0.first().map(|(_, since)| *since).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_sees_their_own_of_the_last_hour_and_the_memory_is_bounded() {
        let clock = Clock::manual("2026-11-20T12:00:00Z".parse().expect("time"));
        let recent = Recent::new(clock.clone());
        let id = |number: usize| format!("place_number_{number:04}");
        let (ada, bob) = (Principal::new("ada"), Principal::new("bob"));
        recent.note(&ada, [id(1), id(2)].iter().map(String::as_str));
        clock.advance(Duration::from_mins(30));
        recent.note(&ada, [id(3), id(1)].iter().map(String::as_str));
        recent.note(&bob, [id(9).as_str()]);
        assert_eq!(recent.beginning(&ada, ""), ["place_number_0003", "place_number_0001", "place_number_0002"]);
        assert_eq!(recent.beginning(&ada, "place_number_0002"), ["place_number_0002"]);
        assert!(recent.beginning(&ada, "other").is_empty());
        assert_eq!(recent.beginning(&bob, ""), ["place_number_0009"]);
        clock.advance(Duration::from_mins(30));
        assert_eq!(recent.beginning(&ada, "").len(), 2, "the first was seen an hour ago");
        let many: Vec<_> = (0..100).map(id).collect();
        recent.note(&ada, many.iter().map(String::as_str));
        assert_eq!(recent.beginning(&ada, "").len(), MOST_PLACES);
        for number in 0..2 * MOST_CALLERS {
            clock.advance(Duration::from_millis(1));
            recent.note(&Principal::new(format!("caller {number}")), [id(1).as_str()]);
        }
        assert_eq!(recent.lock().len(), MOST_CALLERS);
        assert!(recent.beginning(&bob, "").is_empty(), "made room");
    }
}
