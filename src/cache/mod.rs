//! Two tiers in front of what costs money: memory, then Redis if there is one; and one flight per key, so that many who
//! ask for the same at once cause one call.
//!
//! Google's terms decide what may be kept: Places content for as long as one turn of an agent takes, never on a disk.

mod flight;
mod key;
mod memory;
mod remote;

pub use key::{Class, Key};

use crate::{
    clock::{Clock, Deadline},
    model::Failure,
    redis::Redis,
    tasks::Tasks,
    telemetry::{CacheOutcome, Metrics, carried, spans},
};
use flight::{Boarding, Flights};
use key::Hash;
use memory::Memory;
use remote::Remote;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use std::{any::Any, future::Future, sync::Arc, time::Duration};
use tracing::Instrument as _;

/// A value of some key, behind one pointer so that all tiers and waiters share it.
type Shared = Arc<dyn Any + Send + Sync>;
/// What a flight ends with.
type Outcome = Result<Shared, Failure>;

/// How long each class of data is kept; zero keeps it nowhere.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// Names, ratings, reviews.
    pub places_content: Duration,
    /// That a place does not exist.
    pub missing_place: Duration,
}

impl Lifetimes {
    fn of(self, class: Class) -> Duration {
        match class {
            Class::PlacesContent => self.places_content,
            Class::MissingPlace => self.missing_place,
        }
    }

    fn keeps_anything(self) -> bool {
        !self.places_content.is_zero() || !self.missing_place.is_zero()
    }
}

/// What a cache is built from.
#[derive(Debug)]
pub struct Settings {
    /// The bound of the memory tier.
    pub memory_bytes: u64,
    /// How long what is kept.
    pub lifetimes: Lifetimes,
    /// The secret that paid for the content: what one paid for is not found by another.
    pub credential: SecretString,
    /// The key that seals what lies in Redis.
    pub seal: SecretBox<[u8; 32]>,
    /// The shared tier.
    pub redis: Option<Redis>,
}

/// The cache. Clones share it.
#[derive(Debug, Clone)]
pub struct Cache(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    memory: Memory,
    remote: Option<Remote>,
    flights: Flights,
    partition: Vec<u8>,
    lifetimes: Lifetimes,
    tasks: Tasks,
    metrics: Metrics,
}

impl Cache {
    /// An empty cache.
    pub fn new(settings: Settings, clock: Clock, tasks: Tasks, metrics: Metrics) -> Self {
        let partition = key::partition(settings.credential.expose_secret().as_bytes());
        let remote = settings.redis.map(|redis| Remote::new(redis, settings.seal.expose_secret(), clock.clone()));
        Self(Arc::new(Parts {
            memory: Memory::new(settings.memory_bytes, clock),
            remote,
            flights: Flights::default(),
            partition,
            lifetimes: settings.lifetimes,
            tasks,
            metrics,
        }))
    }

    /// The value of `key`: from memory, from Redis, or from `load`, which runs once for all who ask at the same time.
    ///
    /// `load` runs in a task of its own: it goes on when the first caller leaves, and is dropped when the last one does.
    /// It has as much time as those who wait for it have. Failures are told to all who wait, and not kept.
    ///
    /// # Errors
    /// The failure of `load`, or an internal one if it panicked.
    pub async fn get<K, F, L>(&self, key: &K, deadline: &Deadline, load: L) -> Result<Arc<K::Value>, Failure>
    where
        K: Key,
        F: Future<Output = Result<K::Value, Failure>> + Send + 'static,
        L: FnOnce(Deadline) -> F + Send + 'static,
    {
        let hash = key::hash(key, &self.0.partition);
        let span = spans::cache();
        if let Some(value) = self.0.memory.get(&hash) {
            self.0.metrics.cache("memory", CacheOutcome::Hit);
            span.record("cache.outcome", "hit");
            return downcast(value);
        }
        self.0.metrics.cache("memory", CacheOutcome::Miss);
        let seat = match self.0.flights.board(hash, deadline, || self.0.memory.get(&hash)) {
            Boarding::Landed(value) => {
                span.record("cache.outcome", "hit");
                return downcast(value);
            }
            Boarding::Follow(seat) => {
                span.record("cache.outcome", "shared");
                seat
            }
            Boarding::Lead(seat, pilot) => {
                span.record("cache.outcome", "miss");
                let parts = Arc::clone(&self.0);
                let load = load(pilot.deadline());
                let work = Arc::clone(&parts).load::<K, F>(hash, load);
                let flight = async move {
                    let fetched = pilot.fly(work).await;
                    parts.land::<K>(hash, pilot, fetched).await;
                };
                // For the call that started it: its log lines have that call's id, and it pays.
                span.in_scope(|| self.0.tasks.spawn(carried(flight)));
                seat
            }
        };
        downcast(seat.outcome().instrument(span).await?)
    }

    /// Whether the memory tier has a value for `key`, so that asking for it costs nothing.
    pub fn has<K: Key>(&self, key: &K) -> bool {
        self.0.memory.get(&key::hash(key, &self.0.partition)).is_some()
    }

    /// Brings what Redis has for `key`, if it has something, into the memory tier.
    pub async fn fetch<K: Key>(&self, key: &K) {
        self.0.fetch::<K>(key::hash(key, &self.0.partition)).await;
    }

    /// Lets the memory tier give up what has expired; called from time to time, for when nobody asks.
    pub fn tidy(&self) {
        self.0.memory.tidy();
    }

    /// Bytes in memory, as far as they are counted.
    pub fn memory_bytes(&self) -> u64 {
        self.0.memory.bytes()
    }
}

/// What a flight brought, and whether Redis had it already.
struct Fetched<V> {
    value: Arc<V>,
    from_redis: Option<Duration>,
}

impl Parts {
    /// From Redis, or else from `load`.
    async fn load<K, F>(self: Arc<Self>, hash: Hash, load: F) -> Result<Fetched<K::Value>, Failure>
    where
        K: Key,
        F: Future<Output = Result<K::Value, Failure>> + Send + 'static,
    {
        if let Some((value, left)) = self.in_redis::<K>(&hash).await {
            return Ok(Fetched { value: Arc::new(value), from_redis: Some(left) });
        }
        self.metrics.cache_missed();
        load.await.map(|value| Fetched { value: Arc::new(value), from_redis: None })
    }

    /// The value that Redis has, and what is left of its lifetime.
    async fn in_redis<K: Key>(&self, hash: &Hash) -> Option<(K::Value, Duration)> {
        let remote = self.remote.as_ref().filter(|_| self.lifetimes.keeps_anything())?;
        let (found, outcome) = remote.get::<K::Value>(hash).await;
        self.metrics.cache("redis", outcome);
        // What another server kept longer than this one may is not used.
        let (value, left) = found?;
        let lifetime = self.lifetimes.of(K::class(&value));
        (!lifetime.is_zero()).then_some((value, left.min(lifetime)))
    }

    async fn fetch<K: Key>(&self, hash: Hash) {
        if let Some((value, left)) = self.in_redis::<K>(&hash).await
            && let Ok(written) = serde_json::to_vec(&value)
        {
            self.memory.put(hash, Arc::new(value), left, written.len());
        }
    }

    /// Keeps what may be kept, tells all who wait, and then fills Redis.
    async fn land<K: Key>(
        &self,
        hash: Hash,
        pilot: flight::Pilot,
        fetched: Option<Result<Fetched<K::Value>, Failure>>,
    ) {
        let Some(fetched) = fetched else {
            // Nobody waits any more.
            return self.flights.close(&hash, &pilot, || {});
        };
        let fetched = match fetched {
            Ok(fetched) => fetched,
            Err(failure) => {
                self.flights.close(&hash, &pilot, || {});
                return pilot.tell(Err(failure));
            }
        };
        let lifetime = self.lifetimes.of(K::class(&fetched.value));
        let left = fetched.from_redis.map_or(lifetime, |left| left.min(lifetime));
        let written = if left.is_zero() { None } else { serde_json::to_vec(&*fetched.value).ok() };
        let value: Shared = Arc::clone(&fetched.value) as Shared;
        self.flights.close(&hash, &pilot, || {
            if let Some(written) = &written {
                self.memory.put(hash, Arc::clone(&value), left, written.len());
            }
        });
        pilot.tell(Ok(value));
        if let (Some(remote), Some(written), None) = (&self.remote, written, fetched.from_redis) {
            let outcome = remote.put(&hash, &written, left).await;
            self.metrics.cache("redis", outcome);
        }
    }
}

/// The kind of a key is part of its hash, so a value of another type cannot be found under it.
fn downcast<V: Send + Sync + 'static>(value: Shared) -> Result<Arc<V>, Failure> {
    value.downcast().map_err(|_| Failure::internal())
}
