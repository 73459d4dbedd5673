//! SQLite: one file, one server process, and a clear word for everything that can be wrong with the file.

use super::{
    db::Db,
    error::StartError,
    migrations::{self, Applied},
};
use crate::config;
use sqlx::{
    ConnectOptions as _, Error, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

/// Connections for reading.
const READERS: u32 = 4;
/// SQLite's usual page.
const PAGE_BYTES: u64 = 4_096;

/// The file: that of the URL, or the usual one in the data folder.
pub(super) fn file(url: Option<&str>, settings: &config::Store) -> Result<PathBuf, StartError> {
    let Some(url) = url else { return Ok(settings.data_dir.join("google-reviews.db")) };
    let path = url.strip_prefix("sqlite://").filter(|path| !path.is_empty() && !path.contains('?'));
    path.map(PathBuf::from).ok_or_else(|| {
        StartError::last("store.url is not an address such as sqlite:///var/lib/google-reviews/reviews.db".to_owned())
    })
}

/// One connection for writing, some for reading; nothing is opened yet.
pub(super) fn pools(file: &Path, settings: &config::Store) -> Db {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // What was answered must be there after a power cut.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(settings.busy_timeout)
        .foreign_keys(true)
        // What is removed is overwritten: a copy of the file must not hold those who were erased from it.
        .pragma("secure_delete", "ON")
        .pragma("max_page_count", (settings.sqlite_max_bytes / PAGE_BYTES).to_string())
        .disable_statement_logging();
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(settings.acquire_timeout)
            .connect_lazy_with(options.clone())
    };
    Db::Sqlite { readers: pool(READERS), writer: pool(1) }
}

/// Holds the file `….lock` beside the database until the process ends, however it ends.
pub(super) fn lock(file: &Path) -> Result<File, StartError> {
    let path = file.with_extension("lock");
    let cannot = |error: &dyn std::fmt::Display| {
        StartError::last(format!(
            "cannot write {} ({error}): the folder must exist and be writable for the user that runs this program; \
             store.data_dir names another",
            path.display()
        ))
    };
    let lock =
        OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(|error| cannot(&error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StartError::last(format!(
            "another server uses {}: stop it, or give this one its own store.data_dir, or use PostgreSQL (store.url), which \
             several servers can share",
            file.display()
        ))),
        Err(TryLockError::Error(error)) => Err(cannot(&error)),
    }
}

/// Opens the file, looks whether it is whole, and migrates it.
pub(super) async fn prepare(writer: &SqlitePool, file: &Path) -> Result<Applied, StartError> {
    let mut connection = writer.acquire().await.map_err(|error| explain(&error, file))?;
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| explain(&error, file))?;
    if found != "ok" {
        return Err(damaged(file));
    }
    migrations::run(&migrations::SQLITE, &mut *connection).await.map_err(|error| {
        let cause = migrations::cause(&error);
        cause.map_or_else(|| migrations::explain(&error), |cause| explain(cause, file))
    })
}

/// Moves what the write-ahead log holds into the file, and cuts the log: until then the pages of before lie in it. Whoever
/// still reads from it keeps it for this time.
pub(super) async fn tidy(writer: &SqlitePool) {
    if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(writer).await {
        tracing::warn!(%error, "the write-ahead log could not be cut");
    }
}

/// Looks whether a file that a running server uses has this program's schema.
pub(super) async fn look(writer: &SqlitePool, file: &Path) -> Result<(), StartError> {
    let mut connection = writer.acquire().await.map_err(|error| explain(&error, file))?;
    if migrations::is_complete(&migrations::SQLITE, &mut *connection).await {
        return Ok(());
    }
    Err(StartError::last(format!(
        "a server of another version uses {}: use the same version, or stop it first",
        file.display()
    )))
}

/// Why the file cannot be used, and what to do.
fn explain(error: &Error, file: &Path) -> StartError {
    let code = match error {
        Error::Database(cause) => cause.code().and_then(|code| code.parse::<u32>().ok()).map_or(0, |code| code & 0xff),
        _ => 0,
    };
    let path = file.display();
    match code {
        11 | 26 => damaged(file),
        5 | 6 => StartError::passing(format!("the database {path} is locked by another program; waiting for it")),
        8 => StartError::last(format!(
            "the database {path} cannot be written: the file and its folder must be writable for the user that runs this \
             program"
        )),
        13 => StartError::last(format!("there is no room for the database {path}: make room on its disk")),
        14 => StartError::last(format!(
            "the database {path} cannot be opened: its folder must exist and be writable for the user that runs this program"
        )),
        _ => StartError::last(format!("the database {path} cannot be used: {error}")),
    }
}

fn damaged(file: &Path) -> StartError {
    StartError::last(format!(
        "the database {0} is damaged, or is no SQLite database: restore it from a backup, or move it away (with {0}-wal and \
         {0}-shm) to start with an empty one",
        file.display()
    ))
}
