//! A client gives a token back: the whole connection ends, whichever of its tokens it shows, also an old one. What was not
//! made here, or is not this client's, is left alone, and the answer is the same. Source: RFC 7009.

use super::{AuthorizationServer, OauthError, Requester};
use serde::Deserialize;

/// What is read of an access token.
#[derive(Debug, Deserialize)]
struct Named {
    sid: String,
}

impl AuthorizationServer {
    /// Ends the connection of the token, if it is this client's.
    ///
    /// # Errors
    /// [`OauthError`] when it cannot be said who asks, or nothing can be written now.
    pub async fn revoke(&self, requester: &Requester) -> Result<(), OauthError> {
        let client = requester.claimed().prove(&self.store).await?;
        let text = requester.parameters().one("token")?.ok_or(OauthError::invalid_request("token is missing"))?;
        let Some(grant_id) = self.named(text).await? else { return Ok(()) };
        let found = self.store.grants().find(&grant_id).await?;
        if let Some(grant) = found.filter(|grant| grant.client_id == client.id) {
            self.store.grants().revoke(&grant.id, self.clock.now()).await?;
        }
        Ok(())
    }

    /// The grant that a token names, if it was made here; hints of its kind are not needed.
    async fn named(&self, text: &str) -> Result<Option<String>, OauthError> {
        if let Some(token) = self.refresh_tokens.parse(text) {
            return Ok(Some(token.grant_id));
        }
        let claims = self.keys.claims(text).await?;
        Ok(claims.and_then(|claims| serde_json::from_slice::<Named>(&claims).ok()).map(|named| named.sid))
    }
}
