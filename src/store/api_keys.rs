//! API keys: who has one, and what it opens. Of the key itself only the hash is kept.

use super::{
    Store, StoreError,
    db::{reading, writing},
};
use jiff::Timestamp;

/// The table of API keys.
#[derive(Debug)]
pub struct ApiKeys<'a>(pub(super) &'a Store);

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptKey {
    /// By which it is listed and revoked.
    pub id: String,
    /// What its operator calls it.
    pub name: String,
    /// Of the whole key, SHA-256 in hexadecimal.
    pub hash: String,
    /// Names of permissions with spaces between them.
    pub scopes: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

type Row = (String, String, String, String, i64, Option<i64>);

const INSERT: &str = "
    INSERT INTO api_keys (id, name, hash, scopes, created_at_ms) VALUES ($1, $2, $3, $4, $5)";

const FIND: &str = "
    SELECT id, name, hash, scopes, created_at_ms, revoked_at_ms FROM api_keys WHERE id = $1";

const LIST: &str = "
    SELECT id, name, hash, scopes, created_at_ms, revoked_at_ms FROM api_keys ORDER BY created_at_ms, id";

const REVOKE: &str = "UPDATE api_keys SET revoked_at_ms = $1 WHERE id = $2 AND revoked_at_ms IS NULL";

impl ApiKeys<'_> {
    /// Keeps a new key.
    ///
    /// # Errors
    /// [`StoreError`] when it was not kept, as far as is known.
    pub async fn insert(&self, key: &KeptKey) -> Result<(), StoreError> {
        writing!(self.0, "api_keys.insert", connection => {
            sqlx::query(INSERT)
                .bind(&key.id)
                .bind(&key.name)
                .bind(&key.hash)
                .bind(&key.scopes)
                .bind(key.created_at.as_millisecond())
                .execute(connection)
                .await
                .map(|_| ())
        })
    }

    /// The key with this id, also if it was revoked.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn find(&self, id: &str) -> Result<Option<KeptKey>, StoreError> {
        let row: Option<Row> = reading!(self.0, "api_keys.find", connection => {
            sqlx::query_as(FIND).bind(id).fetch_optional(connection).await
        })?;
        row.map(kept).transpose()
    }

    /// All keys, also revoked ones, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn list(&self) -> Result<Vec<KeptKey>, StoreError> {
        let rows: Vec<Row> = reading!(self.0, "api_keys.list", connection => {
            sqlx::query_as(LIST).fetch_all(connection).await
        })?;
        rows.into_iter().map(kept).collect()
    }

    /// Revokes a key; returns whether there was one that was not revoked yet.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn revoke(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        writing!(self.0, "api_keys.revoke", connection => {
            let revoked = sqlx::query(REVOKE).bind(now.as_millisecond()).bind(id).execute(connection).await;
            revoked.map(|done| done.rows_affected() > 0)
        })
    }
}

fn kept((id, name, hash, scopes, created_at, revoked_at): Row) -> Result<KeptKey, StoreError> {
    let time = |ms| Timestamp::from_millisecond(ms).map_err(|_| StoreError::Unreadable { table: "api_keys" });
    let (created_at, revoked_at) = (time(created_at)?, revoked_at.map(time).transpose()?);
    Ok(KeptKey { id, name, hash, scopes, created_at, revoked_at })
}
