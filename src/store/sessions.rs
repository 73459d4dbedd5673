//! The browsers in which somebody is signed in. Of what their cookie holds only the hash is kept.

use super::{
    Identity, Person, Store, StoreError,
    db::{reading, writing},
};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::Connection;

/// The table of sessions.
#[derive(Debug)]
pub struct Sessions<'a>(pub(super) &'a Store);

/// A session that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who is signed in.
    pub person: Person,
    /// When that was last written down.
    pub seen_at: Timestamp,
}

/// What is not later than this is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionCutoff {
    /// For the last visit.
    pub seen: Timestamp,
    /// For the sign-in.
    pub created: Timestamp,
}

/// By what somebody has signed in, which must still hold when the session is written.
#[derive(Debug, Clone, Copy)]
pub enum Proof<'a> {
    /// The password with this hash.
    Password(&'a SecretString),
    /// This account.
    Account(&'a Identity),
}

// Change nothing, but hold the row until the session is written: whoever changes the password or removes the person
// meanwhile waits, and then finds the session.
const HOLD_PASSWORD: &str = "UPDATE people SET created_at_ms = created_at_ms WHERE id = $1 AND password_hash = $2";

const HOLD_ACCOUNT: &str = "
    UPDATE people SET created_at_ms = created_at_ms
    WHERE id = $1 AND id IN (SELECT person_id FROM identities WHERE issuer = $2 AND subject = $3)";

const INSERT: &str = "INSERT INTO sessions (hash, person_id, created_at_ms, seen_at_ms) VALUES ($1, $2, $3, $3)";

const FIND: &str = "
    SELECT people.id, people.name, sessions.seen_at_ms
    FROM sessions JOIN people ON people.id = sessions.person_id
    WHERE sessions.hash = $1 AND sessions.seen_at_ms > $2 AND sessions.created_at_ms > $3";

const TOUCH: &str = "UPDATE sessions SET seen_at_ms = $2 WHERE hash = $1 AND seen_at_ms < $2";

const REMOVE: &str = "DELETE FROM sessions WHERE hash = $1";

pub(super) const REMOVE_ALL: &str = "DELETE FROM sessions WHERE person_id = $1";

const PURGE: &str = "
    DELETE FROM sessions WHERE hash IN
        (SELECT hash FROM sessions WHERE seen_at_ms <= $1 OR created_at_ms <= $2 LIMIT 500)";

impl Sessions<'_> {
    /// Keeps a new session of a person, if that by which they signed in still holds; returns whether it does.
    ///
    /// # Errors
    /// [`StoreError`] when it was not kept, as far as is known.
    pub async fn insert(
        &self,
        hash: &str,
        person_id: &str,
        proof: Proof<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        writing!(self.0, "sessions.insert", connection => {
            let mut transaction = Connection::begin(connection).await?;
            let hold = match proof {
                Proof::Password(hash) => sqlx::query(HOLD_PASSWORD).bind(person_id).bind(hash.expose_secret()),
                Proof::Account(account) => {
                    sqlx::query(HOLD_ACCOUNT).bind(person_id).bind(&account.issuer).bind(&account.subject)
                }
            };
            if hold.execute(&mut *transaction).await?.rows_affected() == 0 {
                return transaction.rollback().await.map(|()| false);
            }
            let insert = sqlx::query(INSERT).bind(hash).bind(person_id).bind(now.as_millisecond());
            insert.execute(&mut *transaction).await?;
            transaction.commit().await.map(|()| true)
        })
    }

    /// The session with this hash, if it is not over.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn find(&self, hash: &str, cutoff: SessionCutoff) -> Result<Option<Session>, StoreError> {
        let row: Option<(String, String, i64)> = reading!(self.0, "sessions.find", connection => {
            sqlx::query_as(FIND)
                .bind(hash)
                .bind(cutoff.seen.as_millisecond())
                .bind(cutoff.created.as_millisecond())
                .fetch_optional(connection)
                .await
        })?;
        let Some((id, name, seen_at)) = row else { return Ok(None) };
        let seen_at = Timestamp::from_millisecond(seen_at).map_err(|_| StoreError::Unreadable { table: "sessions" })?;
        Ok(Some(Session { person: Person::read(id, &name, "people")?, seen_at }))
    }

    /// Writes a visit down, unless a later one is.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn touch(&self, hash: &str, now: Timestamp) -> Result<(), StoreError> {
        writing!(self.0, "sessions.touch", connection => {
            sqlx::query(TOUCH).bind(hash).bind(now.as_millisecond()).execute(connection).await.map(|_| ())
        })
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn remove(&self, hash: &str) -> Result<(), StoreError> {
        writing!(self.0, "sessions.remove", connection => {
            sqlx::query(REMOVE).bind(hash).execute(connection).await.map(|_| ())
        })
    }

    /// Removes some of what is over, and returns how many; after that many, there may be more.
    ///
    /// # Errors
    /// [`StoreError`] when they could not be removed.
    pub async fn purge(&self, cutoff: SessionCutoff) -> Result<u64, StoreError> {
        writing!(self.0, "sessions.purge", connection => {
            let purge = sqlx::query(PURGE).bind(cutoff.seen.as_millisecond()).bind(cutoff.created.as_millisecond());
            purge.execute(connection).await.map(|done| done.rows_affected())
        })
    }
}
