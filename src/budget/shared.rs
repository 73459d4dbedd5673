//! The sums that all instances with one Google key share through Redis.

use super::{Limits, Micros, Sums};
use crate::redis::Redis;
use deadpool_redis::redis::Script;
use jiff::civil::Date;

/// The day's sums in Redis.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    redis: Redis,
    partition: String,
    limits: Limits,
}

impl Shared {
    pub(super) fn new(redis: Redis, partition: String, limits: Limits) -> Self {
        Self { redis, partition, limits }
    }

    /// Adds to the count that all instances share; nothing if Redis cannot be asked.
    pub(super) async fn add(&self, (cost, times): (Micros, u32), own: Sums, day: Date) -> Option<(bool, Sums)> {
        let (key, script) = (self.key(day), Script::new(ADD));
        let limit = Micros::of_usd(self.limits.daily_usd).0;
        let added = self.redis.count("EVALSHA", async |connection| {
            let mut call = script.key(&key);
            call.arg(cost.times(times).0)
                .arg(limit)
                .arg(self.limits.daily_calls)
                .arg(own.micros)
                .arg(own.calls)
                .arg(times);
            call.invoke_async::<(bool, u64, u64)>(connection).await
        });
        added.await.ok().map(|(is_within, micros, calls)| (is_within, Sums { micros, calls }))
    }

    /// Corrects by so many requests of this cost.
    pub(super) async fn correct(&self, cost: Micros, times: i64, day: Date) {
        let (key, script) = (self.key(day), Script::new(CORRECT));
        let micros = i64::try_from(cost.0).unwrap_or(i64::MAX).saturating_mul(times);
        let corrected = self.redis.run("EVALSHA", async |connection| {
            script.key(&key).arg(micros).arg(times).invoke_async::<()>(connection).await
        });
        if corrected.await.is_err() {
            tracing::debug!("the shared budget could not be corrected");
        }
    }

    fn key(&self, day: Date) -> String {
        format!("google-reviews:budget:{}:{day}", self.partition)
    }
}

/// Adds the cost unless that passes a limit; returns whether it did not, and the day's sums. What the caller alone has
/// spent is the least that they can be, also when Redis has forgotten them.
const ADD: &str = "
local cost, limit, most, times = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[6])
local spent = math.max(tonumber(redis.call('HGET', KEYS[1], 'micros') or '0'), tonumber(ARGV[4]))
local calls = math.max(tonumber(redis.call('HGET', KEYS[1], 'calls') or '0'), tonumber(ARGV[5]))
local within = 1
if (limit > 0 and spent + cost > limit) or (most > 0 and calls + times > most) then
  within = 0
else
  spent, calls = spent + cost, calls + times
end
redis.call('HSET', KEYS[1], 'micros', string.format('%.0f', spent), 'calls', string.format('%.0f', calls))
redis.call('EXPIRE', KEYS[1], 172800)
return {within, spent, calls}";

/// Corrects the sums of a day that is still known, not below zero.
const CORRECT: &str = "
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
for index, field in ipairs({'micros', 'calls'}) do
  local sum = tonumber(redis.call('HGET', KEYS[1], field) or '0') + tonumber(ARGV[index])
  redis.call('HSET', KEYS[1], field, string.format('%.0f', math.max(sum, 0)))
end
return nil";
