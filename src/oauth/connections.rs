//! What a person has agreed to, as they see it and take it back: one line for each client and place where its answers go,
//! however often it was connected.

use super::{AuthorizationServer, Permissions, documents, redirect::without_port};
use crate::store::{Grant, StoreError};
use jiff::Timestamp;

/// A client that a person has connected.
#[derive(Debug, Clone)]
pub struct Connected {
    /// Its id.
    pub client_id: String,
    /// What it calls itself.
    pub name: String,
    /// The host that answers for that, if it is a client that describes itself.
    pub host: Option<String>,
    /// Where its answers go, for any port; by this it is taken back, together with the id.
    pub place: String,
    /// Names of permissions with spaces between them.
    pub scopes: String,
    /// When it was first connected.
    pub since: Timestamp,
    /// When it last got tokens.
    pub used_at: Timestamp,
}

impl AuthorizationServer {
    /// What this person has connected, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub async fn connections(&self, person_id: &str) -> Result<Vec<Connected>, StoreError> {
        let mut found: Vec<Connected> = Vec::new();
        for grant in self.store.grants().of_person(person_id, self.clock.now()).await? {
            let place = without_port(&grant.redirect_uri);
            let used_at = grant.used_at.into_iter().chain(grant.rotated_at).max().unwrap_or(grant.created_at);
            let same = |each: &&mut Connected| each.client_id == grant.client_id && each.place == place;
            if let Some(known) = found.iter_mut().find(same) {
                known.used_at = known.used_at.max(used_at);
                known.scopes = Permissions::parse(&known.scopes).or(Permissions::parse(&grant.scopes)).names();
                continue;
            }
            let name = self.store.clients().find(&grant.client_id).await?.map(|client| client.name).unwrap_or_default();
            found.push(Connected {
                host: documents::host(&grant.client_id),
                client_id: grant.client_id,
                name,
                place,
                scopes: grant.scopes,
                since: grant.created_at,
                used_at,
            });
        }
        found.reverse();
        Ok(found)
    }

    /// Takes back all that this person has granted to a client at one place; returns what it was called, if there was any.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn disconnect(
        &self,
        person_id: &str,
        client_id: &str,
        place: &str,
    ) -> Result<Option<String>, StoreError> {
        let now = self.clock.now();
        let is_meant = |grant: &Grant| grant.client_id == client_id && without_port(&grant.redirect_uri) == place;
        let mut was_there = false;
        for grant in self.store.grants().of_person(person_id, now).await?.into_iter().filter(is_meant) {
            was_there |= self.store.grants().revoke(&grant.id, now).await?;
        }
        if !was_there {
            // What was sent is no id of a client, as far as is known.
            return Ok(None);
        }
        Ok(self.store.clients().find(client_id).await?.map(|client| client.name))
    }
}
