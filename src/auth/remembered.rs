//! Credentials that were found valid a moment ago, so that neither signatures nor the database bound the throughput. They
//! are remembered by their hash, for at most a minute, never past the expiry of a token, and not once this process has
//! revoked anything. What another process revokes opens here for that minute.

use crate::{
    clock::Clock,
    model::{Caller, sha256},
};
use jiff::Timestamp;
use moka::sync::Cache;
use std::time::Duration;

/// How long at most.
const LONGEST: Duration = Duration::from_mins(1);
/// How many at most.
const MOST: u64 = 10_000;

/// The hash of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    pub(super) fn of(text: &str) -> Self {
        Self(sha256(text))
    }
}

#[derive(Debug, Clone)]
struct Entry {
    caller: Caller,
    /// On the steady clock.
    forget_at: Duration,
    /// What the store said of revocations before this was judged.
    revocations: u64,
    expires_at: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Remembered {
    entries: Cache<Digest, Entry>,
    clock: Clock,
}

impl Remembered {
    pub(super) fn new(clock: Clock) -> Self {
        // The crate's own clock is a ceiling; ours decides.
        Self { entries: Cache::builder().max_capacity(MOST).time_to_live(LONGEST).build(), clock }
    }

    /// The caller, if nothing was revoked here since.
    pub(super) fn get(&self, digest: &Digest, revocations: u64) -> Option<Caller> {
        let entry = self.entries.get(digest)?;
        let is_over = entry.forget_at <= self.clock.elapsed()
            || entry.revocations != revocations
            || entry.expires_at.is_some_and(|expires_at| expires_at <= self.clock.now());
        (!is_over).then_some(entry.caller)
    }

    pub(super) fn put(&self, digest: Digest, caller: Caller, expires_at: Option<Timestamp>, revocations: u64) {
        let forget_at = self.clock.elapsed() + LONGEST;
        self.entries.insert(digest, Entry { caller, forget_at, revocations, expires_at });
    }
}
