//! What was spent on each day, added up by all instances that use the database.

use super::{
    Store, StoreError,
    db::{reading, writing},
};

/// The table of days.
#[derive(Debug)]
pub struct Spend<'a>(pub(super) &'a Store);

/// One day's sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Millionths of a US dollar.
    pub micros: i64,
    /// Requests.
    pub calls: i64,
}

const PUT: &str = "
    INSERT INTO spend (day, credential, instance, micros, calls) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (day, credential, instance) DO UPDATE SET micros = excluded.micros, calls = excluded.calls";

const OF_DAY: &str = "
    SELECT CAST(COALESCE(SUM(micros), 0) AS BIGINT), CAST(COALESCE(SUM(calls), 0) AS BIGINT) FROM spend
    WHERE day = $1 AND credential = $2";

const FORGET: &str = "DELETE FROM spend WHERE day < $1";

impl Spend<'_> {
    /// Writes what one process has spent on a day (`YYYY-MM-DD`).
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known; writing it again does no harm.
    pub async fn put(&self, day: &str, credential: &str, instance: &str, spent: Spent) -> Result<(), StoreError> {
        writing!(self.0, "spend.put", connection => {
            sqlx::query(PUT)
                .bind(day)
                .bind(credential)
                .bind(instance)
                .bind(spent.micros)
                .bind(spent.calls)
                .execute(connection)
                .await
                .map(|_| ())
        })
    }

    /// What a day comes to so far, by all processes.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn of_day(&self, day: &str, credential: &str) -> Result<Spent, StoreError> {
        let (micros, calls): (i64, i64) = reading!(self.0, "spend.of_day", connection => {
            sqlx::query_as(OF_DAY).bind(day).bind(credential).fetch_one(connection).await
        })?;
        Ok(Spent { micros, calls })
    }

    /// Forgets the days before this one.
    ///
    /// # Errors
    /// [`StoreError`] when they could not be.
    pub async fn forget_before(&self, day: &str) -> Result<u64, StoreError> {
        writing!(self.0, "spend.forget_before", connection => {
            sqlx::query(FORGET).bind(day).execute(connection).await.map(|done| done.rows_affected())
        })
    }
}
