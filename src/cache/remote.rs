//! The shared tier in Redis. Each value is sealed to its key: one that was pasted, flipped or made up is a miss.

use super::key::Hash;
use crate::{clock::Clock, model::hex, redis::Redis, telemetry::CacheOutcome};
use aws_lc_rs::hmac;
use deadpool_redis::redis::cmd;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The form of what lies in Redis.
const FORM: u8 = 1;
const TIME_BYTES: usize = 8;
const SEAL_BYTES: usize = 32;
/// Larger values are not ours.
const LARGEST: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Remote {
    redis: Redis,
    seal: hmac::Key,
    clock: Clock,
}

impl Remote {
    pub(super) fn new(redis: Redis, seal: &[u8], clock: Clock) -> Self {
        Self { redis, seal: hmac::Key::new(hmac::HMAC_SHA256, seal), clock }
    }

    /// The value and what is left of its lifetime.
    pub(super) async fn get<V: DeserializeOwned>(&self, hash: &Hash) -> (Option<(V, Duration)>, CacheOutcome) {
        let name = name(hash);
        let lookup = self
            .redis
            .look_up("GET", async |connection| cmd("GET").arg(&name).query_async::<Option<Vec<u8>>>(connection).await);
        match lookup.await {
            Err(_) => (None, CacheOutcome::Error),
            Ok(None) => (None, CacheOutcome::Miss),
            Ok(Some(sealed)) => match self.open(hash, &sealed) {
                Some((_, Duration::ZERO)) => (None, CacheOutcome::Miss),
                Some((written, left)) => match serde_json::from_slice(written) {
                    Ok(value) => (Some((value, left)), CacheOutcome::Hit),
                    Err(_) => (None, CacheOutcome::Rejected),
                },
                None => (None, CacheOutcome::Rejected),
            },
        }
    }

    /// Keeps a value; whether that worked is of no matter to the caller.
    pub(super) async fn put(&self, hash: &Hash, written: &[u8], lifetime: Duration) -> CacheOutcome {
        let (name, sealed) = (name(hash), self.close(hash, written, lifetime));
        let milliseconds = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX).max(1);
        let stored = self.redis.run("SET", async |connection| {
            cmd("SET").arg(&name).arg(sealed).arg("PX").arg(milliseconds).query_async::<()>(connection).await
        });
        if stored.await.is_ok() { CacheOutcome::Stored } else { CacheOutcome::Error }
    }

    /// Form, time of expiry, value, seal.
    fn close(&self, hash: &Hash, written: &[u8], lifetime: Duration) -> Vec<u8> {
        let lifetime = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
        let expires = self.clock.now().as_millisecond().saturating_add(lifetime);
        let mut sealed = Vec::with_capacity(1 + TIME_BYTES + written.len() + SEAL_BYTES);
        sealed.push(FORM);
        sealed.extend_from_slice(&expires.to_be_bytes());
        sealed.extend_from_slice(written);
        let seal = hmac::sign(&self.seal, &[hash.as_slice(), &sealed].concat());
        sealed.extend_from_slice(seal.as_ref());
        sealed
    }

    /// The value, if it is ours, and what is left of its lifetime by our clock.
    fn open<'a>(&self, hash: &Hash, sealed: &'a [u8]) -> Option<(&'a [u8], Duration)> {
        if sealed.len() > LARGEST {
            return None;
        }
        let (content, seal) = sealed.split_at_checked(sealed.len().checked_sub(SEAL_BYTES)?)?;
        hmac::verify(&self.seal, &[hash.as_slice(), content].concat(), seal).ok()?;
        let (form, content) = content.split_first()?;
        let (expires, written) = content.split_at_checked(TIME_BYTES)?;
        let expires = i64::from_be_bytes(expires.try_into().ok()?);
        let left = expires.saturating_sub(self.clock.now().as_millisecond());
        (*form == FORM).then(|| (written, Duration::from_millis(u64::try_from(left).unwrap_or(0))))
    }
}

fn name(hash: &Hash) -> String {
    format!("google-reviews:cache:{}", hex(hash))
}
