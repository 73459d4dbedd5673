//! A grant as it is kept, and what is written of it.

use crate::store::{KeptClient, StoreError};
use jiff::Timestamp;

/// A person agrees.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// The name of what is granted.
    pub id: String,
    /// The request that is answered; it can be answered once.
    pub request_id: String,
    /// Who agrees.
    pub person_id: String,
    /// To which client.
    pub client_id: String,
    /// The client itself, if it is one that describes itself: it is kept together with what is granted to it.
    pub described: Option<KeptClient>,
    /// Where the answer goes, as the client asked for it.
    pub redirect_uri: String,
    /// Names of permissions with spaces between them.
    pub scopes: String,
    /// Whether the client may get refresh tokens.
    pub can_refresh: bool,
    /// Whether the person was asked, and had not agreed before.
    pub is_decision: bool,
    /// SHA-256 of the code.
    pub code_hash: String,
    /// RFC 7636, S256.
    pub challenge: String,
    /// Until when the code can be exchanged.
    pub code_expires_at: Timestamp,
    /// When all of it ends.
    pub expires_at: Timestamp,
}

/// What became of an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreed {
    /// It is kept.
    Kept,
    /// The request was answered before.
    Answered,
    /// The client, or the person, is gone.
    Gone,
}

/// A grant as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its name.
    pub id: String,
    /// Who granted it.
    pub person_id: String,
    /// To which client.
    pub client_id: String,
    /// Where the answer went.
    pub redirect_uri: String,
    /// Names of permissions with spaces between them.
    pub scopes: String,
    /// Whether there are refresh tokens.
    pub can_refresh: bool,
    /// Whether the person was asked, and had not agreed before.
    pub is_decision: bool,
    /// RFC 7636, S256.
    pub challenge: String,
    /// Until when the code could be exchanged.
    pub code_expires_at: Timestamp,
    /// How often tokens were given.
    pub generation: i64,
    /// SHA-256 of the newest refresh token.
    pub token_hash: Option<String>,
    /// Of the one before.
    pub previous_hash: Option<String>,
    /// The newest refresh token, sealed under the one before.
    pub successor: Option<String>,
    /// When the newest replaced the one before.
    pub rotated_at: Option<Timestamp>,
    /// When one of the newest tokens was first seen.
    pub used_at: Option<Timestamp>,
    /// When the newest refresh token ends if it is not used.
    pub idle_until: Timestamp,
    /// When it was granted.
    pub created_at: Timestamp,
    /// When all of it ends.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// The next tokens of a grant.
#[derive(Debug, Clone)]
pub struct NextTokens {
    /// SHA-256 of the new refresh token, if there is one.
    pub token_hash: Option<String>,
    /// The new refresh token, sealed under the one that it replaces.
    pub successor: Option<String>,
    /// When it ends if it is not used.
    pub idle_until: Timestamp,
    /// When all of it ends.
    pub expires_at: Timestamp,
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: String,
    person_id: String,
    client_id: String,
    redirect_uri: String,
    scopes: String,
    can_refresh: i64,
    is_decision: i64,
    challenge: String,
    code_expires_at_ms: i64,
    generation: i64,
    token_hash: Option<String>,
    previous_hash: Option<String>,
    successor: Option<String>,
    rotated_at_ms: Option<i64>,
    used_at_ms: Option<i64>,
    idle_until_ms: i64,
    created_at_ms: i64,
    expires_at_ms: i64,
    revoked_at_ms: Option<i64>,
}

pub(super) fn kept(row: Row) -> Result<Grant, StoreError> {
    let time = |ms| Timestamp::from_millisecond(ms).map_err(|_| StoreError::Unreadable { table: "grants" });
    let optional = |ms: Option<i64>| ms.map(time).transpose();
    Ok(Grant {
        code_expires_at: time(row.code_expires_at_ms)?,
        rotated_at: optional(row.rotated_at_ms)?,
        used_at: optional(row.used_at_ms)?,
        idle_until: time(row.idle_until_ms)?,
        created_at: time(row.created_at_ms)?,
        expires_at: time(row.expires_at_ms)?,
        revoked_at: optional(row.revoked_at_ms)?,
        id: row.id,
        person_id: row.person_id,
        client_id: row.client_id,
        redirect_uri: row.redirect_uri,
        scopes: row.scopes,
        can_refresh: row.can_refresh != 0,
        is_decision: row.is_decision != 0,
        challenge: row.challenge,
        generation: row.generation,
        token_hash: row.token_hash,
        previous_hash: row.previous_hash,
        successor: row.successor,
    })
}
