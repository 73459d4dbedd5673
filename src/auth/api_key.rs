//! API keys: names of callers that are programs. The database has only their hashes.

use super::Denied;
use crate::{
    model::{Caller, Principal, Scopes, hex},
    store::Store,
    telemetry::AuthFailure,
};
use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
    rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};

/// With what every key begins, so that people and scanners of leaked secrets know one when they see it.
pub const KEY_PREFIX: &str = "grk_";
const ID_BYTES: usize = 6;
const SECRET_BYTES: usize = 32;

/// A key that was just made. The secret is told once, and kept nowhere.
#[derive(Debug)]
pub struct ApiKey {
    /// By which it is listed and revoked.
    pub id: String,
    /// The whole key.
    pub text: SecretString,
}

impl ApiKey {
    /// A new one: `grk_`, its id, and 256 random bits. Nothing if the machine has no randomness.
    pub fn random() -> Option<Self> {
        let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
        rand::fill(&mut id).ok()?;
        rand::fill(&mut secret).ok()?;
        let id = hex(&id);
        let text = format!("{KEY_PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(secret));
        Some(Self { id, text: text.into() })
    }

    /// What the database keeps in place of the key.
    pub fn hash(&self) -> String {
        hash(self.text.expose_secret())
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
    let expected = kept.as_ref().map_or_else(|| hash(""), |kept| kept.hash.clone());
    let is_right = verify_slices_are_equal(hash(text).as_bytes(), expected.as_bytes()).is_ok();
    match kept {
        Some(kept) if is_right && kept.revoked_at.is_none() => {
            Ok(Caller::new(Principal::new(format!("key:{id}")), Scopes::parse(&kept.scopes)))
        }
        Some(kept) if is_right && kept.revoked_at.is_some() => Err(Denied::Refused(AuthFailure::Revoked)),
        _ => Err(unknown),
    }
}

fn hash(text: &str) -> String {
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is compared are hashes, in constant time: how long that takes says nothing of the secret.
    #[test]
    fn jwt_40_a_key_is_compared_by_its_hash() {
        let (one, other) = (ApiKey::random().expect("a key"), ApiKey::random().expect("a key"));
        assert!(one.text.expose_secret().starts_with(KEY_PREFIX) && one.text.expose_secret().len() > 50);
        assert_eq!((one.hash().len(), other.hash().len(), hash("").len()), (64, 64, 64));
        assert_eq!(one.hash(), hash(one.text.expose_secret()));
        assert!(one.hash() != other.hash() && !one.hash().contains(&one.id));
    }
}
