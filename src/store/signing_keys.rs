//! The keys that sign access tokens. Their private parts come and go sealed: what is in this table signs nothing.

use super::{
    Store, StoreError,
    db::{reading, writing},
};
use jiff::Timestamp;

/// The table of signing keys.
#[derive(Debug)]
pub struct SigningKeys<'a>(pub(super) &'a Store);

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSigningKey {
    /// Greater than that of all keys before.
    pub sequence: i64,
    /// By which tokens name it.
    pub id: String,
    /// As a JSON Web Key.
    pub public: String,
    /// Sealed.
    pub private: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub signs_from: Timestamp,
}

type Row = (i64, String, String, String, i64, i64);

// Whoever comes second makes nothing, and reads what the first has made.
const INSERT: &str = "
    INSERT INTO signing_keys (sequence, id, public, private, created_at_ms, signs_from_ms)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT DO NOTHING";

const LIST: &str = "
    SELECT sequence, id, public, private, created_at_ms, signs_from_ms FROM signing_keys ORDER BY sequence";

const RESEAL: &str = "UPDATE signing_keys SET private = $3 WHERE id = $1 AND private = $2";

const REMOVE_BEFORE: &str = "DELETE FROM signing_keys WHERE sequence < $1";

impl SigningKeys<'_> {
    /// Keeps a new key; returns whether it was kept, which it is not if there is one of this sequence already.
    ///
    /// # Errors
    /// [`StoreError`] when it was not kept, as far as is known.
    pub async fn insert(&self, key: &KeptSigningKey) -> Result<bool, StoreError> {
        writing!(self.0, "signing_keys.insert", connection => {
            sqlx::query(INSERT)
                .bind(key.sequence)
                .bind(&key.id)
                .bind(&key.public)
                .bind(&key.private)
                .bind(key.created_at.as_millisecond())
                .bind(key.signs_from.as_millisecond())
                .execute(connection)
                .await
                .map(|done| done.rows_affected() > 0)
        })
    }

    /// All keys, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn list(&self) -> Result<Vec<KeptSigningKey>, StoreError> {
        let rows: Vec<Row> = reading!(self.0, "signing_keys.list", connection => {
            sqlx::query_as(LIST).fetch_all(connection).await
        })?;
        rows.into_iter().map(kept).collect()
    }

    /// Puts another seal in the place of the one that was read; returns whether that one was still there.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn reseal(&self, id: &str, old_private: &str, new_private: &str) -> Result<bool, StoreError> {
        writing!(self.0, "signing_keys.reseal", connection => {
            let resealed = sqlx::query(RESEAL).bind(id).bind(old_private).bind(new_private).execute(connection).await;
            resealed.map(|done| done.rows_affected() > 0)
        })
    }

    /// Removes all keys before this one, and returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when they could not be removed.
    pub async fn remove_before(&self, sequence: i64) -> Result<u64, StoreError> {
        writing!(self.0, "signing_keys.remove_before", connection => {
            let removed = sqlx::query(REMOVE_BEFORE).bind(sequence).execute(connection).await;
            removed.map(|done| done.rows_affected())
        })
    }
}

fn kept((sequence, id, public, private, created_at, signs_from): Row) -> Result<KeptSigningKey, StoreError> {
    let time = |ms| Timestamp::from_millisecond(ms).map_err(|_| StoreError::Unreadable { table: "signing_keys" });
    let (created_at, signs_from) = (time(created_at)?, time(signs_from)?);
    Ok(KeptSigningKey { sequence, id, public, private, created_at, signs_from })
}
