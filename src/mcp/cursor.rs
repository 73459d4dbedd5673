//! Cursors that cannot be forged: a position in a list, sealed for one caller, one list and one hour.

use crate::model::{Code, Failure, Principal};
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;

/// How long a client may take from one page to the next.
const LIFETIME_SECONDS: i64 = 3_600;
/// No cursor of ours is longer.
const LONGEST: usize = 1_024;
const TIME_BYTES: usize = 8;
const SEAL_BYTES: usize = 32;

/// Seals and opens cursors.
#[derive(Debug, Clone)]
pub(super) struct Cursors(hmac::Key);

impl Cursors {
    /// With the installation's key for this purpose.
    pub(super) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// A cursor to this position of `list`.
    pub(super) fn seal(&self, principal: &Principal, list: &str, position: &str, now: Timestamp) -> String {
        let mut bytes = now.as_second().to_be_bytes().to_vec();
        bytes.extend(position.as_bytes());
        let seal = hmac::sign(&self.0, &sealed(principal, list, &bytes));
        bytes.extend(seal.as_ref());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position that this caller's cursor names.
    ///
    /// # Errors
    /// A [`Failure`] for one that was edited, is another's or another list's, or is too old.
    pub(super) fn open(
        &self,
        principal: &Principal,
        list: &str,
        cursor: &str,
        now: Timestamp,
    ) -> Result<String, Failure> {
        self.position(principal, list, cursor, now).ok_or_else(|| {
            Failure::new(
                Code::InvalidArgument,
                "List again from the beginning, without a cursor: this one is not from this list, or more than an hour old.",
            )
        })
    }

    fn position(&self, principal: &Principal, list: &str, cursor: &str, now: Timestamp) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(Some(cursor).filter(|cursor| cursor.len() <= LONGEST)?).ok()?;
        let (content, seal) = bytes.split_at_checked(bytes.len().checked_sub(SEAL_BYTES)?)?;
        hmac::verify(&self.0, &sealed(principal, list, content), seal).ok()?;
        let (time, position) = content.split_at_checked(TIME_BYTES)?;
        let age = now.as_second().checked_sub(i64::from_be_bytes(time.try_into().ok()?))?;
        (0..=LIFETIME_SECONDS).contains(&age).then(|| String::from_utf8(position.to_vec()).ok())?
    }
}

/// Each part with its length, so that no two cursors are sealed alike.
fn sealed(principal: &Principal, list: &str, content: &[u8]) -> Vec<u8> {
    let parts = [b"cursor", principal.as_str().as_bytes(), list.as_bytes(), content];
    parts.into_iter().flat_map(|part| [&(part.len() as u64).to_be_bytes()[..], part].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_caller_in_the_same_list_within_an_hour_can_use_a_cursor() {
        let cursors = Cursors::new(&[7; 32]);
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().expect("time");
        let later = |seconds: i64| now + jiff::SignedDuration::from_secs(seconds);
        let (mine, theirs) = (Principal::new("a"), Principal::new("ab"));
        let cursor = cursors.seal(&mine, "bc", "5", now);

        assert_eq!(cursors.open(&mine, "bc", &cursor, later(3_600)).as_deref(), Ok("5"));
        assert!(cursors.open(&theirs, "bc", &cursor, now).is_err(), "another's");
        assert!(cursors.open(&theirs, "c", &cursor, now).is_err(), "the parts do not run into each other");
        assert!(cursors.open(&mine, "other", &cursor, now).is_err(), "another list's");
        assert!(cursors.open(&mine, "bc", &cursor, later(3_601)).is_err(), "too old");
        assert!(cursors.open(&mine, "bc", &cursor, later(-1)).is_err(), "from the future");
        assert!(Cursors::new(&[8; 32]).open(&mine, "bc", &cursor, now).is_err(), "of another installation");
        for position in 0..cursor.len() {
            let mut edited: Vec<char> = cursor.chars().collect();
            edited[position] = if edited[position] == 'A' { 'B' } else { 'A' };
            let edited: String = edited.into_iter().collect();
            assert!(cursors.open(&mine, "bc", &edited, now).is_err(), "edited at {position}");
        }
        for forged in ["", "x", &"A".repeat(2_000), "====", "\u{0}"] {
            assert!(cursors.open(&mine, "bc", forged, now).is_err(), "{forged}");
        }
    }
}
