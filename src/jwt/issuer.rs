//! An issuer outside, such as a company's sign-in, whose tokens this server takes. What it says of itself and its keys are
//! fetched ahead, kept for a day if it is away, and asked for again when a token names an unknown key, but not at the will of
//! whoever sends tokens.
//!
//! Sources: RFC 8414 and OpenID Connect Discovery.

use super::{jwks::Jwks, token::Unverified};
use crate::{
    clock::Clock,
    health::Reporter,
    outbound::{FetchError, Limits, Outbound},
    tasks::Tasks,
    telemetry::AuthFailure,
};
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::{Mutex, oneshot};
use url::Url;

/// How long an issuer may take for an answer, and how large that may be.
pub const LIMITS: Limits = Limits { time: Duration::from_secs(5), bytes: 256 * 1024 };
/// Between two fetches that unknown keys cause.
const COOLDOWN: Duration = Duration::from_secs(30);
/// How long keys are believed that cannot be fetched again.
const LONGEST_KEPT: Duration = Duration::from_hours(24);

/// An issuer and its keys.
#[derive(Debug)]
pub struct Issuer {
    /// Letter by letter as in `iss`.
    name: String,
    algorithms: Vec<Algorithm>,
    kept: RwLock<Option<Arc<Kept>>>,
    /// When an unknown key last had them fetched, well or not, on the steady clock. Held while they are fetched, so that many
    /// wait for one. What is fetched ahead does not count: a key that is published right after that is found all the same.
    last_asked_for: Mutex<Option<Duration>>,
    outbound: Outbound,
    health: Reporter,
    tasks: Tasks,
    clock: Clock,
}

#[derive(Debug)]
struct Kept {
    metadata: Arc<Metadata>,
    jwks: Jwks,
    fetched_at: Duration,
}

impl Kept {
    /// Whether a token that names this key can be judged; one that names none is judged by what is there.
    fn has(&self, id: Option<&str>) -> bool {
        id.is_none_or(|id| self.jwks.knows(id))
    }
}

/// What an issuer says of itself.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    issuer: String,
    jwks_uri: Url,
    /// Where people are sent to sign in.
    pub authorization_endpoint: Option<Url>,
    /// Where codes are exchanged.
    pub token_endpoint: Option<Url>,
    /// Where more is told of who has signed in.
    pub userinfo_endpoint: Option<Url>,
    /// How clients may show there who they are.
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether its answers say by `iss` whose they are. Source: RFC 9207 §3.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the issuer's metadata cannot be used: {0}")]
    Metadata(FetchError),
    #[error("the issuer calls itself by another name than the one that is set: set exactly that one")]
    OtherName,
    #[error("the issuer's keys cannot be used: {0}")]
    Keys(FetchError),
    #[error("the issuer's keys cannot be used: they are not a list of at most 50 keys")]
    NoList,
    #[error("the issuer has no key that auth.algorithms allows")]
    NoKey,
}

impl Issuer {
    /// The issuer of this name, whose keys may be used with these algorithms. Nothing is fetched yet.
    pub fn new(
        name: &str,
        algorithms: &[String],
        (outbound, health): (Outbound, Reporter),
        tasks: Tasks,
        clock: Clock,
    ) -> Self {
        Self {
            name: name.to_owned(),
            algorithms: algorithms.iter().filter_map(|name| name.parse().ok()).collect(),
            kept: RwLock::default(),
            last_asked_for: Mutex::default(),
            outbound,
            health,
            tasks,
            clock,
        }
    }

    /// Its name, as in `iss`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// [`AuthFailure::Unavailable`] when it has not been heard of for long.
    pub async fn metadata(self: &Arc<Self>) -> Result<Arc<Metadata>, AuthFailure> {
        let kept = self.kept_for(None).await.ok_or(AuthFailure::Unavailable)?;
        Ok(Arc::clone(&kept.metadata))
    }

    /// What a token claims, as JSON, if this issuer has signed it.
    ///
    /// # Errors
    /// [`AuthFailure`] when it has not, or its keys are not there.
    pub async fn claims(self: &Arc<Self>, token: &Unverified<'_>) -> Result<Vec<u8>, AuthFailure> {
        let kept = self.kept_for(token.key_id()).await.ok_or(AuthFailure::Unavailable)?;
        token.claims(&kept.jwks)
    }

    /// What is kept, fetched anew if this key is not there, as often as the cool-down allows.
    async fn kept_for(self: &Arc<Self>, id: Option<&str>) -> Option<Arc<Kept>> {
        let kept = self.kept();
        if kept.as_ref().is_some_and(|kept| kept.has(id)) {
            return kept;
        }
        // In a task of its own: a caller that leaves must not take with it what others wait for.
        let (issuer, id) = (Arc::clone(self), id.map(str::to_owned));
        let (fetched, done) = oneshot::channel();
        self.tasks.spawn(async move {
            issuer.fetch_unless_cool(id.as_deref()).await;
            let _ = fetched.send(());
        });
        let _ = done.await;
        self.kept()
    }

    async fn fetch_unless_cool(&self, id: Option<&str>) {
        let mut last = self.last_asked_for.lock().await;
        // Another may have fetched while this one waited.
        let is_there = self.kept().is_some_and(|kept| kept.has(id));
        let is_cool = last.is_some_and(|at| self.clock.elapsed().saturating_sub(at) < COOLDOWN);
        if !is_there && !is_cool {
            *last = Some(self.clock.elapsed());
            self.fetch().await;
        }
    }

    /// Fetches the keys again, and tells the health check; called from time to time. Returns whether all is well.
    pub async fn refresh(&self) -> bool {
        let _one_at_a_time = self.last_asked_for.lock().await;
        self.fetch().await
    }

    /// A document without usable keys withdraws those that were there; where there is no document, they stay.
    async fn fetch(&self) -> bool {
        let started = self.clock.elapsed();
        let outcome = match self.fetched().await {
            Ok((metadata, jwks)) => {
                let is_empty = jwks.is_empty();
                let kept = Arc::new(Kept { metadata: Arc::new(metadata), jwks, fetched_at: self.clock.elapsed() });
                *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(kept);
                if is_empty { Err(Trouble::NoKey) } else { Ok(self.clock.elapsed().saturating_sub(started)) }
            }
            Err(trouble) => Err(trouble),
        };
        let is_well = outcome.is_ok();
        self.health.probed(outcome.map_err(|trouble| trouble.to_string()));
        is_well
    }

    async fn fetched(&self) -> Result<(Metadata, Jwks), Trouble> {
        let metadata = self.discovered().await?;
        let body = self.outbound.json(&metadata.jwks_uri, LIMITS).await.map_err(Trouble::Keys)?;
        let jwks = Jwks::read(&body, &self.algorithms).ok_or(Trouble::NoList)?;
        Ok((metadata, jwks))
    }

    /// What it says of itself. The name must be the one that is set: metadata of another issuer must not lend it keys.
    async fn discovered(&self) -> Result<Metadata, Trouble> {
        let mut trouble = FetchError::Unreachable;
        for address in metadata_addresses(&self.name) {
            match self.outbound.json(&address, LIMITS).await {
                Ok(body) => {
                    let found: Metadata =
                        serde_json::from_slice(&body).map_err(|_| Trouble::Metadata(FetchError::NotJson))?;
                    return if found.issuer == self.name { Ok(found) } else { Err(Trouble::OtherName) };
                }
                Err(error) => trouble = error,
            }
        }
        Err(Trouble::Metadata(trouble))
    }

    fn kept(&self) -> Option<Arc<Kept>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let age = self.clock.elapsed().saturating_sub(kept.fetched_at);
        (age < LONGEST_KEPT).then_some(kept)
    }
}

/// OpenID Connect appends its path, RFC 8414 puts its own in front of the issuer's.
fn metadata_addresses(issuer: &str) -> Vec<Url> {
    let Ok(issuer) = Url::parse(issuer) else { return Vec::new() };
    let path = issuer.path().trim_end_matches('/');
    let paths =
        [format!("{path}/.well-known/openid-configuration"), format!("/.well-known/oauth-authorization-server{path}")];
    let address = |path: String| {
        let mut address = issuer.clone();
        address.set_path(&path);
        address
    };
    paths.into_iter().map(address).collect()
}
