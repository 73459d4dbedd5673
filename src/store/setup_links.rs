//! The links by which people choose passwords, once. Of a link only the hash is kept; each person has one at most, and so
//! has the first person of all, who has no row yet.

use super::{
    KeptPerson, Person, Store, StoreError,
    db::{reading, writing},
    people, sessions,
};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::Connection;

/// The table of links.
#[derive(Debug)]
pub struct SetupLinks<'a>(pub(super) &'a Store);

/// For whom a link is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invitation {
    /// For the first person, who chooses a name too.
    First,
    /// For somebody who has a name already.
    Known(Person),
}

/// What came of the use of the first person's link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetUp {
    /// There is a first person now.
    Done,
    /// The link was used or replaced, its time is over, or there is somebody already.
    Spent,
    /// Somebody with this name was made known at the same moment.
    NameTaken,
}

// A condition of its own, not what was read before: somebody may have come meanwhile.
const INSERT_FIRST: &str = "
    INSERT INTO setup_links (hash, person_id, expires_at_ms)
    SELECT CAST($1 AS TEXT), NULL, CAST($2 AS BIGINT) WHERE NOT EXISTS (SELECT 1 FROM people)
    ON CONFLICT ((COALESCE(person_id, ''))) DO UPDATE SET hash = excluded.hash, expires_at_ms = excluded.expires_at_ms";

const INSERT_KNOWN: &str = "
    INSERT INTO setup_links (hash, person_id, expires_at_ms)
    SELECT CAST($1 AS TEXT), id, CAST($2 AS BIGINT) FROM people WHERE id = $3
    ON CONFLICT ((COALESCE(person_id, ''))) DO UPDATE SET hash = excluded.hash, expires_at_ms = excluded.expires_at_ms";

const FIND: &str = "
    SELECT people.id, people.name
    FROM setup_links LEFT JOIN people ON people.id = setup_links.person_id
    WHERE setup_links.hash = $1 AND setup_links.expires_at_ms > $2
        AND (setup_links.person_id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM people))";

const SPEND_FIRST: &str = "DELETE FROM setup_links WHERE hash = $1 AND expires_at_ms > $2 AND person_id IS NULL";

const SPEND_KNOWN: &str = "DELETE FROM setup_links WHERE hash = $1 AND expires_at_ms > $2 AND person_id = $3";

const PURGE: &str = "
    DELETE FROM setup_links WHERE hash IN (SELECT hash FROM setup_links WHERE expires_at_ms <= $1 LIMIT 500)";

impl SetupLinks<'_> {
    /// Keeps a link for the first person, in place of the one before; returns whether there is nobody yet.
    ///
    /// # Errors
    /// [`StoreError`] when it was not kept, as far as is known.
    pub async fn insert_first(&self, hash: &str, expires_at: Timestamp) -> Result<bool, StoreError> {
        writing!(self.0, "setup_links.insert_first", connection => {
            let insert = sqlx::query(INSERT_FIRST).bind(hash).bind(expires_at.as_millisecond());
            insert.execute(connection).await.map(|done| done.rows_affected() > 0)
        })
    }

    /// Keeps a link for a person, in place of the one before; returns whether there is such a person.
    ///
    /// # Errors
    /// [`StoreError`] when it was not kept, as far as is known.
    pub async fn insert_for(&self, person_id: &str, hash: &str, expires_at: Timestamp) -> Result<bool, StoreError> {
        writing!(self.0, "setup_links.insert_for", connection => {
            let insert = sqlx::query(INSERT_KNOWN).bind(hash).bind(expires_at.as_millisecond()).bind(person_id);
            insert.execute(connection).await.map(|done| done.rows_affected() > 0)
        })
    }

    /// For whom the link is, if it can be used.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn find(&self, hash: &str, now: Timestamp) -> Result<Option<Invitation>, StoreError> {
        let row: Option<(Option<String>, Option<String>)> = reading!(self.0, "setup_links.find", connection => {
            sqlx::query_as(FIND).bind(hash).bind(now.as_millisecond()).fetch_optional(connection).await
        })?;
        match row {
            None => Ok(None),
            Some((Some(id), Some(name))) => Ok(Some(Invitation::Known(Person::read(id, &name, "people")?))),
            Some(_) => Ok(Some(Invitation::First)),
        }
    }

    /// Spends the link of the first person, who gets a row with name and password. Of all who try at the same time one
    /// succeeds: there is one such link, whoever deletes it holds it until the person is written, and a new link waits
    /// for that.
    ///
    /// # Errors
    /// [`StoreError`] when it did not happen, as far as is known.
    pub async fn use_first(&self, hash: &str, first: &KeptPerson, now: Timestamp) -> Result<SetUp, StoreError> {
        writing!(self.0, "setup_links.use_first", connection => {
            let mut transaction = Connection::begin(connection).await?;
            let spend = sqlx::query(SPEND_FIRST).bind(hash).bind(now.as_millisecond());
            if spend.execute(&mut *transaction).await?.rows_affected() == 0
                || sqlx::query_scalar(people::ANY).fetch_one(&mut *transaction).await?
            {
                return transaction.rollback().await.map(|()| SetUp::Spent);
            }
            let insert = sqlx::query(people::INSERT)
                .bind(&first.person.id)
                .bind(first.person.name.as_str())
                .bind(first.password_hash.as_ref().map(SecretString::expose_secret))
                .bind(first.created_at.as_millisecond());
            if insert.execute(&mut *transaction).await?.rows_affected() == 0 {
                return transaction.rollback().await.map(|()| SetUp::NameTaken);
            }
            transaction.commit().await.map(|()| SetUp::Done)
        })
    }

    /// Spends the link of a person, sets their password, and ends their sessions; returns whether the link could be used.
    ///
    /// # Errors
    /// [`StoreError`] when it did not happen, as far as is known.
    pub async fn use_known(
        &self,
        hash: &str,
        person_id: &str,
        password_hash: &SecretString,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        writing!(self.0, "setup_links.use_known", connection => {
            let mut transaction = Connection::begin(connection).await?;
            // The person first, as everywhere, so that no two wait for each other. Whoever waited here finds no link.
            let set = sqlx::query(people::SET_PASSWORD).bind(password_hash.expose_secret()).bind(person_id);
            set.execute(&mut *transaction).await?;
            let spend = sqlx::query(SPEND_KNOWN).bind(hash).bind(now.as_millisecond()).bind(person_id);
            if spend.execute(&mut *transaction).await?.rows_affected() == 0 {
                return transaction.rollback().await.map(|()| false);
            }
            sqlx::query(sessions::REMOVE_ALL).bind(person_id).execute(&mut *transaction).await?;
            transaction.commit().await.map(|()| true)
        })
    }

    /// Removes some of those whose time is over, and returns how many; after that many, there may be more.
    ///
    /// # Errors
    /// [`StoreError`] when they could not be removed.
    pub async fn purge(&self, now: Timestamp) -> Result<u64, StoreError> {
        writing!(self.0, "setup_links.purge", connection => {
            let purged = sqlx::query(PURGE).bind(now.as_millisecond()).execute(connection).await;
            purged.map(|done| done.rows_affected())
        })
    }
}
