//! API keys: names of callers that are programs. The database has only their hashes.

use super::Denied;
use crate::{
    model::{Caller, Principal, Scopes, hex, random_bytes, random_secret, sha256_hex},
    store::Store,
    telemetry::AuthFailure,
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::{ExposeSecret as _, SecretString};

/// With what every key begins, so that people and scanners of leaked secrets know one when they see it.
pub const KEY_PREFIX: &str = "grk_";
const ID_BYTES: usize = 6;

/// A key that was just made. The secret is told once, and kept nowhere.
#[derive(Debug)]
pub struct ApiKey {
    /// By which it is listed and revoked.
    pub id: String,
    /// The whole key.
    pub text: SecretString,
}

impl ApiKey {
    /// A new one: `grk_`, its id, and 256 random bits.
    ///
    /// # Panics
    /// On a system without random numbers.
    pub fn random() -> Self {
        let id = hex(&random_bytes::<ID_BYTES>());
        let text = random_secret(&format!("{KEY_PREFIX}{id}_"));
        Self { id, text }
    }

    /// What the database keeps in place of the key.
    pub fn hash(&self) -> String {
        sha256_hex(self.text.expose_secret())
    }
}

/// Whose key this is.
pub(super) async fn judge(text: &str, keys: &Store) -> Result<Caller, Denied> {
    let unknown = Denied::Refused(AuthFailure::UnknownKey);
    let (id, _secret) = text.strip_prefix(KEY_PREFIX).and_then(|rest| rest.split_once('_')).ok_or(unknown)?;
    if id.len() != 2 * ID_BYTES || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(unknown);
    }
    // Why, the store has told the health check.
    let kept = keys.api_keys().find(id).await.map_err(|_| Denied::Unavailable)?;
    // An unknown id takes as long as a wrong secret.
    let expected = kept.as_ref().map_or_else(|| sha256_hex(""), |kept| kept.hash.clone());
    let is_right = verify_slices_are_equal(sha256_hex(text).as_bytes(), expected.as_bytes()).is_ok();
    match kept {
        Some(kept) if is_right && kept.revoked_at.is_none() => {
            Ok(Caller::new(Principal::new(format!("key:{id}")), Scopes::parse(&kept.scopes)))
        }
        Some(kept) if is_right && kept.revoked_at.is_some() => Err(Denied::Refused(AuthFailure::Revoked)),
        _ => Err(unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is compared are hashes, in constant time: how long that takes says nothing of the secret.
    #[test]
    fn jwt_40_a_key_is_compared_by_its_hash() {
        let (one, other) = (ApiKey::random(), ApiKey::random());
        assert!(one.text.expose_secret().starts_with(KEY_PREFIX) && one.text.expose_secret().len() > 50);
        assert_eq!((one.hash().len(), other.hash().len(), sha256_hex("").len()), (64, 64, 64));
        assert_eq!(one.hash(), sha256_hex(one.text.expose_secret()));
        assert!(one.hash() != other.hash() && !one.hash().contains(&one.id));
    }
}
