//! The memory tier: bounded by bytes, expiring by our clock, with moka's own clock as a ceiling so that nothing lies
//! about for which nobody asks again.

use super::{Shared, key::Hash};
use crate::clock::Clock;
use moka::{Expiry, sync::Cache};
use std::time::{Duration, Instant};

/// What an entry takes beside its value: key, pointers, moka's books.
const OVERHEAD_BYTES: usize = 400;
/// Values take more room as structs than as JSON.
const STRUCT_FACTOR: usize = 2;

#[derive(Debug)]
pub(super) struct Memory {
    entries: Cache<Hash, Entry>,
    clock: Clock,
}

#[derive(Debug, Clone)]
struct Entry {
    value: Shared,
    expires: Duration,
    lifetime: Duration,
    bytes: u32,
}

struct Ceiling;

impl Expiry<Hash, Entry> for Ceiling {
    fn expire_after_create(&self, _: &Hash, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.lifetime)
    }
}

impl Memory {
    pub(super) fn new(bytes: u64, clock: Clock) -> Self {
        let weigh = |_: &Hash, entry: &Entry| entry.bytes;
        Self { entries: Cache::builder().max_capacity(bytes).weigher(weigh).expire_after(Ceiling).build(), clock }
    }

    pub(super) fn get(&self, hash: &Hash) -> Option<Shared> {
        let entry = self.entries.get(hash)?;
        if self.clock.elapsed() < entry.expires {
            return Some(entry.value);
        }
        self.entries.invalidate(hash);
        None
    }

    /// Keeps `value` for `lifetime`; `written` is its length as JSON.
    pub(super) fn put(&self, hash: Hash, value: Shared, lifetime: Duration, written: usize) {
        let bytes = u32::try_from(written * STRUCT_FACTOR + OVERHEAD_BYTES).unwrap_or(u32::MAX);
        self.entries.insert(hash, Entry { value, expires: self.clock.elapsed() + lifetime, lifetime, bytes });
    }

    pub(super) fn tidy(&self) {
        self.entries.run_pending_tasks();
    }

    pub(super) fn bytes(&self) -> u64 {
        self.entries.run_pending_tasks();
        self.entries.weighted_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn cache_11_a_million_keys_stay_within_the_bound() {
        const BOUND: u64 = 10_000_000;
        let memory = Memory::new(BOUND, Clock::system());
        let value: Shared = Arc::new(());
        for number in 0..1_000_000_u64 {
            let mut hash = Hash::default();
            if let Some(place) = hash.first_chunk_mut() {
                *place = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
            }
            memory.put(hash, Arc::clone(&value), Duration::from_mins(1), 200);
            if number % 100_000 == 0 {
                // Between two rounds of its housekeeping moka may hold a little more.
                assert!(memory.entries.weighted_size() <= BOUND * 2);
            }
        }
        assert!(memory.bytes() <= BOUND, "{}", memory.bytes());
        assert!(memory.bytes() > BOUND / 2, "it holds what it may");
    }

    #[test]
    fn an_entry_expires_by_our_clock() {
        let clock = Clock::manual("2026-11-20T12:00:00Z".parse().expect("time"));
        let memory = Memory::new(1_000_000, clock.clone());
        memory.put(Hash::default(), Arc::new(()), Duration::from_mins(1), 10);
        clock.advance(Duration::from_secs(59));
        assert!(memory.get(&Hash::default()).is_some());
        clock.advance(Duration::from_secs(1));
        assert!(memory.get(&Hash::default()).is_none());
    }
}
