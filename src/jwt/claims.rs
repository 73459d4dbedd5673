//! Forms of claims that tokens of every kind share.

use crate::telemetry::AuthFailure;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// One name or several. Source: RFC 7519 §4.1.3.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several, or one in a list.
    Several(Vec<String>),
}

impl Audience {
    /// All of them.
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

/// A time in whole or fractional seconds. Source: RFC 7519 §2.
///
/// # Errors
/// [`AuthFailure::WrongClaims`] when it is no moment after 1970.
pub fn moment(seconds: f64) -> Result<Timestamp, AuthFailure> {
    let since_epoch = SignedDuration::try_from_secs_f64(seconds).ok().filter(SignedDuration::is_positive);
    since_epoch.and_then(|time| Timestamp::from_duration(time).ok()).ok_or(AuthFailure::WrongClaims)
}
