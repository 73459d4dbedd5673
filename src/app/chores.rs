//! What is done again and again without anybody asking: opening the database, and removing what has expired.

use super::base::Base;
use crate::{
    budget::Budget,
    cache::Cache,
    clock::{Clock, pacific_day},
    jwt::Issuer,
    oauth::{Keys, KeysError, session_cutoff},
    store::{StartError, Store},
    tasks::Tasks,
    telemetry::Metrics,
};
use anyhow::Result;
use jiff::ToSpan as _;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// How often the cache gives up what has expired.
const TIDY_EVERY: Duration = Duration::from_secs(10);
/// How often the day's spend is written that could not be written at once.
const SAVE_EVERY: Duration = Duration::from_secs(5);
/// How often an issuer's keys are fetched: so long, at most, one that it has withdrawn still opens.
const KEYS_EVERY: Duration = Duration::from_mins(5);
/// The same while it fails.
const KEYS_AGAIN: Duration = Duration::from_secs(5);
/// How often what has expired is removed.
const PURGE_EVERY: Duration = Duration::from_mins(10);
/// How long after its end it is remembered that a grant was there.
const GRANTS_STAY: Duration = Duration::from_hours(24);
/// How long a client may wait for somebody to agree to it.
const UNUSED_CLIENTS: Duration = Duration::from_hours(24);
/// How long a client that somebody agreed to may lie unused.
const IDLE_CLIENTS: Duration = Duration::from_hours(90 * 24);
/// How long the spend of a day is remembered.
const SPEND_DAYS: i64 = 60;
/// How long the start waits for the database before the listeners are opened all the same.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two tries to open it, at first and at most.
const OPEN_AGAIN: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// How the opening of the database stands.
#[derive(Debug, Clone)]
enum Progress {
    UnderWay,
    Done,
    Failed(String),
}

/// The opening of the database.
#[derive(Debug)]
pub(super) struct Opening(watch::Receiver<Progress>);

impl Opening {
    /// Begins, and waits a little for the end.
    pub(super) async fn begin(keeper: Keeper, limit: Duration, tasks: &Tasks, metrics: Metrics) -> Result<Self> {
        let (sender, mut receiver) = watch::channel(Progress::UnderWay);
        let (stop, keeping) = (tasks.stopping(), tasks.clone());
        tasks.spawn(async move {
            let Some(progress) = stop.run_until_cancelled(keeper.open(limit)).await else { return };
            if matches!(progress, Progress::Done) {
                keeper.supervise(&keeping, metrics);
            }
            sender.send_replace(progress);
        });
        let ended = receiver.wait_for(|progress| !matches!(progress, Progress::UnderWay));
        if let Ok(Ok(progress)) = tokio::time::timeout(PATIENCE, ended).await
            && let Progress::Failed(error) = &*progress
        {
            return Err(anyhow::Error::msg(error.clone()));
        }
        Ok(Self(receiver))
    }

    /// Returns when the database is open; not if it never is.
    pub(super) async fn done(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|progress| matches!(progress, Progress::Done)).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns when the database is given up.
    pub(super) async fn failure(&self) -> anyhow::Error {
        let mut receiver = self.0.clone();
        let failed = receiver.wait_for(|progress| matches!(progress, Progress::Failed(_))).await;
        match failed.map(|progress| progress.clone()) {
            Ok(Progress::Failed(error)) => anyhow::Error::msg(error),
            // It was opened, and keeps so.
            _ => std::future::pending().await,
        }
    }
}

/// Why the database cannot be used now.
struct NotOpen {
    message: String,
    may_pass: bool,
}

impl From<StartError> for NotOpen {
    fn from(error: StartError) -> Self {
        Self { may_pass: error.may_pass, message: error.to_string() }
    }
}

impl From<KeysError> for NotOpen {
    fn from(error: KeysError) -> Self {
        Self { may_pass: matches!(error, KeysError::Store(_)), message: error.to_string() }
    }
}

/// Keeps the database in order.
pub(super) struct Keeper {
    pub(super) store: Store,
    pub(super) budget: Budget,
    /// By which tokens are signed, where people sign in here.
    pub(super) keys: Option<Keys>,
    pub(super) clock: Clock,
}

impl Keeper {
    /// Opens the database, again and again while that may help, within `limit`.
    async fn open(&self, limit: Duration) -> Progress {
        let (mut wait, longest) = OPEN_AGAIN;
        let began = self.clock.elapsed();
        loop {
            let error = match self.prepare().await {
                Ok(()) => return Progress::Done,
                Err(error) => error,
            };
            if !error.may_pass || self.clock.elapsed().saturating_sub(began) >= limit {
                return Progress::Failed(error.message);
            }
            tracing::warn!(cause = error.message, "the database cannot be opened yet");
            tokio::time::sleep(wait).await;
            wait = longest.min(wait * 2);
        }
    }

    /// Goes on where the database is open already.
    pub(super) async fn resume(self, tasks: &Tasks, metrics: Metrics) {
        self.budget.restore().await;
        self.supervise(tasks, metrics);
    }

    fn supervise(self, tasks: &Tasks, metrics: Metrics) {
        let keeper = Arc::new(self);
        tasks.supervise("database_upkeep", metrics, move || {
            let keeper = Arc::clone(&keeper);
            async move { keeper.keep().await }
        });
    }

    async fn prepare(&self) -> Result<(), NotOpen> {
        let applied = self.store.prepare().await?;
        if let Some(keys) = &self.keys {
            keys.prepare().await?;
        }
        tracing::info!(steps = applied.steps, schema = applied.version, "the database is open");
        self.budget.restore().await;
        Ok(())
    }

    /// Saves and purges for ever.
    async fn keep(&self) {
        loop {
            self.purge().await;
            if let Some(keys) = &self.keys
                && let Err(error) = keys.rotate().await
            {
                tracing::error!(%error, "the signing keys could not be looked after");
            }
            let purged = self.clock.elapsed();
            while self.clock.elapsed().saturating_sub(purged) < PURGE_EVERY {
                self.clock.sleep(SAVE_EVERY).await;
                self.budget.save().await;
            }
        }
    }

    /// In portions, so that no statement takes long.
    async fn purge(&self) {
        let now = self.clock.now();
        let (mut claims, mut reports) = (0, 0);
        while let Ok(some @ 1..) = self.store.claims().purge(now).await {
            claims += some;
        }
        while let Ok(some @ 1..) = self.store.reports().purge(now).await {
            reports += some;
        }
        let (mut sessions, mut links) = (0, 0);
        while let Ok(some @ 1..) = self.store.sessions().purge(session_cutoff(now)).await {
            sessions += some;
        }
        while let Ok(some @ 1..) = self.store.setup_links().purge(now).await {
            links += some;
        }
        let (mut grants, mut clients) = (0, 0);
        while let Ok(some @ 1..) = self.store.grants().purge(now - GRANTS_STAY).await {
            grants += some;
        }
        while let Ok(some @ 1..) = self.store.clients().purge(now - UNUSED_CLIENTS, now - IDLE_CLIENTS).await {
            clients += some;
        }
        if let Some(day) = pacific_day(now).and_then(|day| day.checked_sub(SPEND_DAYS.days()).ok()) {
            let _ = self.store.spend().forget_before(&day.to_string()).await;
        }
        if claims + reports + sessions + links + grants + clients > 0 {
            tracing::info!(claims, reports, sessions, links, grants, clients, "removed what had expired");
        }
        self.store.tidy().await;
    }
}

/// Content whose time is over leaves the memory even if nobody asks for anything.
pub(super) fn tidy(cache: Cache, tasks: &Tasks, metrics: Metrics) {
    tasks.supervise("cache_upkeep", metrics, move || {
        let cache = cache.clone();
        async move {
            loop {
                tokio::time::sleep(TIDY_EVERY).await;
                cache.tidy();
            }
        }
    });
}

/// The issuer's keys are fetched ahead of need, at each `interval` unless that is zero, and sooner while it fails.
pub(super) fn refresh_keys(issuer: Arc<Issuer>, interval: Duration, base: &Base) {
    let (clock, metrics) = (base.clock.clone(), base.metrics.clone());
    let every = if interval.is_zero() { KEYS_EVERY } else { interval.min(KEYS_EVERY) };
    base.tasks.supervise("issuer_keys", metrics, move || {
        let (issuer, clock) = (Arc::clone(&issuer), clock.clone());
        async move {
            loop {
                let is_well = issuer.refresh().await;
                clock.sleep(if is_well { every } else { KEYS_AGAIN.min(every) }).await;
            }
        }
    });
}
