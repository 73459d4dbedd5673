//! Sign-in with an account of a provider outside, by OpenID Connect: a person is sent there (`journey`), comes back with a
//! code, and what it is exchanged for (`exchange`) says who they are (`id_token`). From then on they are signed in as with a
//! password. What the provider gave is dropped at once: clients get tokens of this server alone.
//!
//! Sources: OpenID Connect Core 1.0 §3.1 and Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (`iss`), RFC 9700 (best practices).

mod exchange;
mod id_token;
mod journey;

pub use journey::Journey;

use super::{AuthorizationServer, Parameters, SignInError, SignedIn, name::visible, parameters::Repeated};
use crate::{
    config::Login,
    jwt::{Issuer, Metadata},
    model::{MailAddress, PersonName},
    outbound::{FetchError, Outbound},
    store::{Identity, StoreError},
    telemetry::AuthFailure,
};
use jiff::Timestamp;
use std::sync::Arc;

/// What a provider says when a person does not want to sign in, or did not. Sources: RFC 6749 §4.1.2.1, OpenID Connect Core
/// §3.1.2.6.
const DECLINED: [&str; 5] =
    ["access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required"];

/// The provider, and who may come from there.
#[derive(Debug)]
pub struct Provider {
    issuer: Arc<Issuer>,
    outbound: Outbound,
    login: Login,
    /// By which this server is known there.
    client_id: String,
    /// What people call it.
    name: String,
}

/// Somebody's account, as the provider tells of it.
#[derive(Debug)]
struct Account {
    identity: Identity,
    /// If it has verified one.
    address: Option<MailAddress>,
    /// What the person could be called.
    name: PersonName,
}

/// Why nobody has signed in who came back.
#[derive(Debug)]
pub enum NotArrived {
    /// They came back like this before.
    Repeated,
    /// With something that is no answer of the provider to what it was asked.
    NoAnswer,
    /// They did not sign in there, and this is what it says.
    Declined(String),
    /// What the provider says cannot be believed.
    NotBelieved(AuthFailure),
    /// They are none of those who may sign in; this is their address, if one is verified.
    NotAllowed(Option<MailAddress>),
    /// The provider does not answer, or not with what it should.
    Unavailable,
    /// Nobody can be looked up.
    Store(StoreError),
    /// Too many sign in at the same moment.
    Busy,
}

impl From<Repeated> for NotArrived {
    fn from(_: Repeated) -> Self {
        Self::NoAnswer
    }
}

impl From<StoreError> for NotArrived {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<AuthFailure> for NotArrived {
    fn from(failure: AuthFailure) -> Self {
        if failure == AuthFailure::Unavailable { Self::Unavailable } else { Self::NotBelieved(failure) }
    }
}

impl From<SignInError> for NotArrived {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Store(error) => Self::Store(error),
            SignInError::Busy | SignInError::WrongNameOrPassword | SignInError::BadPassword => Self::Busy,
        }
    }
}

impl Provider {
    /// This issuer; nothing if this server is not known there.
    pub fn new(login: &Login, issuer: Arc<Issuer>, outbound: Outbound) -> Option<Self> {
        let client_id = login.client_id.clone()?;
        let host = || url::Url::parse(issuer.name()).ok()?.host_str().map(str::to_owned);
        let name = login.name.clone().or_else(host).unwrap_or_default();
        Some(Self { issuer, outbound, login: login.clone(), client_id, name })
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose account it is that a code stands for.
    async fn account(
        &self,
        code: &str,
        journey: &Journey,
        callback: &str,
        now: Timestamp,
    ) -> Result<Account, NotArrived> {
        let metadata = self.issuer.metadata().await?;
        let given = self.exchange(&metadata, code, &journey.verifier, callback).await?;
        let mut claims = self.claims(&given, &journey.nonce, now).await?;
        if !claims.has_address() && !self.login.admits(None) {
            claims.add(self.told_of(&metadata, &given, claims.subject()).await?);
        }
        Ok(claims.account(self.issuer.name()))
    }

    /// Whether an answer says that it is this provider's, where it says that it says so.
    fn is_of(&self, metadata: &Metadata, issuer: Option<&str>) -> bool {
        match issuer {
            Some(issuer) => issuer == self.issuer.name(),
            None => !metadata.authorization_response_iss_parameter_supported,
        }
    }
}

impl AuthorizationServer {
    /// The provider at which people can sign in, if there is one.
    pub fn provider(&self) -> Option<&Provider> {
        self.provider.as_ref()
    }

    /// Whether people can sign in with passwords.
    pub fn takes_passwords(&self) -> bool {
        self.provider.as_ref().is_none_or(|provider| provider.login.passwords)
    }

    /// Signs in whoever came back from the provider with these parameters.
    ///
    /// # Errors
    /// [`NotArrived`] when nobody is signed in.
    pub async fn arrive(&self, journey: &Journey, parameters: &Parameters) -> Result<SignedIn, NotArrived> {
        let provider = self.provider.as_ref().ok_or(NotArrived::NoAnswer)?;
        // Before all else: whatever comes of it, it is answered once.
        if !self.store.grants().answer(&journey.id, journey.forget_at()).await? {
            return Err(NotArrived::Repeated);
        }
        let metadata = provider.issuer.metadata().await?;
        if !provider.is_of(&metadata, parameters.one("iss")?) {
            return Err(NotArrived::NoAnswer);
        }
        if let Some(error) = parameters.one("error")? {
            return Err(declined(error, parameters.one("error_description")?.unwrap_or_default()));
        }
        let code = parameters.one("code")?.ok_or(NotArrived::NoAnswer)?;
        let account = provider.account(code, journey, &self.callback(), self.clock.now()).await?;
        if !provider.login.admits(account.address.as_ref()) {
            return Err(NotArrived::NotAllowed(account.address));
        }
        Ok(self.people.sign_in_by(&account.identity, &account.name).await?)
    }

    /// Where the provider sends people back to.
    fn callback(&self) -> String {
        format!("{}/login/callback", self.issuer)
    }
}

fn declined(error: &str, description: &str) -> NotArrived {
    if DECLINED.contains(&error) {
        return NotArrived::Declined(visible(description));
    }
    let error = visible(error);
    tracing::warn!(error, "the login provider signs nobody in: does it know this server by auth.login.client_id?");
    NotArrived::Unavailable
}

/// Why a provider could not be asked, for the log and for the person.
fn failed(what: &'static str, error: FetchError) -> NotArrived {
    tracing::warn!(%error, "the login provider {what}");
    match error {
        // It does not take the code: that can be the fault of whoever brought it.
        FetchError::Status(400) => NotArrived::NoAnswer,
        _ => NotArrived::Unavailable,
    }
}
