//! All signing keys of one moment, and the rules of their lives: when the next is published, which one signs, and which are
//! not needed any more. Nothing is read or written here.

use super::signing_key::SigningKey;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

/// How long a key signs before the next one does.
const SIGNS_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long before it signs a key is published, so that whoever remembers our keys knows it by then.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// How long a key stays after its successor began to sign: longer than any token of it lives.
const OUTLIVES: SignedDuration = SignedDuration::from_hours(1);

/// The keys, the oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyRing(Arc<[Held]>);

/// One of them.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) sequence: i64,
    pub(super) id: String,
    pub(super) signs_from: Timestamp,
    /// Nothing if our secret does not open it. It is not published then.
    pub(super) key: Option<Arc<SigningKey>>,
}

/// A key that should be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) sequence: i64,
    pub(super) signs_from: Timestamp,
}

impl KeyRing {
    /// Of these keys, the oldest first.
    pub(super) fn new(keys: Vec<Held>) -> Self {
        Self(keys.into())
    }

    /// Whether there are none at all.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there are some that are not opened.
    pub(super) fn has_closed(&self) -> bool {
        self.0.iter().any(|held| held.key.is_none())
    }

    /// The opened key of this id.
    pub(super) fn key(&self, id: &str) -> Option<&Arc<SigningKey>> {
        self.0.iter().find(|held| held.id == id)?.key.as_ref()
    }

    /// The newest key whose time has come, and since when it signs.
    pub(super) fn signing(&self, now: Timestamp) -> Option<(&SigningKey, Timestamp)> {
        // A clock that was set back must not stop everything: then the oldest signs.
        self.opened().rev().find(|(_, from)| *from <= now).or_else(|| self.opened().next())
    }

    /// The key that should be made now, if one should: the first, or the one after the newest.
    pub(super) fn due(&self, now: Timestamp) -> Option<Due> {
        let Some(newest) = self.0.last() else { return Some(Due { sequence: 1, signs_from: now }) };
        let (ends, earliest) = (later(newest.signs_from, SIGNS_FOR), later(now, AHEAD));
        // Who was away for long is late, and publishes the next one as long ahead all the same.
        (ends <= earliest).then(|| Due { sequence: newest.sequence + 1, signs_from: ends.max(earliest) })
    }

    /// The sequence of the first key that is still needed, if there are keys before it.
    pub(super) fn needed_from(&self, now: Timestamp) -> Option<i64> {
        let has_replaced = |held: &&Held| held.key.is_some() && later(held.signs_from, OUTLIVES) <= now;
        let needed = self.0.iter().rev().find(has_replaced)?.sequence;
        self.0.first().is_some_and(|oldest| oldest.sequence < needed).then_some(needed)
    }

    /// The JSON Web Key Set. Source: RFC 7517 §5.
    pub(super) fn published(&self) -> Value {
        json!({"keys": self.opened().map(|(key, _)| key.public()).collect::<Vec<_>>()})
    }

    fn opened(&self) -> impl DoubleEndedIterator<Item = (&SigningKey, Timestamp)> {
        self.0.iter().filter_map(|held| Some((held.key.as_deref()?, held.signs_from)))
    }
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    /// Keys that sign from these hours on; those that are not opened are marked.
    fn ring(keys: &[(i64, bool)]) -> KeyRing {
        let held = |(position, (from, is_opened)): (usize, &(i64, bool))| {
            let key = Arc::new(SigningKey::make().expect("randomness").0);
            let sequence = i64::try_from(position).expect("few") + 1;
            let (id, signs_from) = (key.id().to_owned(), hours(*from));
            Held { sequence, id, signs_from, key: is_opened.then_some(key) }
        };
        KeyRing::new(keys.iter().enumerate().map(held).collect())
    }

    fn signing_since(ring: &KeyRing, now: i64) -> Option<Timestamp> {
        ring.signing(hours(now)).map(|(_, from)| from)
    }

    #[test]
    fn the_next_key_is_due_a_day_before_it_signs_and_never_later_than_that() {
        let (none, one) = (KeyRing::default(), ring(&[(0, true)]));
        let due = |ring: &KeyRing, now| ring.due(hours(now)).map(|due| (due.sequence, due.signs_from));
        assert_eq!(due(&none, 7), Some((1, hours(7))));
        assert_eq!(due(&one, 29 * 24 - 1), None);
        assert_eq!(due(&one, 29 * 24), Some((2, hours(30 * 24))));
        assert_eq!(due(&one, 29 * 24 + 5), Some((2, hours(30 * 24 + 5))));
        assert_eq!(due(&one, 90 * 24), Some((2, hours(91 * 24))));
        assert_eq!(due(&ring(&[(0, true), (720, true)]), 719), None);
        // One of somebody else's counts as well: two must not be made for one time.
        assert_eq!(due(&ring(&[(0, true), (720, false)]), 719), None);
    }

    #[test]
    fn the_newest_key_whose_time_has_come_signs() {
        let two = ring(&[(0, true), (720, true)]);
        assert_eq!(signing_since(&two, 719), Some(hours(0)));
        assert_eq!(signing_since(&two, 720), Some(hours(720)));
        assert_eq!(signing_since(&two, -5), Some(hours(0)), "the clock was set back");
        assert_eq!(signing_since(&ring(&[(0, true), (720, false)]), 800), Some(hours(0)), "it cannot be opened");
        assert_eq!(signing_since(&ring(&[(0, false)]), 800), None);
    }

    #[test]
    fn a_key_is_needed_for_an_hour_after_its_successor_began() {
        let two = ring(&[(0, true), (720, true)]);
        assert_eq!((two.needed_from(hours(720)), two.needed_from(hours(721))), (None, Some(2)));
        assert_eq!(ring(&[(0, true)]).needed_from(hours(9_000)), None);
        // Who cannot sign with the newer one needs the older one still.
        assert_eq!(ring(&[(0, true), (720, false)]).needed_from(hours(721)), None);
    }
}
