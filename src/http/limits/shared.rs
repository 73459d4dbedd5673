//! The same limit for several servers, counted in Redis by its own clock, so that servers whose clocks differ agree.

use super::Rate;
use crate::{
    model::hex,
    redis::{Redis, Unavailable},
};
use aws_lc_rs::digest::{SHA256, digest};
use deadpool_redis::redis::Script;
use std::{fmt, time::Duration};

/// When the next request would be due if all came evenly; a request is early by at most the burst. Times in microseconds.
const COUNT: &str = "
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
    local due = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
    local wait = due - now - interval * (burst - 1)
    if wait > 0 then return math.ceil(wait) end
    local next = due + interval
    redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
    return 0";

pub(super) struct Shared {
    redis: Redis,
    rate: Rate,
    count: Script,
}

impl Shared {
    pub(super) fn new(redis: Redis, rate: Rate) -> Self {
        Self { redis, rate, count: Script::new(COUNT) }
    }

    /// Counts a request; how long to wait if it is too many.
    ///
    /// # Errors
    /// [`Unavailable`] when Redis cannot be asked.
    pub(super) async fn wait(&self, who: &[u8]) -> Result<Option<Duration>, Unavailable> {
        let hash = hex(digest(&SHA256, who).as_ref().get(..16).unwrap_or_default());
        let interval = u64::try_from(self.rate.interval.as_micros()).unwrap_or(u64::MAX);
        let mut count = self.count.key(format!("google-reviews:limit:{hash}"));
        count.arg(interval).arg(self.rate.burst);
        let wait: u64 = self.redis.count("EVALSHA", async |connection| count.invoke_async(connection).await).await?;
        Ok((wait > 0).then(|| Duration::from_micros(wait)))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").field("rate", &self.rate).finish_non_exhaustive()
    }
}
