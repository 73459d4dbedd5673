//! Randomness, and the hash under which what was made of it is kept.

use super::hex;
use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;

/// So many random bytes.
///
/// # Panics
/// On a system without random numbers, where no secret can be made.
#[expect(clippy::expect_used, reason = "without random numbers nothing here can be kept secret")]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system has random numbers");
    bytes
}

/// A secret of 256 random bits behind a prefix, by which people and scanners of leaked secrets know what it is.
pub fn random_secret(prefix: &str) -> SecretString {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random_bytes::<32>())).into()
}

/// SHA-256.
pub fn sha256(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bytes
}

/// SHA-256 in hexadecimal digits: what is kept of a secret of 256 random bits, which nobody finds again from it.
pub fn sha256_hex(text: &str) -> String {
    hex(&sha256(text))
}
