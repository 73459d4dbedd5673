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

const ADD: &str = "
    INSERT INTO spend (day, credential, micros, calls) VALUES ($1, $2, $3, $4)
    ON CONFLICT (day, credential) DO UPDATE SET micros = spend.micros + excluded.micros, calls = spend.calls + excluded.calls
    RETURNING micros, calls";

const OF_DAY: &str = "SELECT micros, calls FROM spend WHERE day = $1 AND credential = $2";

const FORGET: &str = "DELETE FROM spend WHERE day < $1";

impl Spend<'_> {
    /// Adds to a day (`YYYY-MM-DD`), and returns what it comes to.
    ///
    /// # Errors
    /// [`StoreError`] when it was not added, as far as is known.
    pub async fn add(&self, day: &str, credential: &str, more: Spent) -> Result<Spent, StoreError> {
        let (micros, calls): (i64, i64) = writing!(self.0, connection => {
            sqlx::query_as(ADD)
                .bind(day)
                .bind(credential)
                .bind(more.micros)
                .bind(more.calls)
                .fetch_one(connection)
                .await
        })?;
        Ok(Spent { micros, calls })
    }

    /// What a day comes to so far.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn of_day(&self, day: &str, credential: &str) -> Result<Spent, StoreError> {
        let found: Option<(i64, i64)> = reading!(self.0, connection => {
            sqlx::query_as(OF_DAY).bind(day).bind(credential).fetch_optional(connection).await
        })?;
        Ok(found.map_or_else(Spent::default, |(micros, calls)| Spent { micros, calls }))
    }

    /// Forgets the days before this one.
    ///
    /// # Errors
    /// [`StoreError`] when they could not be.
    pub async fn forget_before(&self, day: &str) -> Result<u64, StoreError> {
        writing!(self.0, connection => {
            sqlx::query(FORGET).bind(day).execute(connection).await.map(|done| done.rows_affected())
        })
    }
}
