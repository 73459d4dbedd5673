//! People: how they sign in, how long they stay so, and how they are let in the first time.

use super::passwords::{self, BadPassword, Busy, Passwords};
use crate::{
    clock::Clock,
    model::{Invalid, PersonName, random_secret, sha256_hex},
    store::{Identity, Introduced, Invitation, KeptPerson, Person, Proof, SessionCutoff, SetUp, Store, StoreError},
};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

/// Whoever does not come for so long is signed out.
const LONGEST_IDLE: SignedDuration = SignedDuration::from_hours(12);
/// And so is everybody after that long.
const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A visit is written down if the one before is so long ago.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// How long a link is good.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// How many names are tried for somebody new.
const MOST_NAMES: usize = 8;

const SESSION_PREFIX: &str = "grw_";
const LINK_PREFIX: &str = "grl_";

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Which of the two is not told.
    #[error("The name or the password is wrong.")]
    WrongNameOrPassword,
    /// Nobody can have such a password.
    #[error("A password has at most 1024 bytes and no NUL.")]
    BadPassword,
    /// Too many sign in at the same moment.
    #[error("Many people sign in at this moment. Try again in a few seconds.")]
    Busy,
    /// Nobody can be looked up.
    #[error("The database of this server cannot be used at this moment. Try again in a few seconds.")]
    Store(#[from] StoreError),
}

/// Why a link did not do what it is for.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The name cannot be one.
    #[error("Choose another name: {0}.")]
    BadName(Invalid),
    /// The password cannot be one.
    #[error("{0}")]
    BadPassword(BadPassword),
    /// Somebody with this name was made known at the same moment.
    #[error("There is somebody with this name already: choose another.")]
    NameTaken,
    /// The link was used, replaced, or never there, or its time is over.
    #[error("This link cannot be used, or not any more: ask the operator of this server for another.")]
    LinkSpent,
    /// Too many sign in at the same moment.
    #[error("Many people sign in at this moment. Try again in a few seconds.")]
    Busy,
    /// Nothing can be written.
    #[error("The database of this server cannot be used at this moment. Try again in a few seconds.")]
    Store(#[from] StoreError),
}

impl From<Busy> for SignInError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

impl From<Busy> for SetUpError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// Somebody has just signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// What the browser shows from now on.
    pub token: SecretString,
    /// Who it is.
    pub person: Person,
}

/// Those who sign in here. Clones share the turns for hashing.
#[derive(Debug, Clone)]
pub struct People {
    store: Store,
    clock: Clock,
    passwords: Passwords,
}

/// From when on a session is over.
pub fn session_cutoff(now: Timestamp) -> SessionCutoff {
    let before = |time| now.checked_sub(time).unwrap_or(Timestamp::MIN);
    SessionCutoff { seen: before(LONGEST_IDLE), created: before(LONGEST_SESSION) }
}

impl People {
    /// Those of this database.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, passwords: Passwords::new() }
    }

    /// Begins a session. A name that nobody has takes as long as a wrong password.
    ///
    /// # Errors
    /// [`SignInError`] when nobody is signed in.
    pub async fn sign_in(&self, name: &str, password: &str) -> Result<SignedIn, SignInError> {
        if !passwords::could_be_one(password) {
            return Err(SignInError::BadPassword);
        }
        let kept = match PersonName::parse(name) {
            Ok(name) => self.store.people().find_by_name(&name).await?,
            Err(_) => None,
        };
        let hash = kept.as_ref().and_then(|kept| kept.password_hash.as_ref());
        let is_right = self.passwords.verify(password, hash).await?;
        match (kept, is_right) {
            (Some(KeptPerson { person, password_hash: Some(hash), .. }), true) => {
                self.begin(person, Proof::Password(&hash)).await?.ok_or(SignInError::WrongNameOrPassword)
            }
            _ => Err(SignInError::WrongNameOrPassword),
        }
    }

    /// Begins a session of the person with this account. Who has not been here before is made known, by this name or, where
    /// somebody has it, by one like it: an account opens nothing of a person by the same name.
    ///
    /// # Errors
    /// [`SignInError`] when nobody is signed in.
    pub async fn sign_in_by(&self, account: &Identity, name: &PersonName) -> Result<SignedIn, SignInError> {
        let mut name = name.clone();
        for _ in 0..MOST_NAMES {
            if let Some(person) = self.store.identities().find(account).await? {
                // Nothing if they were removed since: then they come as somebody new.
                if let Some(signed_in) = self.begin(person, Proof::Account(account)).await? {
                    return Ok(signed_in);
                }
            }
            let newcomer = self.newcomer(name.clone(), None);
            if self.store.identities().introduce(account, &newcomer).await? == Introduced::NameTaken {
                name = name.apart();
            }
        }
        Err(SignInError::Busy)
    }

    /// Who is signed in with this token, if anybody is.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn session(&self, token: &str) -> Result<Option<Person>, StoreError> {
        let (hash, now) = (sha256_hex(token), self.clock.now());
        let Some(session) = self.store.sessions().find(&hash, session_cutoff(now)).await? else { return Ok(None) };
        if now.duration_since(session.seen_at) >= TOUCH_EVERY {
            // A visit that is not written down is no reason to turn the visitor away; the store has told its operator.
            let _ = self.store.sessions().touch(&hash, now).await;
        }
        Ok(Some(session.person))
    }

    /// Ends the session with this token, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] when it may not have ended.
    pub async fn sign_out(&self, token: &str) -> Result<(), StoreError> {
        self.store.sessions().remove(&sha256_hex(token)).await
    }

    /// For whom a link is, if it can be used.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn invited(&self, link: &str) -> Result<Option<Invitation>, StoreError> {
        self.store.setup_links().find(&sha256_hex(link), self.clock.now()).await
    }

    /// Uses a link: the person gets this password and is signed in. The first of all gets the name too; others have one.
    ///
    /// # Errors
    /// [`SetUpError`] says what to choose otherwise, or that the link is of no use.
    pub async fn set_up(&self, link: &str, name: Option<&str>, password: &str) -> Result<SignedIn, SetUpError> {
        // Before anything is hashed: that is for those who are invited.
        match self.invited(link).await?.ok_or(SetUpError::LinkSpent)? {
            Invitation::First => {
                let name = PersonName::parse(name.unwrap_or_default()).map_err(SetUpError::BadName)?;
                self.set_up_first(link, name, password).await
            }
            Invitation::Known(person) => {
                let hash = self.hash(&person.name, password).await?;
                let (links, now) = (self.store.setup_links(), self.clock.now());
                if !links.use_known(&sha256_hex(link), &person.id, &hash, now).await? {
                    return Err(SetUpError::LinkSpent);
                }
                self.begin(person, Proof::Password(&hash)).await?.ok_or(SetUpError::LinkSpent)
            }
        }
    }

    async fn set_up_first(&self, link: &str, name: PersonName, password: &str) -> Result<SignedIn, SetUpError> {
        let hash = self.hash(&name, password).await?;
        let first = self.newcomer(name, Some(hash.clone()));
        match self.store.setup_links().use_first(&sha256_hex(link), &first, self.clock.now()).await? {
            SetUp::Done => self.begin(first.person, Proof::Password(&hash)).await?.ok_or(SetUpError::LinkSpent),
            SetUp::Spent => Err(SetUpError::LinkSpent),
            SetUp::NameTaken => Err(SetUpError::NameTaken),
        }
    }

    /// A link for the first person of all, good for a day and once, in place of the one before; nothing if there is
    /// somebody.
    ///
    /// # Errors
    /// [`StoreError`] when it was not kept.
    pub async fn first_link(&self) -> Result<Option<SecretString>, StoreError> {
        let (link, hash, until) = self.new_link();
        let is_kept = self.store.setup_links().insert_first(&hash, until).await?;
        Ok(is_kept.then_some(link))
    }

    /// The same for a person; nothing if there is no such person any more.
    ///
    /// # Errors
    /// [`StoreError`] when it was not kept.
    pub async fn link_for(&self, person: &Person) -> Result<Option<SecretString>, StoreError> {
        let (link, hash, until) = self.new_link();
        let is_kept = self.store.setup_links().insert_for(&person.id, &hash, until).await?;
        Ok(is_kept.then_some(link))
    }

    /// Makes a person known, with this password or without one.
    ///
    /// # Errors
    /// [`SetUpError`] says what to choose otherwise.
    pub async fn add(&self, name: PersonName, password: Option<&str>) -> Result<Person, SetUpError> {
        let password_hash = match password {
            Some(password) => Some(self.hash(&name, password).await?),
            None => None,
        };
        let kept = self.newcomer(name, password_hash);
        let is_new = self.store.people().insert(&kept).await?;
        is_new.then_some(kept.person).ok_or(SetUpError::NameTaken)
    }

    /// How many passwords were hashed or checked: whoever tries to sign in costs one.
    pub fn passwords_hashed(&self) -> u64 {
        self.passwords.hashed()
    }

    fn newcomer(&self, name: PersonName, password_hash: Option<SecretString>) -> KeptPerson {
        let person = Person { id: Uuid::new_v4().to_string(), name };
        KeptPerson { person, password_hash, created_at: self.clock.now() }
    }

    async fn hash(&self, name: &PersonName, password: &str) -> Result<SecretString, SetUpError> {
        passwords::check(password, name).map_err(SetUpError::BadPassword)?;
        Ok(self.passwords.hash(password).await?)
    }

    /// A session of its own, whatever the browser showed before; nothing if that by which it begins does not hold any more.
    async fn begin(&self, person: Person, proof: Proof<'_>) -> Result<Option<SignedIn>, StoreError> {
        let token = random_secret(SESSION_PREFIX);
        let kept = sha256_hex(token.expose_secret());
        let is_kept = self.store.sessions().insert(&kept, &person.id, proof, self.clock.now()).await?;
        Ok(is_kept.then_some(SignedIn { token, person }))
    }

    /// A link, its hash, and how long it is good.
    fn new_link(&self) -> (SecretString, String, Timestamp) {
        let link = random_secret(LINK_PREFIX);
        let hash = sha256_hex(link.expose_secret());
        (link, hash, self.clock.now().checked_add(LINK_LIFETIME).unwrap_or(Timestamp::MAX))
    }
}
