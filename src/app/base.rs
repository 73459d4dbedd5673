//! What every part is built on, and the building of the parts.

use super::{
    callers, chores,
    chores::Opening,
    listeners::{self, Listeners},
    probes::Probes,
};
use crate::{
    budget::{self, Budget},
    cache::{self, Cache, Lifetimes},
    clock::Clock,
    config::{self, Config, Google, Provider},
    health::{Health, Heartbeat, Need},
    http::{self, Door, Edge, Home, Limiter, Overview, Spending},
    idempotency::Idempotency,
    mcp::{self, Brief, Limits, Offers, Server},
    model::{Principal, SecretKey},
    oauth::{Keys, People},
    outbound::{Network, Strangers},
    redis::{self, Redis},
    reviews::Reviews,
    store::{DataFolder, Store},
    tasks::Tasks,
    telemetry::Metrics,
    upstream::Places,
};
use anyhow::{Context as _, Result};
use secrecy::{ExposeSecret as _, SecretString};
use std::{net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The use cases, and what lies between them and Google.
#[derive(Debug)]
pub(super) struct Domain {
    pub(super) reviews: Reviews,
    pub(super) budget: Budget,
    places: Arc<Places>,
    pub(super) redis: Option<Redis>,
}

/// What the listeners serve.
pub(super) struct Served {
    pub(super) server: Server,
    pub(super) tools: Vec<Brief>,
    pub(super) budget: Budget,
    pub(super) redis: Option<Redis>,
    /// Who calls, as long as there is no sign-in.
    pub(super) caller: Principal,
    /// By which tokens are signed, and for whom, where people sign in here.
    pub(super) own: Option<(Keys, People)>,
    /// On which network strangers name addresses.
    pub(super) network: Arc<dyn Network>,
}

/// What every part is built on.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) clock: Clock,
    pub(super) tasks: Tasks,
    pub(super) metrics: Metrics,
    pub(super) health: Health,
    pub(super) heartbeat: Heartbeat,
    pub(super) store: Store,
    pub(super) secret: SecretKey,
    /// The secret from before its last change.
    pub(super) previous: Option<SecretKey>,
}

impl Base {
    /// Nothing is opened or bound yet, except the data folder where there is one.
    pub(super) fn new(config: &Config, clock: Clock) -> Result<Self> {
        let previous = config.server.previous_secret_key.as_ref();
        let previous = previous.map(|text| SecretKey::parse(text.expose_secret())).transpose()?;
        Ok(Self { previous, ..Self::with_secret(config, clock, secret(config)?)? })
    }

    /// With a secret of its own, so that no folder is needed.
    pub(super) fn with_secret(config: &Config, clock: Clock, secret: SecretKey) -> Result<Self> {
        let health = Health::new(clock.clone());
        let store = Store::new(&config.store, health.register("database", Need::Always))?;
        let heartbeat = Heartbeat::new(clock.clone());
        Ok(Self {
            clock,
            tasks: Tasks::new(),
            metrics: Metrics::new()?,
            health,
            heartbeat,
            store,
            secret,
            previous: None,
        })
    }

    /// Builds the use cases, with all that lies between them and Google.
    pub(super) fn domain(&self, config: &Config, google: Google) -> Result<Domain> {
        let redis = config.cache.redis_url.as_ref().map(|url| self.redis(&config.cache, url)).transpose()?;
        let credential = google.api_key.clone().unwrap_or_default();
        let budget = self.budget(config, &google, redis.clone(), &credential);

        let reporter = self.health.register("google_places", Need::Never);
        let places = Places::new(google, budget.clone(), self.clock.clone(), self.metrics.clone(), reporter)?;
        let places = Arc::new(places);
        // Weak: the client holds the metrics, which hold this.
        let (watched, watched_redis) = (Arc::downgrade(&places), redis.clone());
        self.metrics.watch_breakers(move || {
            let places = watched.upgrade().map(|places| ("google_places", f64::from(places.breaker_position() as u8)));
            let redis = watched_redis.as_ref().map(|redis| ("redis", f64::from(redis.position() as u8)));
            [places, redis].into_iter().flatten().collect()
        });

        let cache = self.cache(&config.cache, credential, redis.clone());
        let (store, reports) = (self.store.clone(), config.reports.clone());
        let reviews = Reviews::new(Arc::clone(&places), cache, store, reports, self.clock.clone());
        Ok(Domain { reviews, budget, places, redis })
    }

    /// Asks all dependencies whether they are well, from now on.
    pub(super) fn probe(&self, config: &Config, domain: &Domain) {
        let (clock, tasks, metrics) = (self.clock.clone(), self.tasks.clone(), self.metrics.clone());
        let probes = Probes { clock, tasks, metrics, interval: config.health.interval };
        probes.google(&domain.places, config);
        if let Some(redis) = &domain.redis {
            probes.redis(redis);
        }
        probes.database(&self.store);
        probes.disk(&self.store, &self.health, config);
    }

    fn budget(&self, config: &Config, google: &Google, redis: Option<Redis>, credential: &SecretString) -> Budget {
        let limits = budget::Limits { daily_usd: google.daily_budget_usd, daily_calls: google.daily_calls };
        // Invented answers cost nothing, and that is not worth remembering.
        let store = (config.upstream.provider == Provider::Google).then(|| self.store.clone());
        let budget =
            Budget::new(limits, budget::Kept { redis, store }, credential, self.clock.clone(), self.tasks.clone());
        let spent = budget.clone();
        self.metrics.watch_budget(move || spent.used_ratio());
        budget
    }

    fn cache(&self, settings: &config::Cache, credential: SecretString, redis: Option<Redis>) -> Cache {
        let lifetimes =
            Lifetimes { places_content: settings.places_content_ttl, missing_place: settings.missing_place_ttl };
        let seal = self.secret.derive("seal of the cache");
        let settings = cache::Settings { memory_bytes: settings.memory_bytes, lifetimes, credential, seal, redis };
        let cache = Cache::new(settings, self.clock.clone(), self.tasks.clone(), self.metrics.clone());
        chores::tidy(cache.clone(), &self.tasks, self.metrics.clone());
        cache
    }

    fn redis(&self, cache: &config::Cache, url: &SecretString) -> Result<Redis> {
        let settings = redis::Settings {
            url: url.clone(),
            pool_size: cache.redis_pool_size,
            wait: cache.redis_wait,
            operation: cache.redis_operation_timeout,
            lookup: cache.redis_lookup_timeout,
        };
        Ok(Redis::new(&settings, self.clock.clone(), self.health.register("redis", Need::Never))?)
    }

    /// Opens the database, and keeps it in order from then on.
    pub(super) async fn open(&self, config: &Config, budget: Budget, keys: Option<Keys>) -> Result<Opening> {
        let keeper = chores::Keeper { store: self.store.clone(), budget, keys, clock: self.clock.clone() };
        Opening::begin(keeper, config.store.start_timeout, &self.tasks, self.metrics.clone()).await
    }

    /// The same where the database is open already, and others may be using it.
    pub(super) async fn resume(&self, budget: Budget) {
        let keeper = chores::Keeper { store: self.store.clone(), budget, keys: None, clock: self.clock.clone() };
        keeper.resume(&self.tasks, self.metrics.clone()).await;
    }

    /// The MCP server.
    pub(super) fn server(&self, config: &Config, offers: Offers) -> Server {
        let limits = Limits { tool_timeout: config.server.tool_timeout };
        let (clock, metrics) = (self.clock.clone(), self.metrics.clone());
        let idempotency = Idempotency::new(
            self.store.clone(),
            config.idempotency.lease,
            clock.clone(),
            self.tasks.clone(),
            metrics.clone(),
        );
        let (secret, results_until) = (self.secret.clone(), config.log.results_until);
        Server::new(offers, limits, mcp::Parts { idempotency, secret, results_until, metrics, clock })
    }

    /// Binds both listeners and serves.
    pub(super) async fn listen(&self, config: &Config, served: Served) -> Result<Listeners> {
        self.metrics.watch_runtime(tokio::runtime::Handle::current());
        let watched = self.health.clone();
        self.metrics.watch_dependencies(move || {
            watched.checks().iter().map(|check| (check.name, check.state.is_up())).collect()
        });
        let main = bind(config.server.listen, "server.listen").await?;
        let operations = bind(config.server.operations_listen, "server.operations_listen").await?;
        let (address, operations_address) = (main.local_addr()?, operations.local_addr()?);

        let (leaving, streams) = (CancellationToken::new(), CancellationToken::new());
        let Served { server, tools, budget, redis, caller, own, network } = served;
        let spending = Spending::new(move || budget.spend());
        let overview = Overview::new(self.health.clone(), self.heartbeat.clone(), spending, leaving.clone());
        let overview = overview.logging_results(config.log.results_until);
        let home = Home::new(config, address, tools);
        let auth = Arc::new(self.auth(config, &callers::origin(config, address)?, caller)?);
        let door = Door::new(address, config.server.public_url.as_ref(), &config.server.allowed_origins);
        let max_request_bytes = config.server.max_request_bytes;
        let endpoint = mcp::endpoint(server.clone(), max_request_bytes, streams.clone());
        let limiter = Limiter::new(config, redis, &self.clock, self.metrics.clone());
        limiter.tidy(&self.tasks, &self.clock, self.metrics.clone());
        let own = own.map(|own| anyhow::Ok((own, Strangers::new(network, self.clock.clone())?))).transpose()?;
        let sign_in = self.sign_in(config, own, auth.protected(), (door.clone(), limiter.clone()))?;
        let edge = Edge { door, limiter, auth, max_request_bytes, server, sign_in };
        let main_routes = http::routes(endpoint, edge, home, overview.clone());
        let terms = listeners::terms(config);
        let operations_terms = listeners::operations_terms(&terms);
        let main = http::listen(main, main_routes, terms, leaving.clone());
        let door = Door::new(operations_address, None, &[]);
        let routes = http::operations_routes(self.metrics.clone(), overview, &door);
        // Whoever scrapes on a connection that it keeps is not sent away before the end.
        let operations = http::listen(operations, routes, operations_terms, CancellationToken::new());
        self.metrics.watch_connections("main", main.taken(), main.refused());
        self.metrics.watch_connections("operations", operations.taken(), operations.refused());
        Ok(Listeners { address, operations_address, main, operations, leaving, streams })
    }
}

/// The one that is set, or that of the data folder.
fn secret(config: &Config) -> Result<SecretKey> {
    match &config.server.secret_key {
        Some(text) => Ok(SecretKey::parse(text.expose_secret())?),
        None => Ok(DataFolder::open(&config.store.data_dir)?.secret_key()?),
    }
}

async fn bind(address: SocketAddr, key: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} ({key})"))
}
