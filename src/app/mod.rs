//! The composition root: the only place that constructs the parts and connects them.

mod administration;
mod base;
mod callers;
mod chores;
mod core;
mod listeners;
mod local;
mod probes;
mod watchdog;

pub use administration::Administration;
pub use listeners::raise_open_files;
pub use local::Local;
pub use watchdog::Watchdog;

use crate::{
    clock::Clock,
    config::{Config, Google, Provider},
    emulator::{DEMO_KEY, Emulator},
    mcp::{Offer, Offers},
    model::{Principal, SecretKey},
    oauth::People,
    outbound::{Internet, Network},
    store::Applied,
    tasks::Tasks,
    telemetry::{Metrics, SpanCounts},
    tools,
};
use anyhow::{Context as _, Result};
use base::{Base, Domain, Served};
use chores::Opening;
use core::Core;
use listeners::Listeners;
use secrecy::{ExposeSecret as _, SecretString};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use url::Url;

/// What a caller may put in place of the ordinary parts.
#[derive(Debug)]
pub struct Parts {
    /// Where times come from.
    pub clock: Clock,
    /// What is offered beside the ordinary.
    pub more: Offers,
    /// Who calls, as long as there is no sign-in.
    pub caller: Principal,
    /// What becomes of the spans of traces.
    pub spans: SpanCounts,
    /// On which network strangers name addresses.
    pub network: Arc<dyn Network>,
    /// The background work, for whoever must end it before there is an [`App`].
    pub tasks: Tasks,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            more: Offers::default(),
            caller: Principal::local(),
            spans: SpanCounts::default(),
            network: Arc::new(Internet),
            tasks: Tasks::new(),
        }
    }
}

/// A running server.
#[derive(Debug)]
pub struct App {
    core: Box<Core>,
    listeners: Listeners,
    reached: Reached,
    opening: Opening,
    stopping: Stopping,
}

/// How people come here.
#[derive(Debug)]
struct Reached {
    origin: Url,
    /// Those who can sign in, if that is here.
    people: Option<People>,
    /// Whether they come from a provider, so that nobody needs to be let in by a link.
    from_provider: bool,
}

/// How much time there is at the end.
#[derive(Debug)]
struct Stopping {
    delay: Duration,
    drain: Duration,
}

impl App {
    /// Builds all parts, opens the database, binds both listeners and starts to serve. A database that cannot be reached
    /// yet is waited for in the background: until then the server is not ready, and reads all the same.
    ///
    /// # Errors
    /// When an address cannot be bound, a part cannot be built from its settings, or the database cannot be used.
    pub async fn start(config: Config, parts: Parts) -> Result<Self> {
        let Parts { clock, more, caller, spans, network, tasks } = parts;
        let base = Base { tasks, metrics: Metrics::sent(&config.otlp)?, ..Base::new(&config, clock)? };
        base.store.lock()?;
        base.metrics.watch_spans(spans);
        let core = Core::build(&config, base, more).await?;
        let base = &core.base;
        let keys = base.signing_keys(&config);
        let opening = base.open(&config, core.domain.budget.clone(), keys.clone()).await?;
        base.probe(&config, &core.domain);
        let people = keys.is_some().then(|| base.people());
        let own = keys.zip(people.clone());
        let Domain { budget, redis, .. } = &core.domain;
        let (server, tools) = (core.server.clone(), core.tools.clone());
        let offered = Served { server, tools, budget: budget.clone(), redis: redis.clone(), caller, own, network };
        let listeners = base.listen(&config, offered).await?;
        let origin = callers::origin(&config, listeners.address)?;
        let reached = Reached { origin, people, from_provider: config.auth.login.issuer.is_some() };
        let (stop_delay, drain) = (config.server.stop_delay, config.server.drain_timeout);
        let stopping = Stopping { delay: stop_delay, drain };
        Ok(Self { core, listeners, reached, opening, stopping })
    }

    /// Ends the process when its runtime hangs for so long, as long as the watchdog is held; zero watches nothing.
    pub fn watch(&self, limit: Duration) -> Option<Watchdog> {
        (!limit.is_zero()).then(|| Watchdog::start(limit, self.core.base.heartbeat.clone()))
    }

    /// Why the server cannot go on, if that comes to pass: the database could not be opened within its time.
    pub async fn failure(&self) -> anyhow::Error {
        self.opening.failure().await
    }

    /// The link by which the first person of all is set up, once the database is open; nothing if there is somebody, or
    /// people come from a provider or sign in elsewhere.
    ///
    /// # Errors
    /// When it could not be kept.
    pub async fn first_link(&self) -> Result<Option<String>> {
        let Some(people) = self.reached.people.as_ref().filter(|_| !self.reached.from_provider) else {
            return Ok(None);
        };
        self.opening.done().await;
        let link = people.first_link().await?;
        Ok(link.map(|link| at_setup(&self.reached.origin, &link)))
    }

    /// The people who can sign in, where that is here.
    pub fn people(&self) -> Option<&People> {
        self.reached.people.as_ref()
    }

    /// Where the main listener is.
    pub fn address(&self) -> SocketAddr {
        self.listeners.address
    }

    /// Where the operations listener is.
    pub fn operations_address(&self) -> SocketAddr {
        self.listeners.operations_address
    }

    /// The MCP endpoint, as it is reached on this machine.
    pub fn endpoint(&self) -> String {
        format!("http://{}/mcp", self.address())
    }

    /// The MCP endpoint, as clients reach it.
    pub fn public_endpoint(&self) -> String {
        format!("{}/mcp", self.reached.origin.origin().ascii_serialization())
    }

    /// The embedded emulator, if reviews come from there.
    pub fn emulator(&self) -> Option<&Emulator> {
        self.core.emulator.as_ref()
    }

    /// Stops: says that it is not ready, takes no new connections, lets calls under way finish within the time to drain,
    /// ends background work, sends the last figures, and closes the database. Returns whether all ended in time.
    pub async fn stop(self) -> bool {
        let answered = self.listeners.stop(self.stopping.delay, self.stopping.drain).await;
        let ended = self.core.stop().await;
        answered && ended
    }
}

/// Where a setup link of a server with this configuration leads.
///
/// # Errors
/// When the server has no address.
pub fn setup_address(config: &Config, link: &SecretString) -> Result<String> {
    Ok(at_setup(&callers::origin(config, config.server.listen)?, link))
}

fn at_setup(origin: &Url, link: &SecretString) -> String {
    format!("{}/setup?link={}", origin.origin().ascii_serialization(), link.expose_secret())
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

/// The definitions of all tools, as clients see them.
///
/// # Errors
/// When a part cannot be built.
pub fn tool_definitions(config: &Config) -> Result<Vec<serde_json::Value>> {
    // Nothing is opened: definitions depend on no state.
    let base = Base::with_secret(config, Clock::system(), SecretKey::random())?;
    let domain = base.domain(config, config.google.clone())?;
    Ok(tools::all(&domain.reviews).iter().map(Offer::definition).collect())
}

/// Brings the schema of the configured database up to date.
///
/// # Errors
/// When the database cannot be used; says what to do.
pub async fn migrate(config: &Config) -> Result<Applied> {
    let base = Base::new(config, Clock::system())?;
    // A server that runs must not find another schema under its feet.
    base.store.lock()?;
    let applied = base.store.prepare().await;
    base.store.close().await;
    Ok(applied?)
}
