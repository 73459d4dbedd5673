//! One SQL text for two databases: which pool a statement runs on is decided here, once.

use sqlx::{PgPool, SqlitePool};

/// The configured database.
#[derive(Debug, Clone)]
pub(super) enum Db {
    /// One file. Writers queue for their one connection, so that they never wait for each other's locks; readers have
    /// their own.
    Sqlite {
        /// For reading.
        readers: SqlitePool,
        /// For writing.
        writer: SqlitePool,
    },
    /// A server.
    Postgres(PgPool),
}

/// The pool for one statement.
pub(super) enum Pool<'a> {
    Sqlite(&'a SqlitePool),
    Postgres(&'a PgPool),
}

impl Db {
    /// Its name in traces.
    pub(super) fn system(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres(_) => "postgresql",
        }
    }

    pub(super) fn readers(&self) -> Pool<'_> {
        match self {
            Self::Sqlite { readers, .. } => Pool::Sqlite(readers),
            Self::Postgres(pool) => Pool::Postgres(pool),
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer } => {
                readers.close().await;
                // The last one to close tidies the write-ahead log away.
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }

    pub(super) fn writers(&self) -> Pool<'_> {
        match self {
            Self::Sqlite { writer, .. } => Pool::Sqlite(writer),
            Self::Postgres(pool) => Pool::Postgres(pool),
        }
    }
}

/// Runs statements on a connection of whichever pool it is. One that is of no more use is closed rather than put back:
/// the next goes to the server that is in charge now.
macro_rules! on_connection {
    ($pool:expr, $limit:expr, $connection:ident => $body:expr) => {
        match $pool {
            $crate::store::db::Pool::Sqlite(pool) => $crate::store::db::acquired!(pool, $limit, $connection => $body),
            $crate::store::db::Pool::Postgres(pool) => $crate::store::db::acquired!(pool, $limit, $connection => $body),
        }
    };
}

macro_rules! acquired {
    ($pool:expr, $limit:expr, $connection:ident => $body:expr) => {
        match $pool.acquire().await {
            Err(error) => Err(error),
            Ok(mut held) => {
                // The database has limits of its own; this one is for a network on which nothing arrives any more.
                let statements = async {
                    let $connection = &mut *held;
                    $body
                };
                let ended = tokio::time::timeout($limit, statements).await;
                let outcome = ended.unwrap_or_else(|_elapsed| Err($crate::store::error::nothing_arrived()));
                if outcome.as_ref().is_err_and($crate::store::error::spoils_the_connection) {
                    held.close_on_drop();
                }
                outcome
            }
        }
    };
}

/// Reads; once more if the connection was lost on the way, since reading twice does no harm. The name is that of the
/// operation in traces.
macro_rules! reading {
    ($store:expr, $name:literal, $connection:ident => $body:expr) => {
        if $store.is_open() {
            let span = $crate::telemetry::spans::statement($store.db().system(), $name);
            let statements = async {
                let outcome =
                    $crate::store::db::on_connection!($store.db().readers(), $store.limit(), $connection => $body);
                if outcome.as_ref().is_err_and($crate::store::error::lost_the_connection) {
                    $crate::store::db::on_connection!($store.db().readers(), $store.limit(), $connection => $body)
                } else {
                    outcome
                }
            };
            let outcome = tracing::Instrument::instrument(statements, span.clone()).await;
            $store.told(outcome, &span)
        } else {
            Err($crate::store::StoreError::Opening)
        }
    };
}

/// Writes, once: whether a write that was cut off happened is for its caller to find out.
macro_rules! writing {
    ($store:expr, $name:literal, $connection:ident => $body:expr) => {
        if $store.is_open() {
            let span = $crate::telemetry::spans::statement($store.db().system(), $name);
            let statements =
                async { $crate::store::db::on_connection!($store.db().writers(), $store.limit(), $connection => $body) };
            let outcome = tracing::Instrument::instrument(statements, span.clone()).await;
            $store.told(outcome, &span)
        } else {
            Err($crate::store::StoreError::Opening)
        }
    };
}

pub(super) use {acquired, on_connection, reading, writing};
