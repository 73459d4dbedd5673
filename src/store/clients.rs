//! Clients: programs for which people sign in. Of a client's secret only the hash is kept.

use super::{
    Store, StoreError,
    db::{reading, writing},
};
use jiff::Timestamp;

/// The table of clients.
#[derive(Debug)]
pub struct Clients<'a>(pub(super) &'a Store);

/// A client as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptClient {
    /// By which it names itself.
    pub id: String,
    /// What it calls itself.
    pub name: String,
    /// Where answers may go, each exactly as registered.
    pub redirect_uris: Vec<String>,
    /// How it shows who it is, as RFC 7591 names it.
    pub authentication: String,
    /// SHA-256 of its secret, if it has one.
    pub secret_hash: Option<String>,
    /// Whether it may get refresh tokens.
    pub can_refresh: bool,
    /// By which the same registration is known again, if it has no secret.
    pub digest: Option<String>,
    /// Whether the operator made it: then it stays until they remove it.
    pub by_operator: bool,
    /// When it was registered, the last time.
    pub created_at: Timestamp,
    /// When somebody last agreed to it, or when it last got tokens, to a day.
    pub used_at: Option<Timestamp>,
}

/// What became of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// It is kept.
    New,
    /// The same was registered before, under this id.
    Before(String),
    /// There are as many clients as there may be.
    Full,
}

const TABLE: &str = "clients";

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    redirect_uris: String,
    authentication: String,
    secret_hash: Option<String>,
    can_refresh: i64,
    digest: Option<String>,
    by_operator: i64,
    created_at_ms: i64,
    used_at_ms: Option<i64>,
}

const INSERT: &str = "
    INSERT INTO clients
        (id, name, redirect_uris, authentication, secret_hash, can_refresh, digest, by_operator, created_at_ms, used_at_ms)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, NULL WHERE (SELECT COUNT(*) FROM clients) < $10
    ON CONFLICT (digest) DO NOTHING";

// It counts as new from now on: whoever was just told an id has a day to come with it.
const RENEW: &str = "UPDATE clients SET created_at_ms = $1 WHERE digest = $2 RETURNING id";

const FIND: &str = "SELECT * FROM clients WHERE id = $1";

const USE: &str = "UPDATE clients SET used_at_ms = $1 WHERE id = $2";

const LIST: &str = "SELECT * FROM clients ORDER BY created_at_ms, id";

const REMOVE: &str = "DELETE FROM clients WHERE id = $1";

// Whoever agrees to a client notes the use in the same moment, so that one that is used is never removed. The oldest go first.
const PURGE: &str = "
    DELETE FROM clients WHERE id IN
        (SELECT id FROM clients
            WHERE by_operator = 0 AND created_at_ms <= $1 AND (used_at_ms IS NULL OR used_at_ms <= $2)
            ORDER BY created_at_ms LIMIT 500)
        AND created_at_ms <= $1 AND (used_at_ms IS NULL OR used_at_ms <= $2)";

impl Clients<'_> {
    /// Keeps a new client, unless there are `most` already, or the same one.
    ///
    /// # Errors
    /// [`StoreError`] when it was not kept, as far as is known.
    pub async fn insert(&self, client: &KeptClient, most: i64) -> Result<Registered, StoreError> {
        let redirect_uris = serde_json::to_string(&client.redirect_uris).unwrap_or_default();
        let inserted = writing!(self.0, "clients.insert", connection => {
            sqlx::query(INSERT)
                .bind(&client.id)
                .bind(&client.name)
                .bind(&redirect_uris)
                .bind(&client.authentication)
                .bind(&client.secret_hash)
                .bind(i64::from(client.can_refresh))
                .bind(&client.digest)
                .bind(i64::from(client.by_operator))
                .bind(client.created_at.as_millisecond())
                .bind(most)
                .execute(connection)
                .await
                .map(|done| done.rows_affected() > 0)
        })?;
        if inserted {
            return Ok(Registered::New);
        }
        let same: Option<String> = writing!(self.0, "clients.renew", connection => {
            let renewed = sqlx::query_scalar(RENEW).bind(client.created_at.as_millisecond()).bind(&client.digest);
            renewed.fetch_optional(connection).await
        })?;
        Ok(same.map_or(Registered::Full, Registered::Before))
    }

    /// The client with this id.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn find(&self, id: &str) -> Result<Option<KeptClient>, StoreError> {
        let row: Option<Row> = reading!(self.0, "clients.find", connection => {
            sqlx::query_as(FIND).bind(id).fetch_optional(connection).await
        })?;
        row.map(kept).transpose()
    }

    /// All clients, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn list(&self) -> Result<Vec<KeptClient>, StoreError> {
        let rows: Vec<Row> = reading!(self.0, "clients.list", connection => {
            sqlx::query_as(LIST).fetch_all(connection).await
        })?;
        rows.into_iter().map(kept).collect()
    }

    /// Notes that it was used.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn note_use(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        writing!(self.0, "clients.note_use", connection => {
            sqlx::query(USE).bind(now.as_millisecond()).bind(id).execute(connection).await.map(|_| ())
        })
    }

    /// Removes a client with all that was granted to it; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when it was not removed, as far as is known.
    pub async fn remove(&self, id: &str) -> Result<bool, StoreError> {
        let removed = writing!(self.0, "clients.remove", connection => {
            sqlx::query(REMOVE).bind(id).execute(connection).await.map(|done| done.rows_affected() > 0)
        });
        if !matches!(removed, Ok(false)) {
            self.0.revoked();
        }
        removed
    }

    /// Removes some of those that nobody agreed to and that were registered before `unused`, and that nobody has used
    /// since `idle`; returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when they could not be removed.
    pub async fn purge(&self, unused: Timestamp, idle: Timestamp) -> Result<u64, StoreError> {
        writing!(self.0, "clients.purge", connection => {
            let purged =
                sqlx::query(PURGE).bind(unused.as_millisecond()).bind(idle.as_millisecond()).execute(connection).await;
            purged.map(|done| done.rows_affected())
        })
    }
}

fn kept(row: Row) -> Result<KeptClient, StoreError> {
    let unreadable = || StoreError::Unreadable { table: TABLE };
    let time = |milliseconds| Timestamp::from_millisecond(milliseconds).map_err(|_| unreadable());
    Ok(KeptClient {
        redirect_uris: serde_json::from_str(&row.redirect_uris).map_err(|_| unreadable())?,
        created_at: time(row.created_at_ms)?,
        used_at: row.used_at_ms.map(time).transpose()?,
        can_refresh: row.can_refresh != 0,
        by_operator: row.by_operator != 0,
        id: row.id,
        name: row.name,
        authentication: row.authentication,
        secret_hash: row.secret_hash,
        digest: row.digest,
    })
}
