//! How callers become known: an issuer outside, people who sign in here, API keys, or not at all.

use super::{base::Base, chores};
use crate::{
    auth::{Auth, Gate, Outside, Own, Protected, Source},
    config::{AuthMode, ClientDocuments, Config},
    health::Need,
    http::{Door, Limiter, SignIn},
    jwt::Issuer,
    model::{Caller, Principal, Scopes},
    oauth::{self, AuthorizationServer, DocumentRules, Keys, People, Provider, Rules},
    outbound::{Outbound, Strangers},
};
use anyhow::Result;
use std::{net::SocketAddr, sync::Arc};
use url::Url;

/// The origin under which a server that listens here is reached.
pub(super) fn origin(config: &Config, address: SocketAddr) -> Result<Url> {
    match &config.server.public_url {
        Some(url) => Ok(url.clone()),
        None => Ok(format!("http://{address}").parse()?),
    }
}

impl Base {
    /// The keys that sign tokens, where people sign in here.
    pub(super) fn signing_keys(&self, config: &Config) -> Option<Keys> {
        if !config.auth.is_own() {
            return None;
        }
        let keys = Keys::new(self.store.clone(), &self.secret, self.previous.as_ref(), self.clock.clone());
        let watched = keys.clone();
        self.metrics.watch_signing_key(move || watched.age().map(|age| age.as_secs_f64()));
        Some(keys)
    }

    /// Finds out who calls; without sign-in it is always `caller`.
    pub(super) fn auth(&self, config: &Config, origin: &Url, caller: Principal) -> Result<Auth> {
        let tokens = self.tokens(config, origin)?;
        let protected = Protected::new(origin, tokens.as_ref().map(Source::name));
        let gate = match config.auth.mode {
            AuthMode::None => Gate::Open(Caller::new(caller, Scopes::all())),
            AuthMode::Oauth | AuthMode::ApiKey => Gate::Guarded { tokens, keys: self.store.clone() },
        };
        self.metrics.callers_guarded();
        Ok(Auth::new(gate, protected, self.clock.clone(), self.metrics.clone()))
    }

    /// Whose tokens are taken.
    fn tokens(&self, config: &Config, origin: &Url) -> Result<Option<Source>> {
        if config.auth.is_own() {
            let own = Own::new(&origin.origin().ascii_serialization(), self.store.clone(), self.clock.clone());
            return Ok(Some(Source::Own(own)));
        }
        let Some(name) = &config.auth.issuer else { return Ok(None) };
        let issuer = self.issuer(config, name, (Outbound::new()?, Need::ToStart));
        Ok(Some(Source::Outside(Outside::new(&config.auth, issuer, self.clock.clone()))))
    }

    /// An issuer outside, whose keys are kept fresh from now on.
    fn issuer(&self, config: &Config, name: &str, (outbound, need): (Outbound, Need)) -> Arc<Issuer> {
        let parts = (outbound, self.health.register("issuer", need));
        let issuer = Issuer::new(name, &config.auth.algorithms, parts, self.tasks.clone(), self.clock.clone());
        let issuer = Arc::new(issuer);
        chores::refresh_keys(Arc::clone(&issuer), config.health.interval, self);
        issuer
    }

    /// The way to a token, where people sign in here.
    pub(super) fn sign_in(
        &self,
        config: &Config,
        own: Option<((Keys, People), Strangers)>,
        protected: &Protected,
        (door, limiter): (Door, Limiter),
    ) -> Result<Option<SignIn>> {
        let Some(((keys, people), strangers)) = own else { return Ok(None) };
        let rules = Rules {
            registration: config.auth.registration,
            registration_token: config.auth.registration_token.clone(),
            most_clients: config.limits.clients,
            documents: DocumentRules {
                enabled: config.auth.client_documents == ClientDocuments::On,
                hosts: config.auth.allowed_client_hosts.clone(),
            },
        };
        let parts = oauth::Parts {
            store: self.store.clone(),
            keys,
            people,
            provider: self.provider(config, protected)?,
            secret: self.secret.clone(),
            previous: self.previous.clone(),
            strangers,
            tasks: self.tasks.clone(),
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
        };
        let issuer = protected.origin().to_owned();
        let server = AuthorizationServer::new(issuer, protected.resource().to_owned(), rules, parts);
        Ok(Some(SignIn { server, door, limiter, metrics: self.metrics.clone() }))
    }

    /// The provider with whose accounts people can sign in here. Whoever is signed in does not need it.
    fn provider(&self, config: &Config, protected: &Protected) -> Result<Option<Provider>> {
        let login = &config.auth.login;
        let Some(name) = &login.issuer else { return Ok(None) };
        let callback = format!("{}/login/callback", protected.origin());
        tracing::info!(
            issuer = name,
            callback,
            "people sign in at a provider, which must know where to send them back to"
        );
        let outbound = Outbound::new()?;
        let issuer = self.issuer(config, name, (outbound.clone(), Need::Never));
        Ok(Provider::new(login, issuer, outbound))
    }

    /// The people who can sign in here.
    pub(super) fn people(&self) -> People {
        People::new(self.store.clone(), self.clock.clone())
    }
}
