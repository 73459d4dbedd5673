//! This server as the issuer of its tokens, where people sign in here. Its public keys, and what the tokens were granted for,
//! lie in the database: whichever instance gave a token, every other takes it, and it dies with what was granted.

use super::{
    Denied,
    access_token::{Rules, Verified},
};
use crate::{
    clock::Clock,
    jwt::{Jwks, Unverified},
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
/// Between two readings that unknown keys cause, or that fail.
const COOLDOWN: Duration = Duration::from_secs(5);

/// The issuer that this server is.
#[derive(Debug)]
pub struct Own {
    rules: Rules,
    store: Store,
    keys: RwLock<Kept>,
    /// Held while they are read, so that many wait for one.
    reading: Mutex<()>,
    clock: Clock,
}

#[derive(Debug, Clone, Default)]
struct Kept {
    /// None before they could be read.
    jwks: Option<Arc<Jwks>>,
    /// When they were last read, or could not be read again; none before they were.
    tried_at: Option<Duration>,
    /// How long nobody needs to read them again, after that.
    rest: Duration,
    /// How often that was tried.
    tries: u64,
}

impl Kept {
    fn must_be_read(&self, id: Option<&str>, now: Duration) -> bool {
        let Some(tried_at) = self.tried_at else { return true };
        let is_known = id.is_none_or(|id| self.jwks.as_ref().is_some_and(|jwks| jwks.knows(id)));
        now.saturating_sub(tried_at) >= if is_known { self.rest } else { COOLDOWN }
    }
}

impl Own {
    /// By this name.
    pub fn new(name: &str, store: Store, clock: Clock) -> Self {
        // Its end is what was promised: instances that share a database share the time, as near as that matters.
        let rules = Rules { issuer: name.to_owned(), audience: None, must_be_typed: true, leeway: Duration::ZERO };
        Self { rules, store, keys: RwLock::default(), reading: Mutex::default(), clock }
    }

    /// Its name, as in `iss`.
    pub fn name(&self) -> &str {
        &self.rules.issuer
    }

    /// Whose token this is, if it is meant for `resource` and what it was granted for still holds.
    pub(super) async fn judge(&self, token: &str, resource: &str) -> Result<Verified, Denied> {
        let token = Unverified::read(token)?;
        let jwks = self.keys_for(token.key_id()).await.ok_or(Denied::Unavailable)?;
        let (claims, now) = (token.claims(&jwks)?, self.clock.now());
        let mut verified = self.rules.judge(&token, &claims, resource, now)?;
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

    /// Whoever waits while they are read takes what comes of that, well or not: while the database is away, nobody waits for
    /// more than one try.
    async fn keys_for(&self, id: Option<&str>) -> Option<Arc<Jwks>> {
        let before = self.kept();
        if before.must_be_read(id, self.clock.elapsed()) {
            let _one_at_a_time = self.reading.lock().await;
            if self.kept().tries == before.tries {
                self.read().await;
            }
        }
        self.kept().jwks
    }

    async fn read(&self) {
        let read = self.store.signing_keys().list().await.ok().and_then(|keys| {
            let keys: Vec<Value> = keys.iter().filter_map(|key| serde_json::from_str(&key.public).ok()).collect();
            Jwks::read(json!({ "keys": keys }).to_string().as_bytes(), &[Algorithm::ES256])
        });
        let rest = if read.is_some() { READ_AGAIN } else { COOLDOWN };
        let mut kept = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let (jwks, tries) = (read.map(Arc::new).or_else(|| kept.jwks.take()), kept.tries + 1);
        // Without any, the next one tries at once.
        let tried_at = jwks.is_some().then(|| self.clock.elapsed());
        *kept = Kept { jwks, tried_at, rest, tries };
    }

    fn kept(&self) -> Kept {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
