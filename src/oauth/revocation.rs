//! A client gives a token back: the whole connection ends, whichever of its tokens it shows. What is not this client's is
//! left alone, and the answer is the same. Source: RFC 7009.

use super::{AuthorizationServer, OauthError, Requester, refresh_token::RefreshToken};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

/// What is read of an access token. Its signature is not looked at: whoever can name a grant has held a token of it.
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
        let Some(grant_id) = named(text) else { return Ok(()) };
        let found = self.store.grants().find(&grant_id).await?;
        if let Some(grant) = found.filter(|grant| grant.client_id == client.id) {
            self.store.grants().revoke(&grant.id, self.clock.now()).await?;
        }
        Ok(())
    }
}

/// The grant that a token names; hints of its kind are not needed.
fn named(text: &str) -> Option<String> {
    if let Some(token) = RefreshToken::parse(text) {
        return Some(token.grant_id);
    }
    let claims = text.split('.').nth(1)?;
    let named: Named = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Some(named.sid).filter(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
