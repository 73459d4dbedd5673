//! This server as the issuer of its tokens, where people sign in here. Its public keys, and what the tokens were granted for,
//! lie in the database: whichever instance gave a token, every other takes it, and it dies with what was granted.

use super::{
    Denied,
    jwks::Jwks,
    jwt::{Rules, Unverified, Verified},
};
use crate::{
    clock::Clock,
    model::Principal,
    store::{Grant, Store},
    telemetry::AuthFailure,
};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::Mutex;

/// How often the keys are read again, so that those of other instances are known.
const READ_AGAIN: Duration = Duration::from_mins(1);
/// Between two readings that unknown keys cause.
const COOLDOWN: Duration = Duration::from_secs(5);

/// The issuer that this server is.
#[derive(Debug)]
pub struct Own {
    rules: Rules,
    store: Store,
    keys: RwLock<Option<Kept>>,
    /// Held while they are read, so that many wait for one.
    reading: Mutex<()>,
    clock: Clock,
}

#[derive(Debug, Clone)]
struct Kept {
    jwks: Arc<Jwks>,
    read_at: Duration,
}

impl Own {
    /// By this name.
    pub fn new(name: &str, store: Store, clock: Clock) -> Self {
        let rules = Rules { issuer: name.to_owned(), audience: None, must_be_typed: true };
        Self { rules, store, keys: RwLock::default(), reading: Mutex::default(), clock }
    }

    /// Its name, as in `iss`.
    pub fn name(&self) -> &str {
        &self.rules.issuer
    }

    /// Whose token this is, if it is meant for `resource` and what it was granted for still holds.
    pub(super) async fn judge(&self, token: &str, resource: &str) -> Result<Verified, Denied> {
        let token = Unverified::read(token).map_err(Denied::Refused)?;
        let jwks = self.keys_for(token.key_id.as_deref()).await.ok_or(Denied::Unavailable)?;
        let now = self.clock.now();
        let mut verified = token.verify(&jwks, &self.rules, resource, now).map_err(Denied::Refused)?;
        let (grant_id, generation) = verified.grant.clone().ok_or(Denied::Refused(AuthFailure::WrongClaims))?;
        // Why it cannot be read, the store has told the health check.
        let grant = self.store.grants().find(&grant_id).await.map_err(|_| Denied::Unavailable)?;
        let holds = |grant: &Grant| grant.revoked_at.is_none() && grant.person_id == verified.subject;
        let grant = grant.filter(holds).ok_or(Denied::Refused(AuthFailure::Revoked))?;
        if grant.generation == generation && grant.used_at.is_none() {
            // Were it not noted, the token before would be taken for longer.
            let _ = self.store.grants().note_use(&grant.id, generation, now).await;
        }
        // The same person under whatever name this server goes.
        verified.caller.principal = Principal::person(&grant.person_id);
        Ok(verified)
    }

    async fn keys_for(&self, id: Option<&str>) -> Option<Arc<Jwks>> {
        if let Some(kept) = self.kept().filter(|kept| !self.must_read(kept, id)) {
            return Some(kept.jwks);
        }
        let _one_at_a_time = self.reading.lock().await;
        // Another may have read while this one waited.
        if self.kept().is_none_or(|kept| self.must_read(&kept, id)) {
            self.read().await;
        }
        self.kept().map(|kept| kept.jwks)
    }

    fn must_read(&self, kept: &Kept, id: Option<&str>) -> bool {
        let age = self.clock.elapsed().saturating_sub(kept.read_at);
        let is_known = id.is_none_or(|id| kept.jwks.knows(id));
        age >= READ_AGAIN || (!is_known && age >= COOLDOWN)
    }

    /// Keys that were read before stay when they cannot be read again.
    async fn read(&self) {
        let Ok(keys) = self.store.signing_keys().list().await else { return };
        let keys: Vec<Value> = keys.iter().filter_map(|key| serde_json::from_str(&key.public).ok()).collect();
        let document = json!({ "keys": keys }).to_string();
        let Some(jwks) = Jwks::read(document.as_bytes(), &[Algorithm::ES256]) else { return };
        let kept = Kept { jwks: Arc::new(jwks), read_at: self.clock.elapsed() };
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    }

    fn kept(&self) -> Option<Kept> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
