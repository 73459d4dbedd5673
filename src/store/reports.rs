//! The reports, each with its owner: every statement names whose it may see.

use super::{
    Store, StoreError,
    db::{reading, writing},
};
use crate::model::{PlaceId, Principal, ReportId};
use jiff::Timestamp;

/// The table of reports.
#[derive(Debug)]
pub struct Reports<'a>(pub(super) &'a Store);

/// What is known of a report without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportHead {
    /// Its id.
    pub id: ReportId,
    /// What its owner called it.
    pub title: String,
    /// On which places, in the order of the report.
    pub place_ids: Vec<PlaceId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is gone.
    pub expires_at: Timestamp,
}

/// A report as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReport {
    /// What is known of it without opening it.
    pub head: ReportHead,
    /// Which places, whatever their order.
    pub places_key: String,
    /// The report as JSON.
    pub content: String,
}

type HeadRow = (String, String, String, i64, i64);
type Row = (String, String, String, i64, i64, String, String);

const INSERT: &str = "
    INSERT INTO reports (id, owner, title, place_ids, places_key, content, created_at_ms, expires_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (id) DO NOTHING";

const FIND: &str = "
    SELECT id, title, place_ids, created_at_ms, expires_at_ms, places_key, content FROM reports
    WHERE owner = $1 AND id = $2 AND expires_at_ms > $3";

const LAST_ON_PLACES: &str = "
    SELECT id, title, place_ids, created_at_ms, expires_at_ms, places_key, content FROM reports
    WHERE owner = $1 AND places_key = $2 AND expires_at_ms > $3 AND id <> $4
    ORDER BY created_at_ms DESC, id DESC LIMIT 1";

const PAGE: &str = "
    SELECT id, title, place_ids, created_at_ms, expires_at_ms FROM reports
    WHERE owner = $1 AND expires_at_ms > $2 AND (created_at_ms < $3 OR (created_at_ms = $3 AND id < $4))
    ORDER BY created_at_ms DESC, id DESC LIMIT $5";

const WITH_PREFIX: &str = "
    SELECT id FROM reports
    WHERE owner = $1 AND expires_at_ms > $2 AND SUBSTR(id, 1, CAST($3 AS INTEGER)) = $4
    ORDER BY created_at_ms DESC, id DESC LIMIT $5";

pub(super) const REMOVE_ALL: &str = "DELETE FROM reports WHERE owner = $1";

const PURGE: &str = "DELETE FROM reports WHERE id IN (SELECT id FROM reports WHERE expires_at_ms <= $1 LIMIT 500)";

const PURGE_OF_NOBODY: &str = "
    DELETE FROM reports WHERE id IN
        (SELECT id FROM reports
         WHERE SUBSTR(owner, 1, 7) = 'person:' AND SUBSTR(owner, 8) NOT IN (SELECT id FROM people) LIMIT 500)";

impl Reports<'_> {
    /// Keeps a report. One that is there already stays as it is.
    ///
    /// # Errors
    /// [`StoreError`] when it was not kept, as far as is known.
    pub async fn insert(&self, owner: &Principal, report: &StoredReport) -> Result<(), StoreError> {
        let place_ids = report.head.place_ids.iter().map(PlaceId::as_str).collect::<Vec<_>>().join(" ");
        writing!(self.0, "reports.insert", connection => {
            sqlx::query(INSERT)
                .bind(report.head.id.to_string())
                .bind(owner.as_str())
                .bind(&report.head.title)
                .bind(&place_ids)
                .bind(&report.places_key)
                .bind(&report.content)
                .bind(report.head.created_at.as_millisecond())
                .bind(report.head.expires_at.as_millisecond())
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
        let row: Option<Row> = reading!(self.0, "reports.find", connection => {
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
        let row: Option<Row> = reading!(self.0, "reports.last_on", connection => {
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

    /// At most `limit` of the owner's reports, newest first: all of them, or those after the one that was made then and
    /// has this id.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn page(
        &self,
        owner: &Principal,
        after: Option<(Timestamp, ReportId)>,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ReportHead>, StoreError> {
        let (created_at, id) =
            after.map_or((i64::MAX, String::new()), |(created_at, id)| (created_at.as_millisecond(), id.to_string()));
        let rows: Vec<HeadRow> = reading!(self.0, "reports.page", connection => {
            sqlx::query_as(PAGE)
                .bind(owner.as_str())
                .bind(now.as_millisecond())
                .bind(created_at)
                .bind(&id)
                .bind(i64::from(limit))
                .fetch_all(connection)
                .await
        })?;
        rows.into_iter().map(head).collect()
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
        reading!(self.0, "reports.ids_with_prefix", connection => {
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

    /// Removes some of what has expired, and of what belongs to people who are not there any more; returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when they could not be removed.
    pub async fn purge(&self, now: Timestamp) -> Result<u64, StoreError> {
        writing!(self.0, "reports.purge", connection => {
            let purged = async {
                let expired = sqlx::query(PURGE).bind(now.as_millisecond()).execute(&mut *connection).await?;
                let of_nobody = sqlx::query(PURGE_OF_NOBODY).execute(connection).await?;
                Ok(expired.rows_affected() + of_nobody.rows_affected())
            };
            purged.await
        })
    }
}

fn report(
    (id, title, place_ids, created_at, expires_at, places_key, content): Row,
) -> Result<StoredReport, StoreError> {
    Ok(StoredReport { head: head((id, title, place_ids, created_at, expires_at))?, places_key, content })
}

fn head((id, title, place_ids, created_at, expires_at): HeadRow) -> Result<ReportHead, StoreError> {
    let unreadable = || StoreError::Unreadable { table: "reports" };
    let time = |milliseconds| Timestamp::from_millisecond(milliseconds).map_err(|_| unreadable());
    Ok(ReportHead {
        id: ReportId::parse(&id).map_err(|_| unreadable())?,
        title,
        place_ids: place_ids.split(' ').map(PlaceId::parse).collect::<Result<_, _>>().map_err(|_| unreadable())?,
        created_at: time(created_at)?,
        expires_at: time(expires_at)?,
    })
}
