//! The pool of connections to Redis. Redis is an aid, never a need: whatever happens to it, the caller is told quickly
//! and goes on without it.

use crate::{
    clock::Clock,
    health::Reporter,
    resilience::{
        Breaker, Verdict,
        breaker::{OpenFor, Position},
    },
    telemetry::spans,
};
use deadpool_redis::{
    Config, Connection, Pool, PoolConfig, PoolError, Runtime, Timeouts,
    redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, cmd},
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tracing::Instrument as _;

/// A Redis that is back after an outage is used again within this time.
const OPEN_FOR: OpenFor = OpenFor { first: Duration::from_secs(5), longest: Duration::from_secs(20) };

/// The pool's sizes and waits.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `redis://` address. May hold a password.
    pub url: SecretString,
    /// Connections at most.
    pub pool_size: usize,
    /// The longest wait for a connection.
    pub wait: Duration,
    /// The longest that one operation may take.
    pub operation: Duration,
    /// The longest that a call waits for one.
    pub lookup: Duration,
}

/// The pool. Clones share it.
#[derive(Debug, Clone)]
pub struct Redis {
    pool: Pool,
    operation: Duration,
    lookup: Duration,
    breaker: Breaker,
    health: Reporter,
    /// Whether the last write failed.
    refuses: Arc<AtomicBool>,
}

/// Redis gave no answer that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Redis is not available")]
pub struct Unavailable;

/// The pool cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("cache.redis_url is not an address of Redis such as redis://127.0.0.1:6379")]
pub struct SetUp;

impl Redis {
    /// Builds the pool; nothing is connected yet.
    ///
    /// # Errors
    /// [`SetUp`] when the address is none. It is not shown, because it may hold a password.
    pub fn new(settings: &Settings, clock: Clock, health: Reporter) -> Result<Self, SetUp> {
        let mut config = Config::from_url(settings.url.expose_secret());
        config.pool = Some(PoolConfig {
            max_size: settings.pool_size,
            timeouts: Timeouts {
                wait: Some(settings.wait),
                create: Some(settings.operation),
                recycle: Some(settings.operation),
            },
            ..PoolConfig::default()
        });
        let pool = config.create_pool(Some(Runtime::Tokio1)).map_err(|_| SetUp)?;
        Ok(Self {
            pool,
            operation: settings.operation,
            lookup: settings.lookup,
            breaker: Breaker::new(clock, OPEN_FOR),
            health,
            refuses: Arc::default(),
        })
    }

    /// Makes an operation that a call waits for. `name` is that of Redis' command, for traces.
    ///
    /// # Errors
    /// [`Unavailable`]; the cause goes to the health check and not to the caller.
    pub async fn look_up<T>(
        &self,
        name: &'static str,
        operation: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, Unavailable> {
        let outcome = self.within(self.lookup.min(self.operation), name, operation).await;
        // One that refuses to write still reads; only a write shows that it is well again.
        if outcome.is_ok() && !self.refuses.load(Ordering::Relaxed) {
            self.health.up();
        }
        outcome
    }

    /// Makes an operation that a call waits for and that writes. `name` is that of Redis' command, for traces.
    ///
    /// # Errors
    /// [`Unavailable`]; the cause goes to the health check and not to the caller.
    pub async fn count<T>(
        &self,
        name: &'static str,
        operation: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, Unavailable> {
        let outcome = self.within(self.lookup.min(self.operation), name, operation).await;
        self.wrote(outcome.is_ok());
        outcome
    }

    /// Makes an operation that nobody waits for. `name` is that of Redis' command, for traces.
    ///
    /// # Errors
    /// [`Unavailable`]; the cause goes to the health check and not to the caller.
    pub async fn run<T>(
        &self,
        name: &'static str,
        operation: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, Unavailable> {
        let outcome = self.within(self.operation, name, operation).await;
        self.wrote(outcome.is_ok());
        outcome
    }

    /// Only a write shows that it takes writes.
    fn wrote(&self, is_well: bool) {
        self.refuses.store(!is_well, Ordering::Relaxed);
        if is_well {
            self.health.up();
        }
    }

    async fn within<T>(
        &self,
        limit: Duration,
        name: &'static str,
        operation: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, Unavailable> {
        let permit = self.breaker.permit().map_err(|_| Unavailable)?;
        let span = spans::redis(name);
        let outcome = tokio::time::timeout(limit, self.operate(operation).instrument(span.clone())).await;
        let fault = match outcome {
            Ok(Ok(value)) => {
                permit.tell(Verdict::Success);
                return Ok(value);
            }
            // All connections are busy with our own load: that says nothing about Redis.
            _ if self.is_saturated() => return Err(Unavailable),
            Ok(Err(fault)) => fault,
            Err(_) => Fault::TimedOut,
        };
        spans::failed(&span, fault.as_str(), None);
        if fault == Fault::Refused {
            // One that answers is there, even if it says no.
            permit.tell(Verdict::Success);
        } else {
            permit.tell(Verdict::Failure);
            // Whatever else is in the pool came from the same Redis, and may hang in the same way.
            self.pool.retain(|_, _| false);
        }
        self.health.down(fault.in_words());
        Err(Unavailable)
    }

    async fn operate<T>(&self, operation: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>) -> Result<T, Fault> {
        let mut connection = self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => Fault::of(&error),
            PoolError::Timeout(_) => Fault::TimedOut,
            _ => Fault::Unreachable,
        })?;
        operation(&mut connection).await.map_err(|error| Fault::of(&error))
    }

    fn is_saturated(&self) -> bool {
        let status = self.pool.status();
        status.waiting > 0 && status.available == 0 && status.size >= status.max_size
    }

    /// Asks whether it is there, beside the breaker, and tells the health check.
    pub async fn probe(&self, clock: &Clock) {
        let started = clock.elapsed();
        let ping = self.operate(async |connection| cmd("PING").query_async::<String>(connection).await);
        let fault = match tokio::time::timeout(self.operation, ping).await {
            Ok(Ok(_)) => None,
            Ok(Err(fault)) => Some(fault),
            Err(_elapsed) => Some(Fault::TimedOut),
        };
        // One that refuses to write answers a ping; only a write shows that it is well again.
        if fault.is_none() && self.refuses.load(Ordering::Relaxed) {
            return;
        }
        let latency = clock.elapsed().saturating_sub(started);
        self.health.probed(fault.map_or(Ok(latency), |fault| Err(fault.in_words().to_owned())));
    }

    /// Where its breaker stands.
    pub fn position(&self) -> Position {
        self.breaker.position()
    }
}

/// What went wrong, without Redis' own words: they may hold keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Unreachable,
    TimedOut,
    /// Out of memory, read-only, wrong type, moved.
    Refused,
    /// Wrong password, or none.
    NotAllowed,
}

impl Fault {
    fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::AuthenticationFailed => Self::NotAllowed,
            ErrorKind::Server(ServerErrorKind::BusyLoading) => Self::Unreachable,
            ErrorKind::Server(_) | ErrorKind::UnexpectedReturnType => Self::Refused,
            _ if error.code() == Some("NOAUTH") => Self::NotAllowed,
            _ => Self::Unreachable,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Refused => "refused",
            Self::NotAllowed => "not_allowed",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "Redis cannot be reached, is loading, or answers something else; calls go on without it"
            }
            Self::TimedOut => "Redis does not answer in time; calls go on without it",
            Self::Refused => "Redis refuses operations (full, read-only, or moved); calls go on without it",
            Self::NotAllowed => "Redis does not accept the password in cache.redis_url; calls go on without it",
        }
    }
}
