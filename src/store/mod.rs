//! What must outlive the process: reports, the answers of writing calls, the spend of the day, people and their sessions.
//! SQLite in one file, or PostgreSQL; the SQL is the same text for both, and times are passed in.

mod api_keys;
mod clients;
mod db;
mod error;
mod folder;
mod grants;
mod idempotency;
mod identities;
mod migrations;
mod people;
mod postgres;
mod reports;
mod sessions;
mod setup_links;
mod signing_keys;
mod spend;
mod sqlite;
mod tables;

pub use api_keys::{ApiKeys, KeptKey};
pub use clients::{Clients, KeptClient, Registered};
pub use error::{StartError, StoreError};
pub use folder::{DataFolder, FolderError};
pub use grants::{Agreed, Grant, Grants, NewGrant, NextTokens};
pub use idempotency::{Attempt, Claim, Claims, Held};
pub use identities::{Identities, Identity, Introduced};
pub use migrations::Applied;
pub use people::{KeptPerson, People, Person};
pub use reports::{ReportHead, Reports, StoredReport};
pub use sessions::{Proof, Session, SessionCutoff, Sessions};
pub use setup_links::{Invitation, SetUp, SetupLinks};
pub use signing_keys::{KeptSigningKey, SigningKeys};
pub use spend::{Spend, Spent};

use crate::{clock::Clock, config, health::Reporter, telemetry::spans};
use db::{Db, reading};
use secrecy::ExposeSecret as _;
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tracing::Span;

/// What a statement may take beyond the limit that PostgreSQL itself holds.
const BEYOND: Duration = Duration::from_secs(1);
/// To a file nothing gets lost on the way.
const NO_NETWORK: Duration = Duration::from_hours(1);
/// How often a SQLite file that another program has is looked at again before it is given up.
const LOOKS: u32 = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The database. Clones share it.
#[derive(Debug, Clone)]
pub struct Store(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    db: Db,
    /// The file, if it is SQLite.
    file: Option<PathBuf>,
    health: Reporter,
    /// The longest that a statement may take, as seen from here.
    limit: Duration,
    /// Before the schema is known to be ours, nothing is asked.
    is_open: AtomicBool,
    /// Grows whenever something that opens doors was revoked by this process.
    revocations: AtomicU64,
    lock: Mutex<Option<File>>,
}

impl Store {
    /// Nothing is opened yet: that is what [`Store::prepare`] does.
    ///
    /// # Errors
    /// [`StartError`] when the address is none.
    pub fn new(settings: &config::Store, health: Reporter) -> Result<Self, StartError> {
        let (db, file) = match &settings.url {
            Some(url) if url.expose_secret().starts_with("postgres") => {
                (postgres::pool(url.expose_secret(), settings)?, None)
            }
            url => {
                let file = sqlite::file(url.as_ref().map(secrecy::ExposeSecret::expose_secret), settings)?;
                (sqlite::pools(&file, settings), Some(file))
            }
        };
        let limit = if file.is_some() { NO_NETWORK } else { settings.statement_timeout + BEYOND };
        let parts = Parts {
            db,
            file,
            health,
            limit,
            is_open: AtomicBool::new(false),
            revocations: AtomicU64::new(0),
            lock: Mutex::default(),
        };
        Ok(Self(Arc::new(parts)))
    }

    /// Claims a SQLite file for this process: two servers on one file would each believe to be alone.
    ///
    /// # Errors
    /// [`StartError`] when another process serves from it, or the lock cannot be written.
    pub fn lock(&self) -> Result<(), StartError> {
        let Some(file) = &self.0.file else { return Ok(()) };
        let held = sqlite::lock(file)?;
        *self.0.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        Ok(())
    }

    /// Closes all connections, and lets go of the file. Nothing can be asked any more.
    pub async fn close(&self) {
        self.0.db.close().await;
        self.unlock();
    }

    fn unlock(&self) {
        self.0.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Opens the database, looks whether it is whole, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StartError`] says whether trying again may help.
    pub async fn prepare(&self) -> Result<Applied, StartError> {
        let prepared = match (&self.0.db, &self.0.file) {
            (Db::Sqlite { writer, .. }, Some(file)) => sqlite::prepare(writer, file).await,
            (Db::Postgres(pool), _) => postgres::prepare(pool, self.0.limit).await,
            (Db::Sqlite { .. }, None) => Err(StartError::last("SQLite without a file".to_owned())),
        };
        match &prepared {
            Ok(_) => {
                self.0.is_open.store(true, Ordering::Release);
                self.0.health.up();
            }
            Err(error) => self.0.health.down(error.to_string()),
        }
        prepared
    }

    /// Opens the database beside others that may be using it.
    ///
    /// # Errors
    /// [`StartError`] when it cannot be used, or a running server has another version of the schema.
    pub async fn attach(&self) -> Result<(), StartError> {
        let mut looks_left = if self.0.file.is_some() { LOOKS } else { 0 };
        loop {
            // Nobody serves from this file: it may be made, or brought up to date. Afterwards others may.
            if self.0.file.is_some() && self.lock().is_ok() {
                let prepared = self.prepare().await;
                self.unlock();
                return prepared.map(|_| ());
            }
            match self.look().await {
                // Whoever was first may be making it at this moment.
                Err(_) if looks_left > 0 => looks_left -= 1,
                looked => return looked,
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    async fn look(&self) -> Result<(), StartError> {
        match (&self.0.db, &self.0.file) {
            (Db::Sqlite { writer, .. }, Some(file)) => sqlite::look(writer, file).await?,
            (Db::Sqlite { .. }, None) => return Err(StartError::last("SQLite without a file".to_owned())),
            (Db::Postgres(pool), _) => postgres::look(pool).await?,
        }
        self.0.is_open.store(true, Ordering::Release);
        Ok(())
    }

    /// Asks the database for nothing, and tells the health check whether it answered in time.
    pub async fn probe(&self, clock: &Clock) {
        let started = clock.elapsed();
        let answer: Result<i64, _> = reading!(self, "probe", connection => {
            sqlx::query_scalar("SELECT CAST(1 AS BIGINT)").fetch_one(connection).await
        });
        let latency = clock.elapsed().saturating_sub(started);
        // Whoever gets no connection is as good as without a database.
        self.0.health.probed(answer.map(|_| latency).map_err(|error| error.cause()));
    }

    /// Lets go of what was removed and still lies beside the file, if it is SQLite.
    pub async fn tidy(&self) {
        if let (Db::Sqlite { writer, .. }, true) = (&self.0.db, self.is_open()) {
            sqlite::tidy(writer).await;
        }
    }

    /// The folder of the file, if it is SQLite.
    pub fn folder(&self) -> Option<&Path> {
        self.0.file.as_deref().and_then(Path::parent)
    }

    /// A number that changes whenever this process has revoked something: whoever remembers that a credential is valid
    /// looks again. What other processes revoke is not seen here.
    pub fn revocations(&self) -> u64 {
        self.0.revocations.load(Ordering::Acquire)
    }

    fn revoked(&self) {
        self.0.revocations.fetch_add(1, Ordering::AcqRel);
    }

    fn is_open(&self) -> bool {
        self.0.is_open.load(Ordering::Acquire)
    }

    fn limit(&self) -> Duration {
        self.0.limit
    }

    fn db(&self) -> &Db {
        &self.0.db
    }

    /// Passes on how a statement ended, after telling the health check and, where the operator must act, the log.
    fn told<T>(&self, outcome: Result<T, sqlx::Error>, span: &Span) -> Result<T, StoreError> {
        let error = match outcome {
            Ok(value) => {
                self.0.health.up();
                return Ok(value);
            }
            Err(error) => StoreError::from(error),
        };
        spans::failed(span, error.kind(), None);
        match &error {
            StoreError::Unreachable(_) | StoreError::Damaged(_) => self.0.health.down(error.cause()),
            StoreError::Busy(_) => tracing::warn!(cause = error.cause(), "the database is busy"),
            _ => tracing::error!(cause = error.cause(), "the database refused a statement"),
        }
        Err(error)
    }
}
