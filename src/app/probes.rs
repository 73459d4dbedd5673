//! Asking each dependency, again and again, whether it is well; the health paths show the answers. Each has work of its
//! own, so that one that hangs holds up no other, and no probe begins before the last has ended.

use crate::{
    clock::Clock,
    config::Config,
    health::{Health, Need, Reporter},
    redis::Redis,
    store::Store,
    tasks::Tasks,
    telemetry::Metrics,
    upstream::Places,
};
use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

/// The database is asked at least this often: without it the instance is not ready.
const DATABASE_EVERY: Duration = Duration::from_secs(5);

/// What probes are made with.
pub(super) struct Probes {
    pub(super) clock: Clock,
    pub(super) tasks: Tasks,
    pub(super) metrics: Metrics,
    pub(super) interval: Duration,
}

impl Probes {
    /// Google, by a call that costs nothing.
    pub(super) fn google(&self, places: &Arc<Places>, config: &Config) {
        let (places, id) = (Arc::clone(places), config.health.google_place_id.clone());
        self.every(self.interval, "probe_google_places", move || {
            let (places, id) = (Arc::clone(&places), id.clone());
            async move { places.probe(&id).await }
        });
    }

    /// Redis, in any case once: the health check then knows before the first call does.
    pub(super) fn redis(&self, redis: &Redis) {
        if self.interval.is_zero() {
            let (redis, clock) = (redis.clone(), self.clock.clone());
            return self.tasks.spawn(async move { redis.probe(&clock).await });
        }
        let (redis, clock) = (redis.clone(), self.clock.clone());
        self.every(self.interval, "probe_redis", move || {
            let (redis, clock) = (redis.clone(), clock.clone());
            async move { redis.probe(&clock).await }
        });
    }

    /// The database, also where nothing else is asked.
    pub(super) fn database(&self, store: &Store) {
        let (store, clock) = (store.clone(), self.clock.clone());
        let interval = if self.interval.is_zero() { DATABASE_EVERY } else { self.interval.min(DATABASE_EVERY) };
        self.every(interval, "probe_database", move || {
            let (store, clock) = (store.clone(), clock.clone());
            async move { store.probe(&clock).await }
        });
    }

    /// The disk of the database, where it is a file.
    pub(super) fn disk(&self, store: &Store, health: &Health, config: &Config) {
        let Some(folder) = store.folder().map(PathBuf::from) else { return };
        let (reporter, least) = (health.register("disk", Need::Never), config.health.least_free_bytes);
        self.every(self.interval, "probe_disk", move || {
            look_at_the_disk(&folder, least, &reporter);
            std::future::ready(())
        });
    }

    /// At once, and again after each interval; zero means never.
    fn every<F>(&self, interval: Duration, name: &'static str, probe: impl Fn() -> F + Clone + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if interval.is_zero() {
            return;
        }
        let clock = self.clock.clone();
        self.tasks.supervise(name, self.metrics.clone(), move || {
            let (probe, clock) = (probe.clone(), clock.clone());
            async move {
                loop {
                    probe().await;
                    clock.sleep(interval).await;
                }
            }
        });
    }
}

fn look_at_the_disk(folder: &std::path::Path, least: u64, reporter: &Reporter) {
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            if free >= least {
                reporter.up();
            } else {
                let [free, least] = [free, least].map(|bytes| bytes / 1_000_000);
                let folder = folder.display();
                reporter.probed(Err(format!(
                    "{free} MB are free on the disk of {folder}, less than {least} MB: make room before writes fail"
                )));
            }
        }
        Err(error) => reporter.probed(Err(format!("the disk of {} cannot be looked at: {error}", folder.display()))),
    }
}
