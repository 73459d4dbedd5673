//! Sealing: what leaves this server, or lies in its database, and must come back unread and unchanged. AES-256-GCM with a
//! random nonce; the context says for what a text was sealed, and is not part of it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;

const NONCE_BYTES: usize = 12;

/// A key for sealing.
pub(super) struct Seal(Option<RandomizedNonceKey>);

impl Seal {
    /// With this key.
    pub(super) fn new(key: &[u8; 32]) -> Self {
        // 32 bytes are what this algorithm takes; were it not so, nothing could be sealed or opened.
        Self(RandomizedNonceKey::new(&AES_256_GCM, key).ok())
    }

    /// The sealed text, in letters that go into addresses and forms. Nothing if the machine has no randomness.
    pub(super) fn close(&self, context: &[u8], plain: &[u8]) -> Option<String> {
        let mut sealed = plain.to_vec();
        let nonce = self.0.as_ref()?.seal_in_place_append_tag(Aad::from(context), &mut sealed).ok()?;
        Some(URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &sealed].concat()))
    }

    /// What was sealed for this context with this key; nothing if it was not, or was changed.
    pub(super) fn open(&self, context: &[u8], text: &str) -> Option<Vec<u8>> {
        let mut sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        if sealed.len() < NONCE_BYTES {
            return None;
        }
        let rest = sealed.split_off(NONCE_BYTES);
        let nonce = Nonce::try_assume_unique_for_key(&sealed).ok()?;
        let mut opened = rest;
        let plain = self.0.as_ref()?.open_in_place(nonce, Aad::from(context), &mut opened).ok()?;
        Some(plain.to_vec())
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Seal").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_opened_with_the_same_key_for_the_same_purpose_alone() {
        let (seal, other) = (Seal::new(&[7; 32]), Seal::new(&[8; 32]));
        let text = seal.close(b"request", b"a secret").expect("sealed");
        assert_eq!(seal.open(b"request", &text).as_deref(), Some(b"a secret".as_slice()));
        assert!(!text.contains("secret") && text != seal.close(b"request", b"a secret").expect("sealed"));
        assert_eq!((seal.open(b"login", &text), other.open(b"request", &text)), (None, None));
        for position in 0..text.len() {
            let changed: String = text
                .chars()
                .enumerate()
                .map(|(at, c)| if at == position { if c == 'A' { 'B' } else { 'A' } } else { c })
                .collect();
            assert_eq!(seal.open(b"request", &changed), None, "{position}");
        }
        for bad in ["", "A", "AAAAAAAAAAAAAAAA", "not base64!"] {
            assert_eq!(seal.open(b"request", bad), None, "{bad}");
        }
    }
}
