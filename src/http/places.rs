//! How many connections there may be at once, in all and from one address.

use super::address::network_of;
use ipnet::IpNet;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Why a connection was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There are as many as there may be.
    Full,
    /// There are as many from this address as there may be.
    Address,
}

/// The places of one listener. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    most_of_address: usize,
    /// Addresses of which many come from: proxies, and the exits of hosted clients.
    exempt: Vec<IpNet>,
    taken: Mutex<Taken>,
    refused: [AtomicU64; 2],
}

/// Addresses are here only while they have connections, so there are never more of them than connections.
#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The place of one connection, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    pub(super) fn new(most: usize, most_of_address: usize, exempt: Vec<IpNet>) -> Self {
        Self(Arc::new(Shared { most, most_of_address, exempt, taken: Mutex::default(), refused: Default::default() }))
    }

    /// A place for a connection from this address, if there is one.
    pub(super) fn take(&self, address: IpAddr) -> Result<Place, Refusal> {
        let (address, whole) = (network_of(address), address.to_canonical());
        let is_exempt = self.0.exempt.iter().any(|network| network.contains(&whole));
        let refusal = {
            let mut taken = self.lock();
            let of_address = taken.by_address.get(&address).copied().unwrap_or(0);
            if taken.total >= self.0.most {
                Refusal::Full
            } else if of_address >= self.0.most_of_address && !is_exempt {
                Refusal::Address
            } else {
                taken.total += 1;
                taken.by_address.insert(address, of_address + 1);
                return Ok(Place { places: self.clone(), address });
            }
        };
        let [full, by_address] = &self.0.refused;
        let count = if refusal == Refusal::Full { full } else { by_address };
        count.fetch_add(1, Ordering::Relaxed);
        Err(refusal)
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.lock().total
    }

    /// How many connections were refused so far, by reason.
    pub(super) fn refused(&self) -> [(&'static str, u64); 2] {
        let [full, address] = &self.0.refused;
        [("full", full.load(Ordering::Relaxed)), ("address", address.load(Ordering::Relaxed))]
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.total = taken.total.saturating_sub(1);
        if let Some(count) = taken.by_address.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_network_and_given_back() {
        let places = Places::new(4, 2, Vec::new());
        let take = |address: &str| places.take(address.parse().expect("an address"));
        let first = take("2001:db8::1").expect("a place");
        let second = take("2001:db8::ffff:1").expect("a place");
        assert_eq!(take("2001:db8:0:0:abcd::").expect_err("one network"), Refusal::Address);
        let third = take("192.0.2.1").expect("a place");
        let fourth = take("::ffff:192.0.2.1").expect("a place");
        assert_eq!(take("198.51.100.1").expect_err("full"), Refusal::Full);
        assert_eq!(places.refused(), [("full", 1), ("address", 1)]);
        drop(fourth);
        assert_eq!(take("::ffff:192.0.2.1").map(|_| ()), Ok(()), "a place that is dropped is free");
        drop((first, second, third));
        assert_eq!((places.taken(), places.lock().by_address.len()), (0, 0), "nothing is left behind");
    }

    #[test]
    fn everybody_behind_a_proxy_has_its_address() {
        let exempt = ["10.0.0.0/8", "fd00::10/128"].map(|network| network.parse().expect("a network"));
        let places = Places::new(6, 1, exempt.into());
        let take = |address: &str| places.take(address.parse().expect("an address"));
        let kept: Vec<_> = (0..5).map(|n| take(["10.0.0.1", "fd00::10"][n % 2]).expect("a place")).collect();
        let other = take("192.0.2.1").expect("a place");
        assert_eq!(take("10.0.0.1").expect_err("full"), Refusal::Full);
        drop((kept, other));
    }
}
