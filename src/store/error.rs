//! What can go wrong with the database, named by what to do, and the sentences for callers and operators.

use crate::model::{Code, Failure};
use sqlx::{Error, error::DatabaseError};
use std::time::Duration;

/// The database cannot be used for now, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StartError {
    message: String,
    /// Whether it may be otherwise in a while.
    pub may_pass: bool,
}

impl StartError {
    /// Somebody has to do something.
    pub(super) fn last(message: String) -> Self {
        Self { message, may_pass: false }
    }

    /// It may be otherwise in a while.
    pub(super) fn passing(message: String) -> Self {
        Self { message, may_pass: true }
    }
}

/// A statement did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The schema is not looked at yet, or waits for another instance.
    #[error("is being opened")]
    Opening,
    /// No connection, or it broke.
    #[error("cannot be reached")]
    Unreachable(#[source] Error),
    /// All connections, or the rows that were wanted, are in use.
    #[error("is busy")]
    Busy(#[source] Error),
    /// It takes no writes, for example after a failover.
    #[error("takes no writes")]
    ReadOnly(#[source] Error),
    /// There is no room for more.
    #[error("is full")]
    Full(#[source] Error),
    /// The file is not what was written.
    #[error("is damaged")]
    Damaged(#[source] Error),
    /// A row holds what this version cannot read.
    #[error("holds a row of {table} that this version cannot read")]
    Unreadable {
        /// Of which table.
        table: &'static str,
    },
    /// A fault of this program.
    #[error("refused a statement")]
    Refused(#[source] Error),
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match &error {
            Error::Io(_) | Error::Tls(_) | Error::PoolClosed | Error::WorkerCrashed => Self::Unreachable(error),
            // Either nobody answers or all are busy; the pool does not tell which.
            Error::PoolTimedOut => Self::Busy(error),
            Error::Database(cause) => match kind(cause.as_ref()) {
                Kind::Unreachable => Self::Unreachable(error),
                Kind::Busy => Self::Busy(error),
                Kind::ReadOnly => Self::ReadOnly(error),
                Kind::Full => Self::Full(error),
                Kind::Damaged => Self::Damaged(error),
                Kind::Other => Self::Refused(error),
            },
            _ => Self::Refused(error),
        }
    }
}

impl StoreError {
    /// For the log and the health page: what happened, and the database's own word for it.
    pub fn cause(&self) -> String {
        match self {
            Self::Unreachable(error)
            | Self::Busy(error)
            | Self::ReadOnly(error)
            | Self::Full(error)
            | Self::Damaged(error)
            | Self::Refused(error) => format!("{self}: {}", word_of(error)),
            Self::Opening | Self::Unreadable { .. } => self.to_string(),
        }
    }

    /// Its name in traces.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Unreachable(_) => "unreachable",
            Self::Busy(_) => "busy",
            Self::ReadOnly(_) => "read_only",
            Self::Full(_) => "full",
            Self::Damaged(_) => "damaged",
            Self::Unreadable { .. } => "unreadable",
            Self::Refused(_) => "refused",
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let (why, wait) = match error {
            StoreError::Opening => ("is being opened", 5),
            StoreError::Unreachable(_) => ("cannot be reached", 5),
            // For want of a connection it cannot be told apart.
            StoreError::Busy(_) => ("is busy or cannot be reached", 2),
            StoreError::ReadOnly(_) => ("takes no writes", 10),
            StoreError::Full(_) => ("is full; tell the user that its operator must make room", 60),
            StoreError::Damaged(_) | StoreError::Unreadable { .. } | StoreError::Refused(_) => {
                return Failure::internal();
            }
        };
        let message = format!(
            "Try again in {wait} s with the same arguments; that is safe, since nothing is done twice: the database of this \
             server {why}."
        );
        Failure::new(Code::StoreUnavailable, message).retry_after(Duration::from_secs(wait))
    }
}

enum Kind {
    Unreachable,
    Busy,
    ReadOnly,
    Full,
    Damaged,
    Other,
}

/// By SQLSTATE (PostgreSQL, appendix A) or by SQLite's result code, whose lower byte is the primary one.
fn kind(error: &dyn DatabaseError) -> Kind {
    let code = error.code().unwrap_or_default();
    if let Some(code) = error.try_downcast_ref::<sqlx::sqlite::SqliteError>().and_then(|_| code.parse::<u32>().ok()) {
        return match code & 0xff {
            5 | 6 => Kind::Busy,
            8 => Kind::ReadOnly,
            13 => Kind::Full,
            10 | 14 => Kind::Unreachable,
            11 | 26 => Kind::Damaged,
            _ => Kind::Other,
        };
    }
    match code.as_ref() {
        "25006" => Kind::ReadOnly,
        // Too many connections; lock and statement timeouts; serialization and deadlock.
        "53300" | "55P03" | "57014" | "40001" | "40P01" => Kind::Busy,
        "53100" => Kind::Full,
        // Shutdown, crash, start, idle in transaction for too long, database dropped.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Kind::Unreachable,
        _ if code.starts_with("08") => Kind::Unreachable,
        _ if code.starts_with("XX") => Kind::Damaged,
        _ => Kind::Other,
    }
}

/// No answer within the time in which even a refusal comes.
pub(super) fn nothing_arrived() -> Error {
    Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer arrived in time"))
}

/// Whether reading again on another connection may succeed.
pub(super) fn lost_the_connection(error: &Error) -> bool {
    match error {
        Error::Io(_) => true,
        Error::Database(cause) => {
            cause.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some()
                && matches!(kind(cause.as_ref()), Kind::Unreachable)
        }
        _ => false,
    }
}

/// Whether a connection must not be used again.
pub(super) fn spoils_the_connection(error: &Error) -> bool {
    let read_only = |cause: &dyn DatabaseError| matches!(kind(cause), Kind::ReadOnly);
    lost_the_connection(error) || matches!(error, Error::Database(cause) if read_only(cause.as_ref()))
}

/// Without statements and values: what the database says of itself, and of a statement that it refused only the code,
/// because its words may quote what was in it.
fn word_of(error: &Error) -> String {
    match error {
        Error::Database(cause) => {
            let code = cause.code().unwrap_or_default().into_owned();
            match kind(cause.as_ref()) {
                Kind::Other => format!("code {code}"),
                _ => format!("{} (code {code})", cause.message()),
            }
        }
        Error::Io(error) => error.to_string(),
        Error::PoolTimedOut => "no connection became free in time, or nobody answers".to_owned(),
        Error::Tls(error) => format!("TLS: {error}"),
        _ => "an answer could not be read".to_owned(),
    }
}
