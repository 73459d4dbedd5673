//! Refresh tokens: each names its grant and its place in the chain of those that replaced each other, so that an old one is
//! known for what it is without being kept.

use super::seal::Seal;
use crate::model::{hex, random_bytes, sha256_hex};
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};

/// With what every one begins.
pub(super) const PREFIX: &str = "grr_";
const ID_BYTES: usize = 16;
const GENERATION_BYTES: usize = 4;
const SECRET_BYTES: usize = 32;
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

impl RefreshToken {
    /// A new one in this place. Nothing beyond the fourth billion.
    pub(super) fn random(grant_id: &str, generation: i64) -> Option<Self> {
        let id = u128::from_str_radix(grant_id, 16).ok()?.to_be_bytes();
        let place = u32::try_from(generation).ok()?.to_be_bytes();
        let bytes = [id.as_slice(), &place, &random_bytes::<SECRET_BYTES>()].concat();
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)).into();
        Some(Self { grant_id: grant_id.to_owned(), generation, text })
    }

    /// What a client sends, if it has the form of one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (id, rest) = bytes.split_at_checked(ID_BYTES)?;
        let (place, secret) = rest.split_at_checked(GENERATION_BYTES)?;
        let place: [u8; GENERATION_BYTES] = place.try_into().ok()?;
        let generation = i64::from(u32::from_be_bytes(place));
        (secret.len() == SECRET_BYTES).then(|| Self { grant_id: hex(id), generation, text: text.into() })
    }

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

    /// The one that replaced it.
    pub(super) fn open(&self, sealed: &str) -> Option<Self> {
        Self::parse(std::str::from_utf8(&self.key().open(CONTEXT, sealed)?).ok()?)
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
        let id = hex(&[7; 16]);
        let (first, second) = (RefreshToken::random(&id, 1).expect("one"), RefreshToken::random(&id, 2).expect("two"));
        let read = RefreshToken::parse(second.text.expose_secret()).expect("a token");
        assert_eq!((read.grant_id.as_str(), read.generation, read.hash()), (id.as_str(), 2, second.hash()));
        let sealed = first.seal(&second).expect("sealed");
        assert_eq!(first.open(&sealed).map(|token| token.hash()), Some(second.hash()));
        assert!(second.open(&sealed).is_none());
        for bad in [
            "",
            "grr_",
            "grr_AAAA",
            "x",
            &second.text.expose_secret()[..60],
            &format!("{}A", second.text.expose_secret()),
        ] {
            assert!(RefreshToken::parse(bad).is_none(), "{bad}");
        }
        assert!(RefreshToken::random(&id, 1 << 33).is_none());
    }
}
