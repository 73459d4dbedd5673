//! `SecretKey`: the one secret of an installation, from which every key derives, each for one purpose.

use super::{Invalid, hex, random_bytes};
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretBox};
use std::{collections::BTreeSet, sync::Arc};

const BYTES: usize = 32;
/// So many of the bytes differ from each other in a key that chance has made: fewer do in one of 10^16.
const DIFFERENT_BYTES: usize = 16;

/// 32 bytes that only this installation knows. Never shown.
#[derive(Debug, Clone)]
pub struct SecretKey(Arc<SecretBox<[u8; BYTES]>>);

impl SecretKey {
    /// A new one.
    ///
    /// # Panics
    /// On a system without random numbers, where no secret can be made.
    pub fn random() -> Self {
        Self(Arc::new(SecretBox::new(Box::new(random_bytes()))))
    }

    /// Reads 64 hexadecimal digits (`openssl rand -hex 32`) or base64 (`openssl rand -base64 32`).
    ///
    /// # Errors
    /// [`Invalid`] for anything else, and for keys that were not made by chance, such as zeros or a repeated word; the text
    /// is not shown.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let bytes = if text.len() == 2 * BYTES { from_hex(text) } else { STANDARD.decode(text).ok() };
        let bytes: Option<[u8; BYTES]> = bytes.and_then(|bytes| bytes.try_into().ok());
        let invalid = |allowed| Invalid { what: "the secret key", allowed };
        let bytes = bytes
            .ok_or(invalid("32 random bytes, as `openssl rand -hex 32` or `openssl rand -base64 32` gives them"))?;
        if follows_a_pattern(&bytes) {
            return Err(invalid(
                "random, which these bytes are not: anybody could guess them; `openssl rand -hex 32` makes a new one",
            ));
        }
        Ok(Self(Arc::new(SecretBox::new(Box::new(bytes)))))
    }

    /// As hexadecimal digits, to be kept in a file.
    pub fn to_hex(&self) -> String {
        hex(self.0.expose_secret())
    }

    /// The key for one purpose; from it, neither this secret nor the key for another purpose can be found.
    pub fn derive(&self, purpose: &str) -> SecretBox<[u8; BYTES]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose_secret());
        let mut derived = [0; BYTES];
        derived.copy_from_slice(hmac::sign(&key, purpose.as_bytes()).as_ref());
        SecretBox::new(Box::new(derived))
    }
}

/// Zeros, a repeated word, or bytes that are counted up: what stands in examples, and what people make up.
fn follows_a_pattern(bytes: &[u8; BYTES]) -> bool {
    let different = bytes.iter().collect::<BTreeSet<_>>().len();
    let steps = bytes.iter().zip(bytes.iter().skip(1)).map(|(one, next)| next.wrapping_sub(*one));
    different < DIFFERENT_BYTES || steps.collect::<BTreeSet<_>>().len() == 1
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    Some(digits?.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_secret_are_read_and_it_is_not_shown() {
        let secret = SecretKey::random();
        let hex = secret.to_hex();
        let again = SecretKey::parse(&hex).expect("hexadecimal");
        let base64 = SecretKey::parse(&STANDARD.encode(secret.0.expose_secret())).expect("base64");
        let derived = |secret: &SecretKey, purpose| *secret.derive(purpose).expose_secret();
        assert_eq!((derived(&again, "a"), derived(&base64, "a")), (derived(&secret, "a"), derived(&secret, "a")));
        assert_ne!(derived(&secret, "a"), derived(&secret, "b"));
        assert!(!format!("{secret:?}").contains(&hex[..8]));
        for bad in ["", "short", &"g".repeat(64), &hex[1..], "AAAA"] {
            assert!(SecretKey::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn life_12_keys_that_chance_has_not_made_are_refused() {
        let counted = hex(&(0..32).collect::<Vec<u8>>());
        let backwards = hex(&(0..32).rev().map(|byte| byte * 3).collect::<Vec<u8>>());
        let words = STANDARD.encode("changemechangemechangemechangeme");
        for weak in ["00".repeat(32), "ff".repeat(32), "deadbeef".repeat(8), counted, backwards, words] {
            let told = SecretKey::parse(&weak).expect_err("weak").to_string();
            assert!(told.contains("anybody could guess") && !told.contains(&weak), "{told}");
        }
        for _ in 0..10_000 {
            assert!(SecretKey::parse(&SecretKey::random().to_hex()).is_ok());
        }
    }
}
