//! Refresh tokens replace each other at each use. Clients lose answers, and several processes of one client use the same
//! token at once; so the token before the newest gives the newest once more, for a minute, or for as long as nobody has used
//! any token that came with it. Whatever is older was stolen or went astray: all of the grant is revoked.
//!
//! The thief of a token that was just replaced gets the newest too, within that minute; from then on two hold one token, and
//! the next use by both ends it for both. Source: RFC 9700 §4.14.2; the rule of use is that of Matrix's server.

use super::{
    AuthorizationServer, ErrorName, OauthError, Parameters, Permissions, Tokens, refresh_token::RefreshToken,
    request::check_resource, token::IDLE,
};
use crate::{
    model::{Principal, Scopes},
    store::{Grant, KeptClient, NextTokens},
};
use jiff::Timestamp;
use std::time::Duration;

/// How long a token that was replaced gives its successor again in any case.
const GRACE: Duration = Duration::from_mins(1);
/// Somebody else was faster, so often; each time one of them got on.
const TRIES: usize = 3;

/// What a token of a chain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The newest.
    Newest,
    /// The one before, and it may still be used.
    JustReplaced,
    /// It must not come any more.
    Astray,
    /// None of this chain.
    Unknown,
}

impl AuthorizationServer {
    pub(super) async fn refresh(&self, client: &KeptClient, parameters: &Parameters) -> Result<Tokens, OauthError> {
        let text = parameters.one("refresh_token")?.ok_or(OauthError::invalid_request("refresh_token is missing"))?;
        check_resource(parameters, &self.resource)?;
        let token = self.refresh_tokens.parse(text).ok_or(OauthError::invalid_grant())?;
        let asked = parameters.one("scope")?;
        for _ in 0..TRIES {
            let found = self.store.grants().find(&token.grant_id).await?;
            let grant = found.filter(|grant| grant.client_id == client.id).ok_or(OauthError::invalid_grant())?;
            let now = self.clock.now();
            let standing = standing(&grant, &token, now);
            if standing == Standing::Astray {
                self.revoke_reused(&grant, now).await?;
            }
            let holds = grant.revoked_at.is_none() && grant.idle_until > now && grant.expires_at > now;
            if !holds || matches!(standing, Standing::Astray | Standing::Unknown) {
                return Err(OauthError::invalid_grant());
            }
            let scopes = narrowed(&grant, asked)?;
            let next = match standing {
                Standing::Newest => self.rotate(&grant, &token, now).await?,
                _ => grant.successor.as_deref().and_then(|sealed| self.refresh_tokens.open(&token, sealed)),
            };
            if let Some(next) = next {
                return self.given(&grant, (next.generation, Some(&next)), scopes, now).await;
            }
        }
        Err(OauthError::new(ErrorName::TemporarilyUnavailable, "Others use this token at the same time: try again"))
    }

    /// The successor, unless somebody else was faster.
    async fn rotate(
        &self,
        grant: &Grant,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Option<RefreshToken>, OauthError> {
        let next = self.refresh_tokens.random(&grant.id, grant.generation + 1).ok_or(OauthError::invalid_grant())?;
        let tokens = NextTokens {
            token_hash: Some(next.hash()),
            successor: token.seal(&next),
            idle_until: now + IDLE,
            expires_at: grant.expires_at,
        };
        Ok(self.store.grants().rotate(grant, &tokens, now).await?.then_some(next))
    }

    async fn revoke_reused(&self, grant: &Grant, now: Timestamp) -> Result<(), OauthError> {
        if self.store.grants().revoke(&grant.id, now).await? {
            self.metrics.refresh_reuse();
            tracing::warn!(
                principal = Principal::person(&grant.person_id).hashed(),
                client_id = grant.client_id,
                generation = grant.generation,
                "a refresh token came back that was replaced: the connection is revoked"
            );
        }
        Ok(())
    }
}

fn standing(grant: &Grant, token: &RefreshToken, now: Timestamp) -> Standing {
    let hash = Some(token.hash());
    match grant.generation - token.generation {
        0 if hash == grant.token_hash => Standing::Newest,
        1 if hash == grant.previous_hash => {
            let is_recent = grant.rotated_at.is_some_and(|at| now <= at + GRACE);
            if is_recent || grant.used_at.is_none() { Standing::JustReplaced } else { Standing::Astray }
        }
        // It was made here, and so it was the newest once.
        2.. if token.generation > 0 => Standing::Astray,
        _ => Standing::Unknown,
    }
}

/// What is asked for of what was granted. Less is for this token alone: the next may have all again. Source: RFC 6749 §6.
fn narrowed(grant: &Grant, asked: Option<&str>) -> Result<Scopes, OauthError> {
    let granted = Permissions { offline: true, ..Permissions::parse(&grant.scopes) };
    let Some(asked) = asked else { return Ok(granted.scopes) };
    let wanted = Permissions::parse(asked);
    let is_known = asked.split(' ').filter(|name| !name.is_empty()).count()
        == wanted.names().split(' ').filter(|name| !name.is_empty()).count();
    if !is_known || !granted.covers(wanted) {
        let description = "scope can name what was granted, or less";
        return Err(OauthError::new(ErrorName::InvalidScope, description));
    }
    Ok(if wanted.scopes.is_empty() { granted.scopes } else { wanted.scopes })
}
