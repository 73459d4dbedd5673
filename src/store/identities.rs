//! Accounts of a provider outside by which people sign in. Of an account its issuer and its name there are kept, which do
//! not change; an address does.

use super::{
    KeptPerson, Person, Store, StoreError,
    db::{reading, writing},
    people,
};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::Connection;

/// The table of accounts.
#[derive(Debug)]
pub struct Identities<'a>(pub(super) &'a Store);

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Where it is, as in `iss`.
    pub issuer: String,
    /// Its name there, as in `sub`.
    pub subject: String,
}

/// What came of making somebody known by an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Introduced {
    /// They are.
    Done,
    /// Somebody else has the name.
    NameTaken,
    /// There was somebody with this account already.
    Known,
}

const FIND: &str = "
    SELECT people.id, people.name FROM identities JOIN people ON people.id = identities.person_id
    WHERE identities.issuer = $1 AND identities.subject = $2";

const INSERT: &str = "
    INSERT INTO identities (issuer, subject, person_id, created_at_ms) VALUES ($1, $2, $3, $4)
    ON CONFLICT (issuer, subject) DO NOTHING";

const ISSUERS: &str = "SELECT person_id, issuer FROM identities ORDER BY person_id, issuer";

impl Identities<'_> {
    /// The person with this account.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn find(&self, identity: &Identity) -> Result<Option<Person>, StoreError> {
        let row: Option<(String, String)> = reading!(self.0, "identities.find", connection => {
            sqlx::query_as(FIND).bind(&identity.issuer).bind(&identity.subject).fetch_optional(connection).await
        })?;
        row.map(|(id, name)| Person::read(id, &name, "people")).transpose()
    }

    /// Makes a person known together with their account, or neither.
    ///
    /// # Errors
    /// [`StoreError`] when it did not happen, as far as is known.
    pub async fn introduce(&self, identity: &Identity, newcomer: &KeptPerson) -> Result<Introduced, StoreError> {
        writing!(self.0, "identities.introduce", connection => {
            let mut transaction = Connection::begin(connection).await?;
            let person = sqlx::query(people::INSERT)
                .bind(&newcomer.person.id)
                .bind(newcomer.person.name.as_str())
                .bind(newcomer.password_hash.as_ref().map(SecretString::expose_secret))
                .bind(newcomer.created_at.as_millisecond());
            if person.execute(&mut *transaction).await?.rows_affected() == 0 {
                return transaction.rollback().await.map(|()| Introduced::NameTaken);
            }
            let account = sqlx::query(INSERT)
                .bind(&identity.issuer)
                .bind(&identity.subject)
                .bind(&newcomer.person.id)
                .bind(newcomer.created_at.as_millisecond());
            if account.execute(&mut *transaction).await?.rows_affected() == 0 {
                return transaction.rollback().await.map(|()| Introduced::Known);
            }
            transaction.commit().await.map(|()| Introduced::Done)
        })
    }

    /// The ids of people with the issuers of their accounts.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn issuers(&self) -> Result<Vec<(String, String)>, StoreError> {
        reading!(self.0, "identities.issuers", connection => {
            sqlx::query_as(ISSUERS).fetch_all(connection).await
        })
    }
}
