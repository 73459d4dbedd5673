//! What is done again and again without anybody asking: opening the database, and removing what has expired.

use super::base::Base;
use crate::{
    auth::Issuer,
    budget::Budget,
    cache::Cache,
    clock::{Clock, pacific_day},
    oauth::session_cutoff,
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
    Failed(StartError),
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
                let keeper = Arc::new(keeper);
                keeping.supervise("database_upkeep", metrics, move || {
                    let keeper = Arc::clone(&keeper);
                    async move { keeper.keep().await }
                });
            }
            sender.send_replace(progress);
        });
        let ended = receiver.wait_for(|progress| !matches!(progress, Progress::UnderWay));
        if let Ok(Ok(progress)) = tokio::time::timeout(PATIENCE, ended).await
            && let Progress::Failed(error) = &*progress
        {
            return Err(error.clone().into());
        }
        Ok(Self(receiver))
    }

    /// Returns when the database is given up.
    pub(super) async fn failure(&self) -> anyhow::Error {
        let mut receiver = self.0.clone();
        let failed = receiver.wait_for(|progress| matches!(progress, Progress::Failed(_))).await;
        match failed.map(|progress| progress.clone()) {
            Ok(Progress::Failed(error)) => error.into(),
            // It was opened, and keeps so.
            _ => std::future::pending().await,
        }
    }
}

/// Keeps the database in order.
pub(super) struct Keeper {
    pub(super) store: Store,
    pub(super) budget: Budget,
    pub(super) clock: Clock,
}

impl Keeper {
    /// Opens the database, again and again while that may help, within `limit`.
    async fn open(&self, limit: Duration) -> Progress {
        let (mut wait, longest) = OPEN_AGAIN;
        let began = self.clock.elapsed();
        loop {
            match self.store.prepare().await {
                Ok(applied) => {
                    tracing::info!(steps = applied.steps, schema = applied.version, "the database is open");
                    self.budget.restore().await;
                    return Progress::Done;
                }
                Err(error) if !error.may_pass || self.clock.elapsed().saturating_sub(began) >= limit => {
                    return Progress::Failed(error);
                }
                Err(error) => tracing::warn!(cause = %error, "the database cannot be opened yet"),
            }
            tokio::time::sleep(wait).await;
            wait = longest.min(wait * 2);
        }
    }

    /// Saves and purges for ever.
    async fn keep(&self) {
        loop {
            self.purge().await;
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
        if let Some(day) = pacific_day(now).and_then(|day| day.checked_sub(SPEND_DAYS.days()).ok()) {
            let _ = self.store.spend().forget_before(&day.to_string()).await;
        }
        if claims + reports + sessions + links > 0 {
            tracing::info!(claims, reports, sessions, links, "removed what had expired");
        }
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
