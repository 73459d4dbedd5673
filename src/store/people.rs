//! People who sign in here. Of a password only the slow hash is kept.

use super::{
    Store, StoreError,
    db::{reading, writing},
    idempotency, reports, sessions,
};
use crate::model::{PersonName, Principal};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::Connection;

/// The table of people.
#[derive(Debug)]
pub struct People<'a>(pub(super) &'a Store);

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Never given to anybody else.
    pub id: String,
    /// By which they sign in.
    pub name: PersonName,
}

impl Person {
    /// As it stands in a row of `table`.
    pub(super) fn read(id: String, name: &str, table: &'static str) -> Result<Self, StoreError> {
        let name = PersonName::parse(name).map_err(|_| StoreError::Unreadable { table })?;
        Ok(Self { id, name })
    }
}

/// A person as kept.
#[derive(Debug, Clone)]
pub struct KeptPerson {
    /// Who it is.
    pub person: Person,
    /// In the PHC form; none as long as no password was chosen.
    pub password_hash: Option<SecretString>,
    /// When they were made known.
    pub created_at: Timestamp,
}

type Row = (String, String, Option<String>, i64);

pub(super) const INSERT: &str = "
    INSERT INTO people (id, name, password_hash, created_at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING";

const FIND_BY_NAME: &str = "SELECT id, name, password_hash, created_at_ms FROM people WHERE name = $1";

const LIST: &str = "SELECT id, name, password_hash, created_at_ms FROM people ORDER BY name";

const REMOVE: &str = "DELETE FROM people WHERE id = $1";

pub(super) const SET_PASSWORD: &str = "UPDATE people SET password_hash = $1 WHERE id = $2";

const REMOVE_GRANTS: &str = "DELETE FROM grants WHERE person_id = $1";

pub(super) const ANY: &str = "SELECT EXISTS (SELECT 1 FROM people)";

impl People<'_> {
    /// Keeps a new person; returns whether the name was free.
    ///
    /// # Errors
    /// [`StoreError`] when it was not kept, as far as is known.
    pub async fn insert(&self, kept: &KeptPerson) -> Result<bool, StoreError> {
        writing!(self.0, "people.insert", connection => {
            sqlx::query(INSERT)
                .bind(&kept.person.id)
                .bind(kept.person.name.as_str())
                .bind(kept.password_hash.as_ref().map(SecretString::expose_secret))
                .bind(kept.created_at.as_millisecond())
                .execute(connection)
                .await
                .map(|done| done.rows_affected() > 0)
        })
    }

    /// The person with this name.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn find_by_name(&self, name: &PersonName) -> Result<Option<KeptPerson>, StoreError> {
        let row: Option<Row> = reading!(self.0, "people.find_by_name", connection => {
            sqlx::query_as(FIND_BY_NAME).bind(name.as_str()).fetch_optional(connection).await
        })?;
        row.map(kept).transpose()
    }

    /// Everybody, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn list(&self) -> Result<Vec<KeptPerson>, StoreError> {
        let rows: Vec<Row> = reading!(self.0, "people.list", connection => {
            sqlx::query_as(LIST).fetch_all(connection).await
        })?;
        rows.into_iter().map(kept).collect()
    }

    /// Removes a person with all that hangs on them, and all that is theirs: sessions, links, accounts, what they have
    /// granted, reports, and the answers of their calls. All or nothing; returns whether there was one.
    ///
    /// What a call that is under way still writes in their name is removed by the purges of its table.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn remove(&self, id: &str) -> Result<bool, StoreError> {
        let owner = Principal::person(id);
        let removed = writing!(self.0, "people.remove", connection => {
            let mut transaction = Connection::begin(connection).await?;
            let removed = sqlx::query(REMOVE).bind(id).execute(&mut *transaction).await?.rows_affected() > 0;
            for theirs in [reports::REMOVE_ALL, idempotency::REMOVE_ALL] {
                sqlx::query(theirs).bind(owner.as_str()).execute(&mut *transaction).await?;
            }
            transaction.commit().await.map(|()| removed)
        });
        if !matches!(removed, Ok(false)) {
            self.0.revoked();
        }
        removed
    }

    /// Sets or clears a person's password, and ends their sessions and all that they have granted: whoever had the old
    /// password may have connected a client of their own. Returns whether there is such a person.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn set_password(&self, id: &str, hash: Option<&SecretString>) -> Result<bool, StoreError> {
        let set = writing!(self.0, "people.set_password", connection => {
            let mut transaction = Connection::begin(connection).await?;
            // The person first, as everywhere: a sign-in that is under way either finds another password, or its session
            // is found here.
            let set = sqlx::query(SET_PASSWORD).bind(hash.map(SecretString::expose_secret)).bind(id);
            let is_set = set.execute(&mut *transaction).await?.rows_affected() > 0;
            sqlx::query(sessions::REMOVE_ALL).bind(id).execute(&mut *transaction).await?;
            sqlx::query(REMOVE_GRANTS).bind(id).execute(&mut *transaction).await?;
            transaction.commit().await.map(|()| is_set)
        });
        self.0.revoked();
        set
    }
}

fn kept((id, name, password_hash, created_at): Row) -> Result<KeptPerson, StoreError> {
    let created_at = Timestamp::from_millisecond(created_at).map_err(|_| StoreError::Unreadable { table: "people" })?;
    let person = Person::read(id, &name, "people")?;
    Ok(KeptPerson { person, password_hash: password_hash.map(SecretString::from), created_at })
}
