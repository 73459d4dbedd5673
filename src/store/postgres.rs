//! PostgreSQL: a server that several instances share.

use super::{
    db::Db,
    error::{StartError, nothing_arrived},
    migrations::{self, Applied},
};
use crate::config;
use sqlx::{
    ConnectOptions as _, Connection as _, Error, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr as _, time::Duration};

/// Any number: which lock all instances of this program take to migrate.
const MIGRATION_LOCK: i64 = 0x6772_7631;
/// How often the lock is tried for, and the first wait between two tries, doubled with each: four seconds together.
const LOCK_TRIES: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Longest use of one connection, so that a balanced cluster stays balanced.
const LONGEST_USE: Duration = Duration::from_mins(30);

/// The pool; nothing is connected yet.
pub(super) fn pool(url: &str, settings: &config::Store) -> Result<Db, StartError> {
    // The parser's message shows what it could not read, which may be the password.
    let not_an_address = |_| {
        StartError::last("store.url is not an address such as postgres://user:password@host:5432/database".to_owned())
    };
    let milliseconds = |duration: Duration| format!("{}ms", duration.as_millis());
    let options = PgConnectOptions::from_str(url)
        .map_err(not_an_address)?
        .application_name(env!("CARGO_PKG_NAME"))
        .options([
            ("statement_timeout", milliseconds(settings.statement_timeout)),
            ("lock_timeout", milliseconds(settings.lock_timeout)),
            ("idle_in_transaction_session_timeout", "10s".to_owned()),
        ])
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .min_connections(settings.pool_min)
        .max_connections(settings.pool_max)
        .acquire_timeout(settings.acquire_timeout)
        .max_lifetime(LONGEST_USE)
        .connect_lazy_with(options);
    Ok(Db::Postgres(pool))
}

/// Connects, and migrates under a lock that all instances share.
pub(super) async fn prepare(pool: &PgPool, limit: Duration) -> Result<Applied, StartError> {
    // Its own connection: migrations may take longer than statements may.
    let options = pool.connect_options().as_ref().clone().options([("statement_timeout", "0")]);
    let connected = tokio::time::timeout(limit, PgConnection::connect_with(&options)).await;
    let mut connection =
        connected.unwrap_or_else(|_elapsed| Err(nothing_arrived())).map_err(|error| explain(&error))?;
    take_the_lock(&mut connection, limit).await?;
    let applied = migrations::run(&migrations::POSTGRES, &mut connection).await.map_err(|error| {
        let cause = migrations::cause(&error);
        cause.map_or_else(|| migrations::explain(&error), explain)
    })?;
    // With the connection, the lock is let go.
    let _ = tokio::time::timeout(limit, connection.close()).await;
    Ok(applied)
}

/// Looks whether the schema is this program's: servers of another version may be running on it.
pub(super) async fn look(pool: &PgPool) -> Result<(), StartError> {
    let mut connection = pool.acquire().await.map_err(|error| explain(&error))?;
    if migrations::is_complete(&migrations::POSTGRES, &mut *connection).await {
        return Ok(());
    }
    let what = "the database has another version of the schema: use the program of that version, or bring it up to date with \
                `migrate` or `serve` first";
    Err(StartError::last(what.to_owned()))
}

/// Tries, rather than waits in the database: who waits there would stop others from building indexes. After some tries
/// the one who asked decides how much longer it may take.
async fn take_the_lock(connection: &mut PgConnection, limit: Duration) -> Result<(), StartError> {
    let mut wait = FIRST_WAIT;
    for _ in 0..LOCK_TRIES {
        let tried =
            sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(MIGRATION_LOCK).fetch_one(&mut *connection);
        let tried: Result<bool, Error> =
            tokio::time::timeout(limit, tried).await.unwrap_or_else(|_elapsed| Err(nothing_arrived()));
        if tried.map_err(|error| explain(&error))? {
            return Ok(());
        }
        tracing::info!(wait_ms = wait.as_millis(), "another instance migrates the database; waiting for it");
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    Err(StartError::passing("another instance migrates the database, or died at it; waiting for it".to_owned()))
}

/// Why the database cannot be used, and what to do.
fn explain(error: &Error) -> StartError {
    let Error::Database(cause) = error else {
        return StartError::passing(format!("PostgreSQL cannot be reached: {error}"));
    };
    let code = cause.code().unwrap_or_default().into_owned();
    match code.as_str() {
        "28P01" | "28000" => StartError::last("PostgreSQL refuses the user or the password of store.url".to_owned()),
        "3D000" => StartError::last("the database that store.url names does not exist: create it".to_owned()),
        "42501" => StartError::last(
            "the user of store.url may not do what is needed: GRANT CREATE ON SCHEMA public to it; or run `migrate` as one who \
             may, and GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public to it"
                .to_owned(),
        ),
        _ if cause.message().contains("unsupported startup parameter") => StartError::last(
            "store.url leads to a connection pooler such as PgBouncer, which drops the time limits of this program: connect to \
             PostgreSQL itself, the pool here is enough"
                .to_owned(),
        ),
        _ if code.starts_with("42") => StartError::last(format!(
            "the database that store.url names holds tables of another program ({}, code {code}): give this program a database \
             of its own",
            cause.message()
        )),
        _ => {
            // Starting up, too many connections, a lock that another holds: all of that passes.
            StartError::passing(format!("PostgreSQL: {} (code {code})", cause.message()))
        }
    }
}
