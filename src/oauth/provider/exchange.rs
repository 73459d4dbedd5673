//! What this server asks the provider for itself: tokens for a code, and, where these do not say it, the address of the person.

use super::{
    NotArrived, Provider, failed,
    id_token::{Claims, Told},
};
use crate::{
    jwt::{LIMITS, Metadata},
    outbound::FetchError,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

/// What a code is exchanged for. Nothing of it outlives the sign-in.
#[derive(Debug, Deserialize)]
pub(super) struct Given {
    pub(super) id_token: SecretString,
    access_token: Option<SecretString>,
}

impl Provider {
    /// Exchanges a code. Sources: OpenID Connect Core §3.1.3, RFC 6749 §2.3.1 and §4.1.3.
    pub(super) async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
        callback: &str,
    ) -> Result<Given, NotArrived> {
        let endpoint = metadata.token_endpoint.as_ref().ok_or(NotArrived::Unavailable)?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", callback),
            ("code_verifier", verifier),
        ];
        let methods = metadata.token_endpoint_auth_methods_supported.as_ref();
        // Who says nothing takes a header.
        let by_header = methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
        let header = self.login.client_secret.as_ref().filter(|_| by_header);
        let sender =
            header.map(|secret| (written(&self.client_id), SecretString::from(written(secret.expose_secret()))));
        if sender.is_none() {
            form.push(("client_id", &self.client_id));
            form.extend(self.login.client_secret.as_ref().map(|secret| ("client_secret", secret.expose_secret())));
        }
        let sender = sender.as_ref().map(|(name, secret)| (name.as_str(), secret));
        let body = self.outbound.answer(&form, sender, endpoint, LIMITS).await;
        let body = body.map_err(|error| failed("does not exchange a code", error))?;
        serde_json::from_slice(&body).map_err(|_| failed("answers a code with no ID token", FetchError::NotJson))
    }

    /// What the provider says of the person whose token it gave. Source: OpenID Connect Core §5.3.
    pub(super) async fn told_of(&self, metadata: &Metadata, given: &Given, subject: &str) -> Result<Told, NotArrived> {
        let (Some(address), Some(token)) = (&metadata.userinfo_endpoint, &given.access_token) else {
            return Ok(Told::default());
        };
        let body = self.outbound.json_for(token, address, LIMITS).await;
        let body = body.map_err(|error| failed("does not tell of a person", error))?;
        Claims::of_person(&body, subject)
    }
}

/// As names and passwords stand in the header. Source: RFC 6749 §2.3.1.
fn written(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
