//! A fast hash for numbers that we have given out ourselves. Words of strangers are hashed with the standard one, which
//! nobody can aim at.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A map from numbers.
pub(super) type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<Numbers>>;

/// Multiplies and mixes.
#[derive(Debug, Default)]
pub(super) struct Numbers(u64);

impl Hasher for Numbers {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = mix(self.0.rotate_left(5) ^ number);
    }

    fn write_u128(&mut self, number: u128) {
        let half = |number: u128| u64::try_from(number & u128::from(u64::MAX)).unwrap_or_default();
        self.write_u64(mix(half(number >> 64)) ^ half(number));
    }
}

/// Spreads over all bits: the table takes the upper ones as well as the lower.
pub(super) fn mix(number: u64) -> u64 {
    let product = number.wrapping_mul(ODD);
    product ^ (product >> 32)
}
