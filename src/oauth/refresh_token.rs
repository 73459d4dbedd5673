//! Refresh tokens: each names its grant and its place in the chain of those that replaced each other, and carries a proof
//! that it was made here, so that an old one is known for what it is without being kept, and nobody can make one up.

use super::seal::Seal;
use crate::model::{SecretKey, hex, random_bytes, sha256_hex};
use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;

/// With what every one begins.
const PREFIX: &str = "grr_";
const ID_BYTES: usize = 16;
const PLACE_BYTES: usize = 4;
const SECRET_BYTES: usize = 32;
const PROOF_BYTES: usize = 16;
const CONTEXT: &[u8] = b"the next refresh token";

/// A refresh token.
#[derive(Debug)]
pub(super) struct RefreshToken {
    /// Of its grant.
    pub(super) grant_id: String,
    /// Its place in the chain, from 1.
    pub(super) generation: i64,
    text: SecretString,
}

/// Makes refresh tokens, and knows those that were made here.
pub(super) struct RefreshTokens {
    /// The first proves new ones; those that another has proved, from before the secret was changed, are known too.
    keys: Vec<hmac::Key>,
}

impl RefreshTokens {
    /// Under this secret, and the one from before its last change.
    pub(super) fn new(secret: &SecretKey, previous: Option<&SecretKey>) -> Self {
        let key = |secret: &SecretKey| {
            hmac::Key::new(hmac::HMAC_SHA256, secret.derive("refresh tokens").expose_secret().as_slice())
        };
        Self { keys: [secret].into_iter().chain(previous).map(key).collect() }
    }

    /// A new one in this place. Nothing beyond the fourth billion.
    pub(super) fn random(&self, grant_id: &str, generation: i64) -> Option<RefreshToken> {
        let id = u128::from_str_radix(grant_id, 16).ok()?.to_be_bytes();
        let place = u32::try_from(generation).ok()?.to_be_bytes();
        let proved = [id.as_slice(), &place, &random_bytes::<SECRET_BYTES>()].concat();
        let proof = hmac::sign(self.keys.first()?, &proved);
        let bytes = [proved.as_slice(), proof.as_ref().get(..PROOF_BYTES)?].concat();
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)).into();
        Some(RefreshToken { grant_id: grant_id.to_owned(), generation, text })
    }

    /// What a client sends, if it is one that was made here.
    pub(super) fn parse(&self, text: &str) -> Option<RefreshToken> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (proved, proof) = bytes.split_at_checked(ID_BYTES + PLACE_BYTES + SECRET_BYTES)?;
        let has_proved = |key: &hmac::Key| {
            let made = hmac::sign(key, proved);
            made.as_ref().get(..PROOF_BYTES).is_some_and(|made| verify_slices_are_equal(made, proof).is_ok())
        };
        if !self.keys.iter().any(has_proved) {
            return None;
        }
        let (id, rest) = proved.split_at_checked(ID_BYTES)?;
        let place: [u8; PLACE_BYTES] = rest.get(..PLACE_BYTES)?.try_into().ok()?;
        let generation = i64::from(u32::from_be_bytes(place));
        Some(RefreshToken { grant_id: hex(id), generation, text: text.into() })
    }

    /// The one that replaced `token`, as it was sealed.
    pub(super) fn open(&self, token: &RefreshToken, sealed: &str) -> Option<RefreshToken> {
        self.parse(std::str::from_utf8(&token.key().open(CONTEXT, sealed)?).ok()?)
    }
}

impl fmt::Debug for RefreshTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RefreshTokens").finish_non_exhaustive()
    }
}

impl RefreshToken {
    /// What is kept of it.
    pub(super) fn hash(&self) -> String {
        sha256_hex(self.text.expose_secret())
    }

    pub(super) fn text(&self) -> &SecretString {
        &self.text
    }

    /// The one that replaces it, sealed so that only who has this one finds it again.
    pub(super) fn seal(&self, successor: &Self) -> Option<String> {
        self.key().close(CONTEXT, successor.text.expose_secret().as_bytes())
    }

    fn key(&self) -> Seal {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.text.expose_secret().as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hmac::sign(&key, CONTEXT).as_ref());
        Seal::new(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_grant_and_its_place_and_opens_its_successor() {
        let (secret, id) = (SecretKey::random(), hex(&[7; 16]));
        let tokens = RefreshTokens::new(&secret, None);
        let (first, second) = (tokens.random(&id, 1).expect("one"), tokens.random(&id, 2).expect("two"));
        let read = tokens.parse(second.text.expose_secret()).expect("a token");
        assert_eq!((read.grant_id.as_str(), read.generation, read.hash()), (id.as_str(), 2, second.hash()));
        let sealed = first.seal(&second).expect("sealed");
        assert_eq!(tokens.open(&first, &sealed).map(|token| token.hash()), Some(second.hash()));
        assert!(tokens.open(&second, &sealed).is_none() && tokens.random(&id, 1 << 33).is_none());
    }

    #[test]
    fn nobody_makes_one_up() {
        let (secret, id) = (SecretKey::random(), hex(&[7; 16]));
        let tokens = RefreshTokens::new(&secret, None);
        let text = tokens.random(&id, 2).expect("a token").text.expose_secret().to_owned();
        let another = RefreshTokens::new(&SecretKey::random(), None).random(&id, 2).expect("a token");
        for bad in ["", "grr_", "grr_AAAA", "x", &text[..60], &format!("{text}A"), another.text.expose_secret()] {
            assert!(tokens.parse(bad).is_none(), "{bad}");
        }
        for position in PREFIX.len()..text.len() {
            let mut letters: Vec<char> = text.chars().collect();
            letters[position] = if letters[position] == 'A' { 'B' } else { 'A' };
            assert!(tokens.parse(&letters.into_iter().collect::<String>()).is_none(), "{position}");
        }
        let changed = RefreshTokens::new(&SecretKey::random(), Some(&secret));
        assert!(changed.parse(&text).is_some(), "the secret was changed");
    }
}
