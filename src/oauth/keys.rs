//! The keys with which access tokens are signed: kept in the database with their private parts sealed, remembered for a
//! minute, and replaced each month. Instances that share a database share the keys.

use super::{
    key_ring::{Due, Held, KeyRing},
    seal::Seal,
    signing_key::{SigningKey, taken_apart},
};
use crate::{
    clock::{Clock, written},
    model::SecretKey,
    store::{KeptSigningKey, Store, StoreError},
};
use secrecy::ExposeSecret as _;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long what was read is taken for what is there.
const REMEMBERED: Duration = Duration::from_mins(1);
/// The same after a failure to read it again.
const READ_AGAIN: Duration = Duration::from_secs(5);

/// Why there is no key, or no token.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The keys were sealed under another secret. Nothing was changed.
    #[error(
        "neither server.secret_key nor server.previous_secret_key opens the signing keys in the database: set one of them to \
         the secret under which they were made. Nothing was changed"
    )]
    WrongSecret,
    /// There is none yet.
    #[error("there is no signing key yet")]
    Missing,
    /// The claims are not JSON, or the machine has no randomness.
    #[error("a key could not be made, or a token not be signed")]
    Failed,
    /// The keys could not be read or written.
    #[error("the database {0}")]
    Store(#[from] StoreError),
}

/// The keys. Clones share them.
#[derive(Clone)]
pub struct Keys(Arc<Parts>);

struct Parts {
    store: Store,
    seal: Seal,
    /// What another secret has sealed, from before the secret was changed.
    previous: Option<Seal>,
    clock: Clock,
    memory: Mutex<Memory>,
    /// One reads at a time, and what one changes the next one sees.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Memory {
    ring: KeyRing,
    /// By the clock's count of time.
    fresh_until: Duration,
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Keys {
    /// Nothing is read yet. `previous` is the secret from before the last change of it.
    pub fn new(store: Store, secret: &SecretKey, previous: Option<&SecretKey>, clock: Clock) -> Self {
        let seal = |secret: &SecretKey| Seal::new(secret.derive("signing keys").expose_secret());
        let (seal, previous) = (seal(secret), previous.map(seal));
        let (memory, reading) = (Mutex::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Parts { store, seal, previous, clock, memory, reading }))
    }

    /// At the start, once the database is open: opens all keys, seals those again that the previous secret has sealed, and
    /// makes the first key if there is none.
    ///
    /// # Errors
    /// [`KeysError::WrongSecret`] when a key cannot be opened; then nothing was changed. [`KeysError::Store`] when the
    /// database cannot be used.
    pub async fn prepare(&self) -> Result<(), KeysError> {
        let _alone = self.0.reading.lock().await;
        let ring = self.read(Closed::Refused).await?;
        if ring.is_empty()
            && let Some(first) = ring.due(self.0.clock.now())
        {
            self.make(&first).await?;
            self.read(Closed::Refused).await?;
        }
        Ok(())
    }

    /// From time to time: reads what other instances have made, publishes the next key a day before it signs, and removes
    /// keys that no token names any more.
    ///
    /// # Errors
    /// [`KeysError::WrongSecret`] when no key can be opened; [`KeysError::Store`] when the database cannot be used. The next
    /// time is another try.
    pub async fn rotate(&self) -> Result<(), KeysError> {
        let _alone = self.0.reading.lock().await;
        let mut ring = self.read(Closed::LeftOut).await?;
        if ring.has_closed() {
            // While the secret is being changed on one instance after the other, that is so for a while.
            tracing::warn!("another instance has signing keys that server.secret_key does not open here");
        }
        let now = self.0.clock.now();
        if let Some(due) = ring.due(now) {
            self.make(&due).await?;
            ring = self.read(Closed::LeftOut).await?;
        }
        if let Some(needed) = ring.needed_from(now) {
            let removed = self.0.store.signing_keys().remove_before(needed).await?;
            tracing::info!(removed, "removed signing keys whose tokens have expired");
            self.read(Closed::LeftOut).await?;
        }
        Ok(())
    }

    /// An access token with these claims: a compact JWS, typed `at+jwt`.
    ///
    /// # Errors
    /// [`KeysError`] when there is no key, or the claims are not JSON.
    pub async fn sign(&self, claims: &impl serde::Serialize) -> Result<String, KeysError> {
        let claims = serde_json::to_vec(claims).map_err(|_| KeysError::Failed)?;
        let ring = self.ring().await?;
        let (key, _) = ring.signing(self.0.clock.now()).ok_or(KeysError::Missing)?;
        key.sign(&claims).ok_or(KeysError::Failed)
    }

    /// The claims of a token that one of the keys has signed, whatever its time says; nothing if none has.
    ///
    /// # Errors
    /// [`KeysError`] when the keys cannot be read.
    pub(super) async fn claims(&self, token: &str) -> Result<Option<Vec<u8>>, KeysError> {
        let Some((id, signed, signature)) = taken_apart(token) else { return Ok(None) };
        let ring = self.ring().await?;
        Ok(ring.key(&id).and_then(|key| key.claims(signed, &signature)))
    }

    /// What verifies the tokens: the JSON Web Key Set of all keys, also of those that do not sign yet or any more.
    ///
    /// # Errors
    /// [`KeysError`] when there is none.
    pub async fn published(&self) -> Result<serde_json::Value, KeysError> {
        Ok(self.ring().await?.published())
    }

    /// How long the key has signed that signs now; nothing before the keys were read.
    pub fn age(&self) -> Option<Duration> {
        let now = self.0.clock.now();
        let (ring, _) = self.remembered();
        let (_, since) = ring.signing(now)?;
        Some(Duration::try_from(now.duration_since(since)).unwrap_or_default())
    }

    /// The keys as they were within the last minute, some of them opened. While the database is away, as they were before.
    async fn ring(&self) -> Result<KeyRing, KeysError> {
        let (ring, is_fresh) = self.remembered();
        if is_fresh {
            return Ok(ring);
        }
        let _alone = match self.0.reading.try_lock() {
            Ok(alone) => alone,
            // Somebody is reading.
            Err(_) if !ring.is_empty() => return Ok(ring),
            Err(_) => self.0.reading.lock().await,
        };
        let (ring, is_fresh) = self.remembered();
        if is_fresh {
            return Ok(ring);
        }
        match self.read(Closed::LeftOut).await {
            // The store has told the log.
            Err(KeysError::Store(_)) if !ring.is_empty() => {
                self.remember(&ring, READ_AGAIN);
                Ok(ring)
            }
            Ok(ring) if ring.is_empty() => Err(KeysError::Missing),
            read => read,
        }
    }

    /// Reads all keys, and remembers them. What the previous secret has sealed is sealed again, once it is known that all
    /// is as it should be.
    async fn read(&self, closed: Closed) -> Result<KeyRing, KeysError> {
        let (known, _) = self.remembered();
        let (mut keys, mut resealed) = (Vec::new(), Vec::new());
        for row in self.0.store.signing_keys().list().await? {
            // Opened once, a key stays open: somebody else may have sealed it under a secret that is not known here yet.
            let key = match known.key(&row.id) {
                Some(key) => Some(Arc::clone(key)),
                None => self.open(&row).map(|(key, again)| {
                    resealed.extend(again.map(|again| (row.id.clone(), row.private, again)));
                    Arc::new(key)
                }),
            };
            keys.push(Held { sequence: row.sequence, id: row.id, signs_from: row.signs_from, key });
        }
        let ring = KeyRing::new(keys);
        let is_wrong = match closed {
            Closed::Refused => ring.has_closed(),
            Closed::LeftOut => !ring.is_empty() && ring.signing(self.0.clock.now()).is_none(),
        };
        if is_wrong {
            return Err(KeysError::WrongSecret);
        }
        for (id, old, new) in resealed {
            if self.0.store.signing_keys().reseal(&id, &old, &new).await? {
                tracing::info!(kid = id, "a signing key was sealed again under the new server.secret_key");
            }
        }
        self.remember(&ring, REMEMBERED);
        Ok(ring)
    }

    /// The key of a row; and, if the previous secret has sealed it, its private part sealed again.
    fn open(&self, row: &KeptSigningKey) -> Option<(SigningKey, Option<String>)> {
        let context = row.id.as_bytes();
        let read = |private: &[u8]| SigningKey::read(private).filter(|key| key.id() == row.id);
        if let Some(private) = self.0.seal.open(context, &row.private) {
            return Some((read(&private)?, None));
        }
        let private = self.0.previous.as_ref()?.open(context, &row.private)?;
        Some((read(&private)?, Some(self.0.seal.close(context, &private)?)))
    }

    /// Makes a key, unless somebody else was first.
    async fn make(&self, due: &Due) -> Result<(), KeysError> {
        let (key, private) = SigningKey::make().ok_or(KeysError::Failed)?;
        let sealed = self.0.seal.close(key.id().as_bytes(), private.as_ref());
        let kept = KeptSigningKey {
            sequence: due.sequence,
            id: key.id().to_owned(),
            public: key.public().to_string(),
            private: sealed.ok_or(KeysError::Failed)?,
            created_at: self.0.clock.now(),
            signs_from: due.signs_from,
        };
        if self.0.store.signing_keys().insert(&kept).await? {
            tracing::info!(kid = kept.id, signs_from = written(kept.signs_from), "a signing key was made");
        }
        Ok(())
    }

    /// What is remembered, and whether that is fresh.
    fn remembered(&self) -> (KeyRing, bool) {
        let memory = self.0.memory.lock().unwrap_or_else(PoisonError::into_inner);
        (memory.ring.clone(), !memory.ring.is_empty() && self.0.clock.elapsed() < memory.fresh_until)
    }

    fn remember(&self, ring: &KeyRing, time: Duration) {
        let fresh_until = self.0.clock.elapsed().saturating_add(time);
        *self.0.memory.lock().unwrap_or_else(PoisonError::into_inner) = Memory { ring: ring.clone(), fresh_until };
    }
}

/// What becomes of keys that cannot be opened.
enum Closed {
    /// They are an error: at the start the secret must fit.
    Refused,
    /// They are not used, as long as there are others.
    LeftOut,
}
