//! The reports, each with its owner: every statement names whose it may see.

use super::{
    Store, StoreError,
    db::{reading, writing},
};
use crate::model::{Principal, ReportId};
use jiff::Timestamp;

/// The table of reports.
#[derive(Debug)]
pub struct Reports<'a>(pub(super) &'a Store);

/// A report as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReport {
    /// Its id.
    pub id: ReportId,
    /// What its owner called it.
    pub title: String,
    /// Which places, whatever their order.
    pub places_key: String,
    /// The report as JSON.
    pub content: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is gone.
    pub expires_at: Timestamp,
}

/// Where a page of a list ended: the next one holds what is older.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// When the last report of the page was made.
    pub created_at: Timestamp,
    /// Its id.
    pub id: ReportId,
}

type Row = (String, String, String, String, i64, i64);

const INSERT: &str = "
    INSERT INTO reports (id, owner, title, places_key, content, created_at_ms, expires_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (id) DO NOTHING";

const FIND: &str = "
    SELECT id, title, places_key, content, created_at_ms, expires_at_ms FROM reports
    WHERE owner = $1 AND id = $2 AND expires_at_ms > $3";

const LAST_ON_PLACES: &str = "
    SELECT id, title, places_key, content, created_at_ms, expires_at_ms FROM reports
    WHERE owner = $1 AND places_key = $2 AND expires_at_ms > $3 AND id <> $4
    ORDER BY created_at_ms DESC, id DESC LIMIT 1";

const PAGE: &str = "
    SELECT id, title, places_key, content, created_at_ms, expires_at_ms FROM reports
    WHERE owner = $1 AND expires_at_ms > $2 AND (created_at_ms < $3 OR (created_at_ms = $3 AND id < $4))
    ORDER BY created_at_ms DESC, id DESC LIMIT $5";

const WITH_PREFIX: &str = "
    SELECT id FROM reports
    WHERE owner = $1 AND expires_at_ms > $2 AND SUBSTR(id, 1, CAST($3 AS INTEGER)) = $4
    ORDER BY created_at_ms DESC, id DESC LIMIT $5";

const PURGE: &str = "DELETE FROM reports WHERE expires_at_ms <= $1";

impl Reports<'_> {
    /// Keeps a report. One that is there already stays as it is.
    ///
    /// # Errors
    /// [`StoreError`] when it was not kept, as far as is known.
    pub async fn insert(&self, owner: &Principal, report: &StoredReport) -> Result<(), StoreError> {
        writing!(self.0, connection => {
            sqlx::query(INSERT)
                .bind(report.id.to_string())
                .bind(owner.as_str())
                .bind(&report.title)
                .bind(&report.places_key)
                .bind(&report.content)
                .bind(report.created_at.as_millisecond())
                .bind(report.expires_at.as_millisecond())
                .execute(connection)
                .await
                .map(|_| ())
        })
    }

    /// The owner's report with this id, if it has not expired.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn find(
        &self,
        owner: &Principal,
        id: ReportId,
        now: Timestamp,
    ) -> Result<Option<StoredReport>, StoreError> {
        let row: Option<Row> = reading!(self.0, connection => {
            sqlx::query_as(FIND)
                .bind(owner.as_str())
                .bind(id.to_string())
                .bind(now.as_millisecond())
                .fetch_optional(connection)
                .await
        })?;
        row.map(report).transpose()
    }

    /// The owner's last report on these places other than `except`.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn last_on(
        &self,
        owner: &Principal,
        places_key: &str,
        except: ReportId,
        now: Timestamp,
    ) -> Result<Option<StoredReport>, StoreError> {
        let row: Option<Row> = reading!(self.0, connection => {
            sqlx::query_as(LAST_ON_PLACES)
                .bind(owner.as_str())
                .bind(places_key)
                .bind(now.as_millisecond())
                .bind(except.to_string())
                .fetch_optional(connection)
                .await
        })?;
        row.map(report).transpose()
    }

    /// At most `limit` of the owner's reports, newest first, from `after` on.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn page(
        &self,
        owner: &Principal,
        after: Option<&Position>,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<StoredReport>, StoreError> {
        let (created_at, id) = after.map_or((i64::MAX, String::new()), |position| {
            (position.created_at.as_millisecond(), position.id.to_string())
        });
        let rows: Vec<Row> = reading!(self.0, connection => {
            sqlx::query_as(PAGE)
                .bind(owner.as_str())
                .bind(now.as_millisecond())
                .bind(created_at)
                .bind(&id)
                .bind(i64::from(limit))
                .fetch_all(connection)
                .await
        })?;
        rows.into_iter().map(report).collect()
    }

    /// At most `limit` ids of the owner's reports that begin like this, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn ids_with_prefix(
        &self,
        owner: &Principal,
        prefix: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::from(i32::MAX)).min(i64::from(i32::MAX));
        reading!(self.0, connection => {
            sqlx::query_scalar(WITH_PREFIX)
                .bind(owner.as_str())
                .bind(now.as_millisecond())
                .bind(length)
                .bind(prefix)
                .bind(i64::from(limit))
                .fetch_all(connection)
                .await
        })
    }

    /// Removes what has expired, and returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`] when they could not be removed.
    pub async fn purge(&self, now: Timestamp) -> Result<u64, StoreError> {
        writing!(self.0, connection => {
            let purged = sqlx::query(PURGE).bind(now.as_millisecond()).execute(connection).await;
            purged.map(|done| done.rows_affected())
        })
    }
}

fn report((id, title, places_key, content, created_at, expires_at): Row) -> Result<StoredReport, StoreError> {
    let unreadable = || StoreError::Unreadable { table: "reports" };
    let time = |milliseconds| Timestamp::from_millisecond(milliseconds).map_err(|_| unreadable());
    Ok(StoredReport {
        id: ReportId::parse(&id).map_err(|_| unreadable())?,
        title,
        places_key,
        content,
        created_at: time(created_at)?,
        expires_at: time(expires_at)?,
    })
}
