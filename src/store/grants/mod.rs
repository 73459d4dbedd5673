//! What people have granted to clients: a code, and then tokens that replace each other, in one row. Every step that must
//! happen once is one statement whose condition is what must be so, so that of two that come at once one wins, whichever
//! instance they reach.

mod row;

pub use row::{Agreed, Grant, NewGrant, NextTokens};

use super::{
    Store, StoreError,
    db::{reading, writing},
};
use jiff::Timestamp;
use row::{Row, kept};
use sqlx::Connection as _;

/// The table of grants.
#[derive(Debug)]
pub struct Grants<'a>(pub(super) &'a Store);

const ANSWER: &str = "
    INSERT INTO decisions (request_id, expires_at_ms) VALUES ($1, $2) ON CONFLICT (request_id) DO NOTHING";

const DESCRIBED: &str = "
    INSERT INTO clients (id, name, redirect_uris, authentication, can_refresh, by_operator, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, 0, $6)
    ON CONFLICT (id) DO UPDATE SET
        name = excluded.name, redirect_uris = excluded.redirect_uris, can_refresh = excluded.can_refresh";

const USE_CLIENT: &str = "UPDATE clients SET used_at_ms = $1 WHERE id = $2";

const INSERT: &str = "
    INSERT INTO grants
        (id, person_id, client_id, redirect_uri, scopes, can_refresh, is_decision, code_hash, challenge, code_expires_at_ms,
         generation, idle_until_ms, created_at_ms, expires_at_ms)
    SELECT $1, people.id, $3, $4, $5, $6, $12, $7, $8, $9, 0, $9, $10, $11 FROM people WHERE people.id = $2";

const FIND: &str = "SELECT * FROM grants WHERE id = $1";

const FIND_BY_CODE: &str = "SELECT * FROM grants WHERE code_hash = $1";

const OF_PERSON: &str = "
    SELECT * FROM grants WHERE person_id = $1 AND revoked_at_ms IS NULL AND expires_at_ms > $2 AND idle_until_ms > $2
    ORDER BY created_at_ms, id";

const EXCHANGE: &str = "
    UPDATE grants SET generation = 1, token_hash = $2, idle_until_ms = $3, expires_at_ms = $4
    WHERE id = $1 AND generation = 0 AND revoked_at_ms IS NULL AND code_expires_at_ms > $5";

const ROTATE: &str = "
    UPDATE grants SET
        generation = generation + 1, previous_hash = token_hash, token_hash = $2, successor = $3, rotated_at_ms = $6,
        used_at_ms = NULL, idle_until_ms = $4, expires_at_ms = $5
    WHERE id = $1 AND generation = $7 AND token_hash = $8 AND revoked_at_ms IS NULL
        AND idle_until_ms > $6 AND expires_at_ms > $6";

const USE: &str = "
    UPDATE grants SET used_at_ms = $1 WHERE id = $2 AND generation = $3 AND used_at_ms IS NULL";

const REVOKE: &str = "UPDATE grants SET revoked_at_ms = $1 WHERE id = $2 AND revoked_at_ms IS NULL";

const PURGE: &str = "
    DELETE FROM grants WHERE id IN
        (SELECT id FROM grants WHERE expires_at_ms <= $1 OR idle_until_ms <= $1 OR revoked_at_ms <= $1 LIMIT 500)";

const PURGE_DECISIONS: &str = "
    DELETE FROM decisions WHERE request_id IN (SELECT request_id FROM decisions WHERE expires_at_ms <= $1 LIMIT 500)";

impl Grants<'_> {
    /// Notes that a request was answered; returns whether it was not before.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn answer(&self, request_id: &str, forget_at: Timestamp) -> Result<bool, StoreError> {
        writing!(self.0, "grants.answer", connection => {
            sqlx::query(ANSWER)
                .bind(request_id)
                .bind(forget_at.as_millisecond())
                .execute(connection)
                .await
                .map(|done| done.rows_affected() > 0)
        })
    }

    /// Keeps what a person agreed to: the answer to the request, the use of the client and the grant, all or none.
    ///
    /// # Errors
    /// [`StoreError`] when it was not kept, as far as is known.
    pub async fn agree(&self, grant: &NewGrant, now: Timestamp, forget_at: Timestamp) -> Result<Agreed, StoreError> {
        writing!(self.0, "grants.agree", connection => {
            let kept = async {
                let mut transaction = connection.begin().await?;
                let answered =
                    sqlx::query(ANSWER).bind(&grant.request_id).bind(forget_at.as_millisecond());
                if answered.execute(&mut *transaction).await?.rows_affected() == 0 {
                    return Ok(Agreed::Answered);
                }
                if let Some(client) = &grant.described {
                    sqlx::query(DESCRIBED)
                        .bind(&client.id)
                        .bind(&client.name)
                        .bind(serde_json::to_string(&client.redirect_uris).unwrap_or_default())
                        .bind(&client.authentication)
                        .bind(i64::from(client.can_refresh))
                        .bind(now.as_millisecond())
                        .execute(&mut *transaction)
                        .await?;
                }
                let used = sqlx::query(USE_CLIENT).bind(now.as_millisecond()).bind(&grant.client_id);
                if used.execute(&mut *transaction).await?.rows_affected() == 0 {
                    return Ok(Agreed::Gone);
                }
                let inserted = sqlx::query(INSERT)
                    .bind(&grant.id)
                    .bind(&grant.person_id)
                    .bind(&grant.client_id)
                    .bind(&grant.redirect_uri)
                    .bind(&grant.scopes)
                    .bind(i64::from(grant.can_refresh))
                    .bind(&grant.code_hash)
                    .bind(&grant.challenge)
                    .bind(grant.code_expires_at.as_millisecond())
                    .bind(now.as_millisecond())
                    .bind(grant.expires_at.as_millisecond())
                    .bind(i64::from(grant.is_decision));
                if inserted.execute(&mut *transaction).await?.rows_affected() == 0 {
                    return Ok(Agreed::Gone);
                }
                transaction.commit().await?;
                Ok(Agreed::Kept)
            };
            kept.await
        })
    }

    /// The grant with this id.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn find(&self, id: &str) -> Result<Option<Grant>, StoreError> {
        let row: Option<Row> = reading!(self.0, "grants.find", connection => {
            sqlx::query_as(FIND).bind(id).fetch_optional(connection).await
        })?;
        row.map(kept).transpose()
    }

    /// The grant whose code has this hash.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn find_by_code(&self, code_hash: &str) -> Result<Option<Grant>, StoreError> {
        let row: Option<Row> = reading!(self.0, "grants.find_by_code", connection => {
            sqlx::query_as(FIND_BY_CODE).bind(code_hash).fetch_optional(connection).await
        })?;
        row.map(kept).transpose()
    }

    /// What a person has granted and what still holds, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn of_person(&self, person_id: &str, now: Timestamp) -> Result<Vec<Grant>, StoreError> {
        let rows: Vec<Row> = reading!(self.0, "grants.of_person", connection => {
            sqlx::query_as(OF_PERSON).bind(person_id).bind(now.as_millisecond()).fetch_all(connection).await
        })?;
        rows.into_iter().map(kept).collect()
    }

    /// Exchanges the code for the first tokens; returns whether it was not exchanged before, and still could be.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn exchange(&self, id: &str, first: &NextTokens, now: Timestamp) -> Result<bool, StoreError> {
        writing!(self.0, "grants.exchange", connection => {
            sqlx::query(EXCHANGE)
                .bind(id)
                .bind(&first.token_hash)
                .bind(first.idle_until.as_millisecond())
                .bind(first.expires_at.as_millisecond())
                .bind(now.as_millisecond())
                .execute(connection)
                .await
                .map(|done| done.rows_affected() > 0)
        })
    }

    /// Replaces the newest refresh token, if `found` still is as it was; returns whether it was.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn rotate(&self, found: &Grant, next: &NextTokens, now: Timestamp) -> Result<bool, StoreError> {
        writing!(self.0, "grants.rotate", connection => {
            sqlx::query(ROTATE)
                .bind(&found.id)
                .bind(&next.token_hash)
                .bind(&next.successor)
                .bind(next.idle_until.as_millisecond())
                .bind(next.expires_at.as_millisecond())
                .bind(now.as_millisecond())
                .bind(found.generation)
                .bind(&found.token_hash)
                .execute(connection)
                .await
                .map(|done| done.rows_affected() > 0)
        })
    }

    /// Notes that a token of this generation was seen, if it is the newest.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn note_use(&self, id: &str, generation: i64, now: Timestamp) -> Result<(), StoreError> {
        writing!(self.0, "grants.note_use", connection => {
            let noted = sqlx::query(USE).bind(now.as_millisecond()).bind(id).bind(generation).execute(connection).await;
            noted.map(|_| ())
        })
    }

    /// Revokes a grant with all its tokens; returns whether it was not revoked yet.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn revoke(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let revoked = writing!(self.0, "grants.revoke", connection => {
            let revoked = sqlx::query(REVOKE).bind(now.as_millisecond()).bind(id).execute(connection).await;
            revoked.map(|done| done.rows_affected() > 0)
        });
        if !matches!(revoked, Ok(false)) {
            self.0.revoked();
        }
        revoked
    }

    /// Removes some of what ended before `over`, and of the answers to requests that ended; returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when they could not be removed.
    pub async fn purge(&self, over: Timestamp) -> Result<u64, StoreError> {
        writing!(self.0, "grants.purge", connection => {
            let purged = async {
                let grants =
                    sqlx::query(PURGE).bind(over.as_millisecond()).execute(&mut *connection).await?.rows_affected();
                let decisions = sqlx::query(PURGE_DECISIONS).bind(over.as_millisecond()).execute(connection).await?;
                Ok(grants + decisions.rows_affected())
            };
            purged.await
        })
    }
}
