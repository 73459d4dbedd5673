//! The composition root: the only place that constructs the parts and connects them.

use crate::{
    budget::{self, Budget},
    cache::{self, Cache, Lifetimes},
    clock::Clock,
    config::{self, Config, Google, Provider},
    emulator::{DEMO_KEY, Emulator},
    google::Places,
    health::Health,
    http::{self, Door, Readiness},
    mcp::{self, Limits, Offer, Server},
    redis::{self, Redis},
    reviews::Reviews,
    tasks::Tasks,
    telemetry::Metrics,
    tools,
};
use anyhow::{Context as _, Result};
use secrecy::SecretString;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How often the cache gives up what has expired.
const TIDY_EVERY: Duration = Duration::from_secs(10);

/// What a caller may put in place of the ordinary parts.
#[derive(Debug)]
pub struct Parts {
    /// Where times come from.
    pub clock: Clock,
    /// Tools beside the ordinary ones.
    pub more_tools: Vec<Offer>,
}

impl Default for Parts {
    fn default() -> Self {
        Self { clock: Clock::system(), more_tools: Vec::new() }
    }
}

/// A running server.
#[derive(Debug)]
pub struct App {
    address: SocketAddr,
    operations_address: SocketAddr,
    emulator: Option<Emulator>,
    tasks: Tasks,
    drain: Duration,
    /// Whether calls were cut off at the end of the time to drain.
    cut: Arc<AtomicBool>,
}

impl App {
    /// Builds all parts, binds both listeners and starts to serve.
    ///
    /// # Errors
    /// When an address cannot be bound, or a part cannot be built from its settings.
    pub async fn start(config: Config, parts: Parts) -> Result<Self> {
        let Parts { clock, more_tools } = parts;
        let tasks = Tasks::new();
        let metrics = Metrics::new()?;
        let health = Health::new(clock.clone());
        let (google, emulator) = upstream(&config, &clock, &tasks).await?;
        let base =
            Base { clock: clock.clone(), tasks: tasks.clone(), metrics: metrics.clone(), health: health.clone() };

        let reviews = base.reviews(&config.cache, google)?;
        let mut offers = tools::all(&reviews);
        offers.extend(more_tools);
        let limits = Limits { tool_timeout: config.server.tool_timeout };
        let server = Server::new(offers, limits, metrics.clone(), clock);
        let watched = health.clone();
        metrics.watch_dependencies(move || {
            watched.checks().iter().map(|check| (check.name, check.state.is_up())).collect()
        });

        let main = bind(config.server.listen, "server.listen").await?;
        let operations = bind(config.server.operations_listen, "server.operations_listen").await?;
        let (address, operations_address) = (main.local_addr()?, operations.local_addr()?);

        let stop = tasks.stopping();
        let readiness = Readiness { health, stopping: stop.clone(), tells_causes: false };
        let door = Door::new(address, config.server.public_url.as_ref());
        let bytes = config.server.max_request_bytes;
        // Streams are cut only when the process ends: cancelled earlier, calls under way would fail.
        let endpoint = mcp::endpoint(server, bytes, CancellationToken::new());
        let drain = config.server.drain_timeout;
        let main_routes = http::routes(endpoint, door, bytes, readiness.clone());
        let cut = Arc::new(AtomicBool::new(false));
        let was_cut = Arc::clone(&cut);
        let main = http::serve(main, main_routes, stop.clone(), drain);
        tasks.spawn(async move { was_cut.store(!main.await, Ordering::Relaxed) });
        let operations = http::serve(operations, http::operations_routes(metrics, readiness), stop, drain);
        tasks.spawn(async move {
            operations.await;
        });
        Ok(Self { address, operations_address, emulator, tasks, drain, cut })
    }

    /// Where the main listener is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the operations listener is.
    pub fn operations_address(&self) -> SocketAddr {
        self.operations_address
    }

    /// The MCP endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// The embedded emulator, if reviews come from there.
    pub fn emulator(&self) -> Option<&Emulator> {
        self.emulator.as_ref()
    }

    /// Stops: no new connections, calls under way finish within the time to drain. Returns whether all ended in time.
    pub async fn stop(self) -> bool {
        self.tasks.stop(self.drain.saturating_add(Duration::from_secs(1))).await && !self.cut.load(Ordering::Relaxed)
    }
}

/// What every part is built on.
struct Base {
    clock: Clock,
    tasks: Tasks,
    metrics: Metrics,
    health: Health,
}

impl Base {
    /// The use cases, with all that lies between them and Google.
    fn reviews(&self, cache: &config::Cache, google: Google) -> Result<Reviews> {
        let redis = cache.redis_url.as_ref().map(|url| self.redis(cache, url)).transpose()?;
        let credential = google.api_key.clone().unwrap_or_default();
        let limits = budget::Limits { daily_usd: google.daily_budget_usd, daily_calls: google.daily_calls };
        let shared = redis.clone().map(|redis| (redis, &credential));
        let budget = Budget::new(limits, shared, self.clock.clone(), self.tasks.clone());
        let spent = budget.clone();
        self.metrics.watch_budget(move || spent.used_ratio());

        let reporter = self.health.register("google_places", false);
        let places = Places::new(google, budget, self.clock.clone(), self.metrics.clone(), reporter)?;
        let places = Arc::new(places);
        let (watched, watched_redis) = (Arc::clone(&places), redis.clone());
        self.metrics.watch_breakers(move || {
            let places = ("google_places", f64::from(watched.breaker_position() as u8));
            let redis = watched_redis.as_ref().map(|redis| ("redis", f64::from(redis.position() as u8)));
            [Some(places), redis].into_iter().flatten().collect()
        });

        let lifetimes = Lifetimes { places_content: cache.places_content_ttl, missing_place: cache.missing_place_ttl };
        let settings = cache::Settings { memory_bytes: cache.memory_bytes, lifetimes, credential, redis };
        let cache = Cache::new(settings, self.clock.clone(), self.tasks.clone(), self.metrics.clone());
        self.tidy(cache.clone());
        Ok(Reviews::new(places, cache))
    }

    fn redis(&self, cache: &config::Cache, url: &SecretString) -> Result<Redis> {
        let settings = redis::Settings {
            url: url.clone(),
            pool_size: cache.redis_pool_size,
            wait: cache.redis_wait,
            operation: cache.redis_operation_timeout,
            lookup: cache.redis_lookup_timeout,
        };
        let redis = Redis::new(&settings, self.clock.clone(), self.health.register("redis", false))?;
        let first = redis.clone();
        self.tasks.spawn(async move { first.ping().await });
        Ok(redis)
    }

    /// Content whose time is over leaves the memory even if nobody asks for anything.
    fn tidy(&self, cache: Cache) {
        let stop = self.tasks.stopping();
        self.tasks.spawn(async move {
            while stop.run_until_cancelled(tokio::time::sleep(TIDY_EVERY)).await.is_some() {
                cache.tidy();
            }
        });
    }
}

/// The settings of the way to the upstream, and the emulator if that is the upstream.
async fn upstream(config: &Config, clock: &Clock, tasks: &Tasks) -> Result<(Google, Option<Emulator>)> {
    let mut google = config.google.clone();
    if config.upstream.provider == Provider::Google {
        return Ok((google, None));
    }
    let emulator = Emulator::start(SocketAddr::from(([127, 0, 0, 1], 0)), clock.clone(), tasks)
        .await
        .context("the embedded emulator could not be started")?;
    google.places_url = emulator.url().parse()?;
    google.api_key = Some(SecretString::from(DEMO_KEY));
    // Invented answers cost nothing.
    (google.daily_budget_usd, google.daily_calls) = (0.0, 0);
    Ok((google, Some(emulator)))
}

async fn bind(address: SocketAddr, key: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} ({key})"))
}

/// The definitions of all tools, as clients see them.
///
/// # Errors
/// When a part cannot be built.
pub fn tool_definitions(config: &Config) -> Result<Vec<serde_json::Value>> {
    let clock = Clock::system();
    let health = Health::new(clock.clone());
    let base = Base { clock, tasks: Tasks::new(), metrics: Metrics::new()?, health };
    let reviews = base.reviews(&config.cache, config.google.clone())?;
    Ok(tools::all(&reviews).iter().map(Offer::definition).collect())
}
