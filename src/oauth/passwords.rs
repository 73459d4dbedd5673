//! Passwords: what may be one, and the slow hash that is kept of it. Each hash takes 19 MiB for a while, so that a few are
//! made at once and a few more wait; whoever comes then is told to come again.

use crate::model::{PersonName, random_bytes};
use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        Error,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Span;
use unicode_normalization::UnicodeNormalization as _;

/// What each hash costs: the first of the two settings that OWASP recommends for argon2id.
const MEMORY_KIB: u32 = 19 * 1_024;
const ROUNDS: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = Params::DEFAULT_OUTPUT_LEN;
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

struct Parts {
    turns: Arc<Semaphore>,
    queue: Semaphore,
    /// Memory to hash in, as many pieces as were ever in use at once. It is kept, because allocators do not give blocks
    /// of this size back: without this, 64 hashes one after the other took 1.1 GB.
    idle: Mutex<Vec<Vec<Block>>>,
    hashed: AtomicU64,
}

/// How a hash was made.
#[derive(Debug)]
struct Recipe {
    argon2: Argon2<'static>,
    salt: Salt,
}

impl Passwords {
    pub(super) fn new() -> Self {
        let (turns, queue) = (Arc::new(Semaphore::new(AT_ONCE)), Semaphore::new(WAITING));
        Self(Arc::new(Parts { turns, queue, idle: Mutex::default(), hashed: AtomicU64::new(0) }))
    }

    /// The hash to keep, in the PHC form.
    pub(super) async fn hash(&self, password: &str) -> Result<SecretString, Busy> {
        let recipe = Recipe::of_today().map_err(broken)?;
        let hash = self.work(password, move |password, memory| {
            let output = recipe.output(password, HASH_BYTES, memory)?;
            recipe.written(output)
        });
        Ok(hash.await?.to_string().into())
    }

    /// Whether the hash is of this password. Where there is none, that is found out with the same work, and is no.
    pub(super) async fn verify(&self, password: &str, kept: Option<&SecretString>) -> Result<bool, Busy> {
        let (recipe, expected) = match kept.and_then(readable) {
            Some(kept) => kept,
            None => of_nothing().map_err(broken)?,
        };
        self.work(password, move |password, memory| {
            // Their comparison takes the same time wherever the first difference is.
            recipe.output(password, expected.len(), memory).map(|output| output == expected)
        })
        .await
    }

    /// How many were made or checked.
    pub(super) fn hashed(&self) -> u64 {
        self.0.hashed.load(Ordering::Relaxed)
    }

    /// Works on a thread that may be blocked, when there is a turn.
    async fn work<T: Send + 'static>(
        &self,
        password: &str,
        work: impl FnOnce(&[u8], &mut Vec<Block>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Busy> {
        let turn = self.turn().await?;
        self.0.hashed.fetch_add(1, Ordering::Relaxed);
        let (password, span, parts) = (SecretString::from(normalized(password)), Span::current(), Arc::clone(&self.0));
        let done = tokio::task::spawn_blocking(move || {
            let _entered = span.enter();
            let mut memory = parts.idle().pop().unwrap_or_default();
            let done = work(password.expose_secret().as_bytes(), &mut memory);
            parts.idle().push(memory);
            // Held until here: whoever asked may go away, and the memory is in use all the same.
            drop(turn);
            done
        });
        done.await.map_err(broken)?.map_err(broken)
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

impl Parts {
    fn idle(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Passwords").field("turns", &self.turns).finish_non_exhaustive()
    }
}

impl Recipe {
    /// With the costs of today and a salt of its own.
    fn of_today() -> Result<Self, Error> {
        let params = Params::new(MEMORY_KIB, ROUNDS, LANES, Some(HASH_BYTES))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self { argon2, salt: Salt::new(&random_bytes::<SALT_BYTES>())? })
    }

    fn output(&self, password: &[u8], length: usize, memory: &mut Vec<Block>) -> Result<Output, Error> {
        memory.resize(self.argon2.params().block_count(), Block::new());
        let mut output = vec![0; length];
        self.argon2.hash_password_into_with_memory(password, &self.salt, &mut output, memory)?;
        Ok(Output::new(&output)?)
    }

    /// The hash of today's costs in the form in which it is kept.
    fn written(&self, output: Output) -> Result<PasswordHash, Error> {
        Ok(PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(self.argon2.params())?,
            salt: Some(self.salt),
            hash: Some(output),
        })
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

/// How a kept hash was made, and what came of it.
fn readable(hash: &SecretString) -> Option<(Recipe, Output)> {
    let read = read(hash.expose_secret());
    if read.is_none() {
        tracing::error!("the hash of a password cannot be read: `user reset` lets the person choose another");
    }
    read
}

fn read(hash: &str) -> Option<(Recipe, Output)> {
    let hash = PasswordHash::new(hash).ok()?;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash.version.map_or(Ok(Version::V0x10), Version::try_from).ok()?;
    let argon2 = Argon2::new(algorithm, version, Params::try_from(&hash).ok()?);
    Some((Recipe { argon2, salt: hash.salt? }, hash.hash?))
}

/// What looks like a hash with the costs of today, and is that of no password.
fn of_nothing() -> Result<(Recipe, Output), Error> {
    Ok((Recipe::of_today()?, Output::new(&random_bytes::<HASH_BYTES>())?))
}

/// Costs and lengths are in the range of the algorithm, so this does not happen; were it otherwise, nobody gets in.
fn broken(error: impl fmt::Display) -> Busy {
    tracing::error!(cause = %error, "a password could not be hashed");
    Busy
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::{PasswordHasher as _, PasswordVerifier as _};
    use futures_util::{FutureExt as _, future::join_all};
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

        for (memory, rounds, lanes) in [(1_024, 1, 1), (24 * 1_024, 3, 2)] {
            let costs = Params::new(memory, rounds, lanes, Some(24)).expect("costs");
            let other = Argon2::new(Algorithm::Argon2id, Version::V0x13, costs);
            let other: PasswordHash = other.hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16]).expect("a hash");
            let other = SecretString::from(other.to_string());
            assert_eq!(passwords.verify(PASSWORD, Some(&other)).await, Ok(true));
            assert_eq!(passwords.verify("another password", Some(&other)).await, Ok(false));
            assert_eq!(passwords.verify(PASSWORD, Some(&hash)).await, Ok(true));
        }
    }

    /// What others made of the same values is the same.
    #[tokio::test]
    async fn the_hash_is_that_of_the_crate_itself() {
        let hash = Passwords::new().hash(PASSWORD).await.expect("a turn");
        let hash = PasswordHash::new(hash.expose_secret()).expect("the PHC form");
        assert!(Argon2::default().verify_password(PASSWORD.as_bytes(), &hash).is_ok());
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
        let (real, none) = (readable(&passwords.hash(PASSWORD).await.expect("a turn")), of_nothing());
        let costs = |(recipe, output): &(Recipe, Output)| (recipe.argon2.params().clone(), output.len());
        assert_eq!(real.as_ref().map(costs), none.as_ref().ok().map(costs));
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
        assert_eq!(passwords.verify(PASSWORD, None).now_or_never(), Some(Err(Busy)));
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
