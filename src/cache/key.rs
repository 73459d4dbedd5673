//! Typed keys: the type of a key fixes the type of its value, and what it is a key to fixes how long that is kept.

use aws_lc_rs::digest::{Context, SHA256, digest};
use serde::{Serialize, de::DeserializeOwned};
use std::borrow::Cow;

/// Changes whenever the form of kept values changes: what an older version left is a miss.
const SCHEMA_VERSION: u32 = 1;

/// A key and the type of its value.
pub trait Key: Send + Sync + 'static {
    /// What is kept.
    type Value: Serialize + DeserializeOwned + Send + Sync + 'static;
    /// The name of this kind of key; no two types share one.
    const KIND: &'static str;

    /// All that the value depends on, in canonical form, always in the same order.
    fn parts(&self) -> Vec<Cow<'_, str>>;

    /// Which class of data a value is.
    fn class(value: &Self::Value) -> Class;
}

/// A class of data; the operator sets how long each is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Names, ratings, reviews: Google's content.
    PlacesContent,
    /// That a place does not exist.
    MissingPlace,
}

/// The name of an entry in all tiers.
pub(super) type Hash = [u8; 32];

/// What separates the content that one credential paid for from that of another.
pub(super) fn partition(credential: &[u8]) -> Vec<u8> {
    digest(&SHA256, &[b"partition of the cache\0", credential].concat()).as_ref().to_vec()
}

/// The name of an entry: of this version's form of values, and of this partition.
pub(super) fn hash<K: Key>(key: &K, partition: &[u8]) -> Hash {
    hash_of_version(SCHEMA_VERSION, key, partition)
}

/// Each part goes in with its length before it, so that no two lists of parts look the same.
fn hash_of_version<K: Key>(version: u32, key: &K, partition: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    let mut add = |part: &[u8]| {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    };
    add(&version.to_be_bytes());
    add(partition);
    add(K::KIND.as_bytes());
    for part in key.parts() {
        add(part.as_bytes());
    }
    let mut hash = Hash::default();
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Parts(Vec<&'static str>);

    impl Key for Parts {
        type Value = ();
        const KIND: &'static str = "parts";

        fn parts(&self) -> Vec<Cow<'_, str>> {
            self.0.iter().map(|part| Cow::Borrowed(*part)).collect()
        }

        fn class((): &()) -> Class {
            Class::PlacesContent
        }
    }

    #[test]
    fn cache_04_parts_cannot_be_moved_across_their_borders() {
        let hash = |parts: &[&'static str]| hash(&Parts(parts.to_vec()), b"p");
        assert_ne!(hash(&["a:b", "c"]), hash(&["a", "b:c"]));
        assert_ne!(hash(&["ab", ""]), hash(&["a", "b"]));
        assert_ne!(hash(&["a"]), hash(&["a", ""]));
        assert_eq!(hash(&["a", "b"]), hash(&["a", "b"]));
    }

    #[test]
    fn cache_07_what_another_version_kept_is_not_found() {
        let key = Parts(vec!["a"]);
        let next = hash_of_version(SCHEMA_VERSION + 1, &key, b"p");
        assert_ne!(hash(&key, b"p"), next);
    }

    #[test]
    fn cache_01_what_one_credential_paid_for_is_not_found_by_another() {
        let key = Parts(vec!["a"]);
        assert_ne!(hash(&key, &partition(b"one")), hash(&key, &partition(b"two")));
    }
}
