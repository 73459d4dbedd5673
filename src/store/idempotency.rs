//! The claims of writing calls: who may do a thing now, and what came of it. Every step is one statement, so that no
//! two processes can both win it.

use super::{
    Store, StoreError,
    db::{reading, writing},
};
use crate::model::Principal;
use jiff::Timestamp;
use uuid::Uuid;

/// The table of claims.
#[derive(Debug)]
pub struct Claims<'a>(pub(super) &'a Store);

/// Somebody wants to do something.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Who.
    pub owner: Principal,
    /// A hash of the key that makes repetitions known.
    pub key: String,
    /// With which tool.
    pub tool: &'static str,
    /// A hash of the arguments.
    pub fingerprint: String,
    /// How long its answer is remembered.
    pub keep: std::time::Duration,
}

/// The right to do it, as long as nobody has taken it over.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Whose it is.
    pub owner: Principal,
    /// Under which key.
    pub key: String,
    /// The name of what is made; the same for everybody who makes it under this key.
    pub effect_id: Uuid,
    /// Greater than that of everybody before.
    pub fence: i64,
}

/// What stands under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// It was done: the answer.
    Done(String),
    /// Somebody is at it, or died at it a moment ago.
    InFlight,
    /// The key stands for other arguments.
    Other,
}

const CLAIM: &str = "
    INSERT INTO idempotency
        (owner, request_key, tool, fingerprint, effect_id, fence, state, lease_until_ms, answer, created_at_ms, expires_at_ms)
    VALUES ($1, $2, $3, $4, $5, 1, 'claimed', $6, NULL, $7, $8)
    ON CONFLICT (owner, request_key) DO UPDATE SET
        tool = excluded.tool,
        effect_id = CASE
            WHEN idempotency.fingerprint = excluded.fingerprint AND idempotency.expires_at_ms > $7
            THEN idempotency.effect_id ELSE excluded.effect_id END,
        fingerprint = excluded.fingerprint,
        fence = idempotency.fence + 1,
        state = 'claimed',
        lease_until_ms = excluded.lease_until_ms,
        answer = NULL,
        created_at_ms = excluded.created_at_ms,
        expires_at_ms = excluded.expires_at_ms
    WHERE idempotency.expires_at_ms <= $7
        OR idempotency.state = 'released'
        OR (idempotency.state = 'claimed' AND idempotency.lease_until_ms <= $7
            AND idempotency.fingerprint = excluded.fingerprint)
    RETURNING effect_id, fence";

const LOOK: &str = "SELECT fingerprint, state, answer FROM idempotency WHERE owner = $1 AND request_key = $2";

// The effect is part of the condition: a row that was purged and claimed anew begins to count fences anew.
const RENEW: &str = "
    UPDATE idempotency SET lease_until_ms = $4
    WHERE owner = $1 AND request_key = $2 AND effect_id = $5 AND fence = $3 AND state = 'claimed'";

const RECORD: &str = "
    UPDATE idempotency SET state = 'done', answer = $4
    WHERE owner = $1 AND request_key = $2 AND effect_id = $5 AND fence = $3 AND state IN ('claimed', 'done')";

const RELEASE: &str = "
    UPDATE idempotency SET state = 'released', lease_until_ms = 0
    WHERE owner = $1 AND request_key = $2 AND effect_id = $4 AND fence = $3 AND state = 'claimed'";

pub(super) const REMOVE_ALL: &str = "DELETE FROM idempotency WHERE owner = $1";

const PURGE: &str = "
    DELETE FROM idempotency WHERE (owner, request_key) IN
        (SELECT owner, request_key FROM idempotency WHERE expires_at_ms <= $1 LIMIT 500)";

const PURGE_OF_NOBODY: &str = "
    DELETE FROM idempotency WHERE (owner, request_key) IN
        (SELECT owner, request_key FROM idempotency
         WHERE SUBSTR(owner, 1, 7) = 'person:' AND SUBSTR(owner, 8) NOT IN (SELECT id FROM people) LIMIT 500)";

impl Claims<'_> {
    /// Claims the key until `lease_until`, unless it is done or somebody else holds it. Whoever gets the claim of one who
    /// died, or who failed, makes what that one would have made.
    ///
    /// # Errors
    /// [`StoreError`] when the claim was not written, as far as is known.
    pub async fn claim(
        &self,
        attempt: &Attempt,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        let expires_at = now.checked_add(attempt.keep).unwrap_or(Timestamp::MAX);
        let effect_id = Uuid::new_v7(uuid_time(now)).to_string();
        let row: Option<(String, i64)> = writing!(self.0, "idempotency.claim", connection => {
            sqlx::query_as(CLAIM)
                .bind(attempt.owner.as_str())
                .bind(&attempt.key)
                .bind(attempt.tool)
                .bind(&attempt.fingerprint)
                .bind(&effect_id)
                .bind(lease_until.as_millisecond())
                .bind(now.as_millisecond())
                .bind(expires_at.as_millisecond())
                .fetch_optional(connection)
                .await
        })?;
        let Some((effect_id, fence)) = row else { return Ok(None) };
        let effect_id = Uuid::parse_str(&effect_id).map_err(|_| StoreError::Unreadable { table: "idempotency" })?;
        Ok(Some(Claim { owner: attempt.owner.clone(), key: attempt.key.clone(), effect_id, fence }))
    }

    /// What stands under the key of an attempt; nothing if nothing does.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn look(&self, attempt: &Attempt) -> Result<Option<Held>, StoreError> {
        let row: Option<(String, String, Option<String>)> = reading!(self.0, "idempotency.look", connection => {
            sqlx::query_as(LOOK).bind(attempt.owner.as_str()).bind(&attempt.key).fetch_optional(connection).await
        })?;
        Ok(row.map(|(fingerprint, state, answer)| match answer {
            _ if fingerprint != attempt.fingerprint => Held::Other,
            Some(answer) if state == "done" => Held::Done(answer),
            _ => Held::InFlight,
        }))
    }

    /// Holds the claim for longer; returns whether it was still held.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn renew(&self, claim: &Claim, lease_until: Timestamp) -> Result<bool, StoreError> {
        writing!(self.0, "idempotency.renew", connection => {
            sqlx::query(RENEW)
                .bind(claim.owner.as_str())
                .bind(&claim.key)
                .bind(claim.fence)
                .bind(lease_until.as_millisecond())
                .bind(claim.effect_id.to_string())
                .execute(connection)
                .await
                .map(|done| done.rows_affected() > 0)
        })
    }

    /// Keeps the answer; returns whether the claim was still held. Who lost it must not overwrite what came after.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written, as far as is known.
    pub async fn record(&self, claim: &Claim, answer: &str) -> Result<bool, StoreError> {
        writing!(self.0, "idempotency.record", connection => {
            sqlx::query(RECORD)
                .bind(claim.owner.as_str())
                .bind(&claim.key)
                .bind(claim.fence)
                .bind(answer)
                .bind(claim.effect_id.to_string())
                .execute(connection)
                .await
                .map(|done| done.rows_affected() > 0)
        })
    }

    /// Lets go after a failure, so that the next try need not wait.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written; then the lease runs out by itself.
    pub async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        writing!(self.0, "idempotency.release", connection => {
            sqlx::query(RELEASE)
                .bind(claim.owner.as_str())
                .bind(&claim.key)
                .bind(claim.fence)
                .bind(claim.effect_id.to_string())
                .execute(connection)
                .await
                .map(|_| ())
        })
    }

    /// Removes some of what need not be remembered any more, and of what belongs to people who are not there any more;
    /// returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when they could not be removed.
    pub async fn purge(&self, now: Timestamp) -> Result<u64, StoreError> {
        writing!(self.0, "idempotency.purge", connection => {
            let purged = async {
                let over = sqlx::query(PURGE).bind(now.as_millisecond()).execute(&mut *connection).await?;
                let of_nobody = sqlx::query(PURGE_OF_NOBODY).execute(connection).await?;
                Ok(over.rows_affected() + of_nobody.rows_affected())
            };
            purged.await
        })
    }
}

/// Ids sort by the time of the injected clock.
fn uuid_time(now: Timestamp) -> uuid::Timestamp {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
    uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds)
}
