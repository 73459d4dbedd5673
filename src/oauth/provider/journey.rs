//! The way to the provider and back. What is needed at its end is kept nowhere: it goes with the person as `state`, sealed, and
//! opens in the same browser alone, once, within ten minutes.

use super::super::{
    Asked, AuthorizationServer, Browser, Parameters, redirect::with_parameters, request::Request, seal::Seal,
};
use crate::{
    config::is_loopback,
    model::{hex, random_bytes, random_secret, sha256},
    telemetry::AuthFailure,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};
use url::Url;

/// How long a person may take to sign in there.
const LIFETIME: Duration = Duration::from_mins(10);
const CONTEXT: &[u8] = b"journey to a login provider";
/// Who they are, and by which address they are known.
const SCOPE: &str = "openid email";

/// Somebody is on the way.
#[derive(Serialize, Deserialize)]
pub struct Journey {
    pub(super) id: String,
    /// By which the ID token is known to be for this sign-in.
    pub(super) nonce: String,
    /// By which the code is known to be for this server (PKCE).
    pub(super) verifier: String,
    /// SHA-256 of the cookie of the browser that it goes through.
    browser: String,
    expires_at_ms: i64,
    /// What a client has asked for, if one sent the person here.
    request: Option<Request>,
}

impl Journey {
    fn begin(request: Option<Request>, browser: Browser<'_>, now: Timestamp) -> Self {
        let secret = || random_secret("").expose_secret().to_owned();
        Self {
            id: hex(&random_bytes::<16>()),
            nonce: secret(),
            verifier: secret(),
            browser: browser.digest(),
            expires_at_ms: (now + LIFETIME).as_millisecond(),
            request,
        }
    }

    fn sealed(&self, seal: &Seal) -> Option<String> {
        seal.close(CONTEXT, &serde_json::to_vec(self).ok()?)
    }

    fn opened(text: &str, seal: &Seal, browser: Browser<'_>, now: Timestamp) -> Option<Self> {
        let journey: Self = serde_json::from_slice(&seal.open(CONTEXT, text)?).ok()?;
        (journey.browser == browser.digest() && now.as_millisecond() < journey.expires_at_ms).then_some(journey)
    }

    /// When nobody needs to know any more that it has ended.
    pub(super) fn forget_at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.expires_at_ms).unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Debug for Journey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Journey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl AuthorizationServer {
    /// The address at which a person of this browser signs in at the provider.
    ///
    /// # Errors
    /// [`AuthFailure::Unavailable`] when there is none now.
    pub async fn to_provider(&self, asked: Option<&Asked>, browser: Browser<'_>) -> Result<String, AuthFailure> {
        let provider = self.provider.as_ref().ok_or(AuthFailure::Unavailable)?;
        let metadata = provider.issuer.metadata().await?;
        let endpoint = metadata.authorization_endpoint.as_ref().filter(|endpoint| is_safe(endpoint));
        let endpoint = endpoint.ok_or(AuthFailure::Unavailable)?;
        let request = asked.map(|asked| asked.request.clone());
        let journey = Journey::begin(request, browser, self.clock.now());
        let state = journey.sealed(&self.seal).ok_or(AuthFailure::Unavailable)?;
        let challenge = URL_SAFE_NO_PAD.encode(sha256(&journey.verifier));
        let parameters = [
            ("response_type", "code"),
            ("client_id", &provider.client_id),
            ("redirect_uri", &self.callback()),
            ("scope", SCOPE),
            ("state", &state),
            ("nonce", &journey.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        Ok(with_parameters(endpoint.as_str(), &parameters))
    }

    /// The journey that ends with these parameters, if it began in this browser, not too long ago.
    pub fn journey(&self, parameters: &Parameters, browser: Browser<'_>) -> Option<Journey> {
        let state = parameters.one("state").ok()??;
        Journey::opened(state, &self.seal, browser, self.clock.now())
    }

    /// The request of the client that sent the person here, as it goes through the browser; empty if there is none.
    pub fn resumed(&self, journey: &Journey) -> String {
        journey.request.as_ref().and_then(|request| request.sealed(&self.seal)).unwrap_or_default()
    }
}

fn is_safe(endpoint: &Url) -> bool {
    endpoint.scheme() == "https" || (endpoint.scheme() == "http" && is_loopback(endpoint))
}
