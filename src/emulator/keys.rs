//! Which API keys work here, and what is wrong with the others.

use super::errors::NamedError;

/// The key that works.
pub const DEMO_KEY: &str = "demo-key";

/// Keys that stand for a state of a key at Google.
const TABLE: &[(&str, NamedError)] = &[
    ("demo-key-deleted", NamedError::KeyNotFound),
    ("demo-key-expired", NamedError::KeyExpired),
    ("demo-key-api-disabled", NamedError::ServiceDisabled),
    ("demo-key-billing-disabled", NamedError::BillingDisabled),
    ("demo-key-other-api", NamedError::KeyServiceBlocked),
    ("demo-key-web-only", NamedError::KeyReferrerBlocked),
    ("demo-key-other-address", NamedError::KeyAddressBlocked),
    ("demo-key-android-only", NamedError::KeyAndroidBlocked),
    ("demo-key-ios-only", NamedError::KeyIosBlocked),
    ("demo-key-suspended", NamedError::ConsumerSuspended),
    ("demo-key-leaked", NamedError::KeyLeaked),
    ("demo-key-denied", NamedError::PermissionDenied),
];

/// Whether a request with this key is answered.
pub(super) fn check(key: Option<&str>) -> Result<(), NamedError> {
    match key {
        None => Err(NamedError::NoKey),
        Some(DEMO_KEY) => Ok(()),
        Some(key) => {
            Err(TABLE.iter().find(|(known, _)| *known == key).map_or(NamedError::KeyInvalid, |(_, error)| *error))
        }
    }
}
