//! What an operator changes beside a server that may be running: it works on the same database, and the server obeys
//! within a minute.

use super::base::Base;
use crate::{
    auth::ApiKey,
    clock::Clock,
    config::Config,
    model::{Scopes, SecretKey},
    store::{KeptKey, Store},
};
use anyhow::Result;

/// The configured database, open.
#[derive(Debug)]
pub struct Administration {
    store: Store,
    clock: Clock,
}

impl Administration {
    /// Opens the database.
    ///
    /// # Errors
    /// When it cannot be used; says what to do.
    pub async fn open(config: &Config) -> Result<Self> {
        // Nothing here needs the secret, nor a folder for it.
        let base = Base::with_secret(config, Clock::system(), SecretKey::random())?;
        base.store.attach().await?;
        Ok(Self { store: base.store, clock: base.clock })
    }

    /// Makes an API key and keeps its hash.
    ///
    /// # Errors
    /// When it could not be kept.
    pub async fn add_key(&self, name: &str, scopes: Scopes) -> Result<ApiKey> {
        let key = ApiKey::random();
        let kept = KeptKey {
            id: key.id.clone(),
            name: name.to_owned(),
            hash: key.hash(),
            scopes: scopes.to_string(),
            created_at: self.clock.now(),
            revoked_at: None,
        };
        self.store.api_keys().insert(&kept).await?;
        Ok(key)
    }

    /// All API keys, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn keys(&self) -> Result<Vec<KeptKey>> {
        Ok(self.store.api_keys().list().await?)
    }

    /// Revokes an API key; returns whether there was one to revoke.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn revoke_key(&self, id: &str) -> Result<bool> {
        Ok(self.store.api_keys().revoke(id, self.clock.now()).await?)
    }

    /// Closes the database.
    pub async fn close(self) {
        self.store.close().await;
    }
}
