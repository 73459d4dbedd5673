//! What an operator changes beside a server that may be running: it works on the same database, and the server obeys
//! within a minute.

use super::base::Base;
use crate::{
    auth::ApiKey,
    clock::Clock,
    config::Config,
    model::{PersonName, Scopes, SecretKey},
    oauth::{NewClient, People, Person},
    store::{KeptClient, KeptKey, KeptPerson, Registered, Store},
};
use anyhow::{Result, ensure};
use secrecy::{ExposeSecret as _, SecretString};

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

    /// Makes a person known, with this password or without one.
    ///
    /// # Errors
    /// When the name is taken, the password cannot be one, or the person could not be kept.
    pub async fn add_user(&self, name: PersonName, password: Option<&SecretString>) -> Result<Person> {
        Ok(self.people().add(name, password.map(SecretString::expose_secret)).await?)
    }

    /// All people, by name, each with the issuers of the accounts by which they sign in.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn users(&self) -> Result<Vec<(KeptPerson, Vec<String>)>> {
        let (people, accounts) = (self.store.people().list().await?, self.store.identities().issuers().await?);
        let with_issuers = |kept: KeptPerson| {
            let theirs = accounts.iter().filter(|(person_id, _)| *person_id == kept.person.id);
            let issuers = theirs.map(|(_, issuer)| issuer.clone()).collect();
            (kept, issuers)
        };
        Ok(people.into_iter().map(with_issuers).collect())
    }

    /// Removes a person with all that hangs on them and all that is theirs; returns whether there was one.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn remove_user(&self, name: &PersonName) -> Result<bool> {
        match self.store.people().find_by_name(name).await? {
            Some(kept) => Ok(self.store.people().remove(&kept.person.id).await?),
            None => Ok(false),
        }
    }

    /// Takes a person's password and sessions away; returns who that was, if there is somebody.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn reset_user(&self, name: &PersonName) -> Result<Option<Person>> {
        let Some(kept) = self.store.people().find_by_name(name).await? else { return Ok(None) };
        let is_reset = self.store.people().set_password(&kept.person.id, None).await?;
        Ok(is_reset.then_some(kept.person))
    }

    /// A link by which a person chooses a password, once; nothing if the person is gone.
    ///
    /// # Errors
    /// When it could not be kept.
    pub async fn setup_link(&self, person: &Person) -> Result<Option<SecretString>> {
        Ok(self.people().link_for(person).await?)
    }

    /// The same for the first person of all; nothing if there is somebody.
    ///
    /// # Errors
    /// When it could not be kept.
    pub async fn first_link(&self) -> Result<Option<SecretString>> {
        Ok(self.people().first_link().await?)
    }

    /// Makes a client; its secret, if it has one, is told once.
    ///
    /// # Errors
    /// When an address cannot be one, the same client is there, or it could not be kept.
    pub async fn add_client(&self, name: &str, redirects: Vec<String>, has_secret: bool) -> Result<NewClient> {
        let client = NewClient::of_operator(name, redirects, has_secret, self.clock.now())?;
        let registered = self.store.clients().insert(&client.kept, i64::MAX).await?;
        ensure!(registered == Registered::New, "there is the same client already: `client list` shows it");
        Ok(client)
    }

    /// All clients, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn clients(&self) -> Result<Vec<KeptClient>> {
        Ok(self.store.clients().list().await?)
    }

    /// Removes a client with all that was granted to it; returns whether there was one.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn revoke_client(&self, id: &str) -> Result<bool> {
        Ok(self.store.clients().remove(id).await?)
    }

    fn people(&self) -> People {
        People::new(self.store.clone(), self.clock.clone())
    }

    /// Closes the database.
    pub async fn close(self) {
        self.store.close().await;
    }
}
