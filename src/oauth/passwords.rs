//! Passwords: what may be one, and the slow hash that is kept of it. Each hash takes 19 MiB for a while, so that a few are
//! made at once and a few more wait; whoever comes then is told to come again.

use crate::model::{PersonName, random_bytes};
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::{
        Error,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Span;
use unicode_normalization::UnicodeNormalization as _;

/// What each hash costs: the first of the two settings that OWASP recommends for argon2id.
const MEMORY_KIB: u32 = 19 * 1_024;
const ROUNDS: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;
/// So many are made at the same time: 76 MiB together.
const AT_ONCE: usize = 4;
/// So many more wait for their turn.
const WAITING: usize = 64;

const FEWEST_CHARACTERS: usize = 12;
const MOST_BYTES: usize = 1_024;

/// This cannot be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// Whoever tries many finds it.
    #[error("Choose a longer password: it must have at least {FEWEST_CHARACTERS} characters.")]
    TooShort,
    /// Nobody types that.
    #[error("Choose a shorter password: it may have at most {MOST_BYTES} bytes.")]
    TooLong,
    /// It cannot be typed everywhere.
    #[error("Choose a password without control characters such as line breaks.")]
    Control,
    /// Everybody can guess it.
    #[error("Choose a password other than the name.")]
    IsName,
}

/// So many wait for their turn that nobody else can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Busy;

/// Makes and checks hashes. Clones share the turns.
#[derive(Debug, Clone)]
pub(super) struct Passwords(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    turns: Arc<Semaphore>,
    queue: Semaphore,
    hashed: AtomicU64,
}

impl Passwords {
    pub(super) fn new() -> Self {
        let (turns, queue) = (Arc::new(Semaphore::new(AT_ONCE)), Semaphore::new(WAITING));
        Self(Arc::new(Parts { turns, queue, hashed: AtomicU64::new(0) }))
    }

    /// The hash to keep, in the PHC form.
    pub(super) async fn hash(&self, password: &str) -> Result<SecretString, Busy> {
        let made = self.work(password, |argon2, password| {
            let hash: PasswordHash = argon2.hash_password_with_salt(password, &random_bytes::<SALT_BYTES>())?;
            Ok(SecretString::from(hash.to_string()))
        });
        made.await?.map_err(out_of_memory)
    }

    /// Whether the hash is of this password. Where there is none, that is found out with the same work, and is no.
    pub(super) async fn verify(&self, password: &str, kept: Option<&SecretString>) -> Result<bool, Busy> {
        let kept = kept.and_then(readable).or_else(of_nothing);
        let verified = self.work(password, move |argon2, password| {
            let hash = kept.ok_or(Error::Internal)?;
            argon2.verify_password(password, &hash)
        });
        match verified.await? {
            Ok(()) => Ok(true),
            Err(Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(out_of_memory(error)),
        }
    }

    /// How many were made or checked.
    pub(super) fn hashed(&self) -> u64 {
        self.0.hashed.load(Ordering::Relaxed)
    }

    /// Works on a thread that may be blocked, when there is a turn.
    async fn work<T: Send + 'static>(
        &self,
        password: &str,
        work: impl FnOnce(&Argon2<'_>, &[u8]) -> Result<T, Error> + Send + 'static,
    ) -> Result<Result<T, Error>, Busy> {
        let turn = self.turn().await?;
        self.0.hashed.fetch_add(1, Ordering::Relaxed);
        let (password, span) = (SecretString::from(normalized(password)), Span::current());
        let done = tokio::task::spawn_blocking(move || {
            // Held here: whoever asked may go away, and the memory is in use all the same.
            let _turn = turn;
            span.in_scope(|| work(&argon2(), password.expose_secret().as_bytes()))
        });
        done.await.map_err(|error| {
            tracing::error!(%error, "the hashing of a password broke off");
            Busy
        })
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Busy> {
        let turns = Arc::clone(&self.0.turns);
        if let Ok(turn) = Arc::clone(&turns).try_acquire_owned() {
            return Ok(turn);
        }
        let _place = self.0.queue.try_acquire().map_err(|_| Busy)?;
        turns.acquire_owned().await.map_err(|_| Busy)
    }
}

/// Whether somebody may choose this.
pub(super) fn check(password: &str, name: &PersonName) -> Result<(), BadPassword> {
    if password.len() > MOST_BYTES {
        return Err(BadPassword::TooLong);
    }
    let password = normalized(password);
    if password.chars().any(char::is_control) {
        return Err(BadPassword::Control);
    }
    if password.chars().count() < FEWEST_CHARACTERS {
        return Err(BadPassword::TooShort);
    }
    if password.to_lowercase() == name.as_str() {
        return Err(BadPassword::IsName);
    }
    Ok(())
}

/// Whether it is worth a look: what could never have been chosen costs nothing.
pub(super) fn could_be_one(password: &str) -> bool {
    password.len() <= MOST_BYTES && !password.contains('\0')
}

/// The form that all keyboards agree on.
fn normalized(password: &str) -> String {
    password.nfkc().collect()
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params())
}

/// The values are in the range of the algorithm; were they not, the crate's are good too.
fn params() -> Params {
    Params::new(MEMORY_KIB, ROUNDS, LANES, Some(HASH_BYTES)).unwrap_or_default()
}

fn readable(hash: &SecretString) -> Option<PasswordHash> {
    let read = PasswordHash::new(hash.expose_secret());
    if read.is_err() {
        tracing::error!("the hash of a password cannot be read: `user reset` lets the person choose another");
    }
    read.ok()
}

/// What looks like a hash with the costs of today, and is that of no password.
fn of_nothing() -> Option<PasswordHash> {
    Some(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params()).ok()?,
        salt: Some(Salt::new(&random_bytes::<SALT_BYTES>()).ok()?),
        hash: Some(Output::new(&random_bytes::<HASH_BYTES>()).ok()?),
    })
}

/// There is no other error that these costs and lengths can have.
fn out_of_memory(error: Error) -> Busy {
    tracing::error!(cause = %error, "a password could not be hashed");
    Busy
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use std::{future::Future, pin::pin, task::Poll};

    const PASSWORD: &str = "correct horse battery staple";

    fn name(text: &str) -> PersonName {
        PersonName::parse(text).expect("a name")
    }

    #[test]
    fn what_may_be_a_password() {
        let ada = name("ada.lovelace@example.org");
        let (longest, too_long) = ("x".repeat(1_024), "é".repeat(513));
        for good in [PASSWORD, "zwölf Zeiche", &longest, "パスワードはひみつだよねえ", "ﷺ"] {
            assert_eq!(check(good, &ada), Ok(()), "{good}");
            assert!(could_be_one(good));
        }
        for (bad, why) in [
            ("", BadPassword::TooShort),
            ("11 letters.", BadPassword::TooShort),
            // Eleven for whoever reads them, however many code points a keyboard sends.
            ("éééééééééee\u{301}", BadPassword::TooShort),
            (&too_long, BadPassword::TooLong),
            ("correct horse\nbattery staple", BadPassword::Control),
            ("correct horse\u{0}battery staple", BadPassword::Control),
            ("correct horse\u{85}battery staple", BadPassword::Control),
            ("Ada.Lovelace@example.org", BadPassword::IsName),
            ("ａｄａ.ｌｏｖｅｌａｃｅ@example.org", BadPassword::IsName),
        ] {
            assert_eq!(check(bad, &ada), Err(why), "{bad:?}");
        }
        assert!(!could_be_one(&"x".repeat(1_000_000)) && !could_be_one("a\0") && could_be_one("short\n"));
    }

    #[tokio::test]
    async fn a_hash_has_the_costs_of_today_and_those_of_yesterday_are_good_too() {
        let passwords = Passwords::new();
        let hash = passwords.hash(PASSWORD).await.expect("a turn");
        let text = hash.expose_secret();
        assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && !text.contains("horse"), "{text}");
        assert_ne!(text, passwords.hash(PASSWORD).await.expect("a turn").expose_secret(), "the salt is random");
        assert_eq!(passwords.verify(PASSWORD, Some(&hash)).await, Ok(true));
        assert_eq!(passwords.verify("Correct horse battery staple", Some(&hash)).await, Ok(false));
        assert_eq!(passwords.verify(&format!("{PASSWORD} "), Some(&hash)).await, Ok(false));

        let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(1_024, 1, 1, None).expect("costs"));
        let old: PasswordHash = cheap.hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16]).expect("a hash");
        let old = SecretString::from(old.to_string());
        assert_eq!(passwords.verify(PASSWORD, Some(&old)).await, Ok(true));
        assert_eq!(passwords.verify("another password", Some(&old)).await, Ok(false));
    }

    #[tokio::test]
    async fn the_same_password_from_another_keyboard_is_the_same() {
        let passwords = Passwords::new();
        let hash = passwords.hash("Zürich Å ﬁnanz 12").await.expect("a turn");
        assert_eq!(passwords.verify("Zu\u{308}rich \u{212b} finanz １２", Some(&hash)).await, Ok(true));
        assert_eq!(passwords.verify("Zurich A finanz 12", Some(&hash)).await, Ok(false));
    }

    #[tokio::test]
    async fn without_a_hash_the_work_is_the_same_and_the_answer_no() {
        let passwords = Passwords::new();
        assert_eq!(
            of_nothing().map(|hash| hash.params),
            readable(&passwords.hash(PASSWORD).await.unwrap()).map(|hash| hash.params)
        );
        let before = passwords.hashed();
        let unreadable = SecretString::from("$argon2id$nonsense");
        for kept in [None, Some(&unreadable)] {
            assert_eq!(passwords.verify(PASSWORD, kept).await, Ok(false));
        }
        assert_eq!(passwords.hashed() - before, 2);
    }

    /// Four at once, sixty-four in the queue, and nobody behind them; those who go away make room.
    #[tokio::test]
    async fn so_many_wait_and_no_more() {
        let passwords = Passwords::new();
        let held = Arc::clone(&passwords.0.turns).acquire_many_owned(4).await.expect("turns");
        assert_eq!(passwords.0.turns.available_permits(), 0, "there are four turns");
        let mut waiting: Vec<_> = (0..64).map(|_| Box::pin(passwords.verify(PASSWORD, None))).collect();
        for one in &mut waiting {
            assert!(is_pending(one).await);
        }
        assert_eq!(passwords.verify(PASSWORD, None).await, Err(Busy));
        drop(waiting.pop());
        let mut another = pin!(passwords.verify(PASSWORD, None));
        assert!(is_pending(&mut another).await, "there is room again");
        waiting.truncate(8);
        drop(held);
        assert!(join_all(waiting).await.into_iter().all(|outcome| outcome == Ok(false)));
        assert_eq!(another.await, Ok(false));
    }

    async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
        std::future::poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending())).await
    }
}
