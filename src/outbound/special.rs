//! Addresses that are not of the public internet: one's own machine and network, those of documentation and tests, and
//! those that carry another address inside. A name that leads to one of them is not followed.
//!
//! Sources: IANA's registries of special-purpose addresses (RFC 6890 and its updates) as of 2026-11, all of their entries
//! whether or not they can be reached from everywhere; IANA's assignment of IPv6 (RFC 4291 §2.4: what is public is in
//! `2000::/3`); RFC 5214 §6.1 for ISATAP.

use ipnet::{Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const fn v4(first: u8, second: u8, third: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(first, second, third, 0), length)
}

const fn v6(first: u16, second: u16, third: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0), length)
}

const IPV4: &[Ipv4Net] = &[
    // This network.
    v4(0, 0, 0, 8),
    // Private.
    v4(10, 0, 0, 8),
    v4(172, 16, 0, 12),
    v4(192, 168, 0, 16),
    // Shared by the customers of one provider.
    v4(100, 64, 0, 10),
    // Loopback.
    v4(127, 0, 0, 8),
    // Link local, with what clouds tell their machines.
    v4(169, 254, 0, 16),
    // Protocols of the IETF.
    v4(192, 0, 0, 24),
    // Documentation.
    v4(192, 0, 2, 24),
    v4(198, 51, 100, 24),
    v4(203, 0, 113, 24),
    // AS112, twice; automatic multicast tunnelling; relays of 6to4.
    v4(192, 31, 196, 24),
    v4(192, 175, 48, 24),
    v4(192, 52, 193, 24),
    v4(192, 88, 99, 24),
    // Tests of networks.
    v4(198, 18, 0, 15),
    // Multicast; reserved, with broadcast.
    v4(224, 0, 0, 4),
    v4(240, 0, 0, 4),
    // What Azure tells its machines lies at a public address.
    Ipv4Net::new_assert(Ipv4Addr::new(168, 63, 129, 16), 32),
];

/// What is public of IPv6. So the rest needs no names here: loopback, IPv4 mapped and compatible, NAT64 (`64:ff9b::`),
/// discard, private, link local, site local, multicast, segment routing (`5f00::`).
const PUBLIC_IPV6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// What is not public within.
const IPV6: &[Ipv6Net] = &[
    // Protocols of the IETF: Teredo, tests of networks, automatic multicast tunnelling, AS112, ORCHID, drones.
    v6(0x2001, 0, 0, 23),
    // Documentation.
    v6(0x2001, 0xdb8, 0, 32),
    v6(0x3fff, 0, 0, 20),
    // 6to4, which carries an address of IPv4.
    v6(0x2002, 0, 0, 16),
    // AS112.
    v6(0x2620, 0x4f, 0x8000, 48),
];

/// Whether an address is of the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !IPV4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            PUBLIC_IPV6.contains(&address)
                && !IPV6.iter().any(|network| network.contains(&address))
                && !is_isatap(address)
        }
    }
}

/// Its last half is `0:5efe` or `200:5efe` and an address of IPv4, whatever network it is in.
fn is_isatap(address: Ipv6Addr) -> bool {
    let [_, _, _, _, before, mark, ..] = address.segments();
    mark == 0x5efe && matches!(before, 0 | 0x200)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_public(text: &str) -> bool {
        super::is_public(text.parse().unwrap_or_else(|_| panic!("{text}")))
    }

    #[test]
    fn hosts_of_the_internet_are_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "160.79.104.10",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::6810:84e5",
            "2a00:1450:4001:82f::200e",
            "2001:200::1",
            "2003::1",
        ] {
            assert!(is_public(text), "{text}");
        }
    }

    #[test]
    fn the_first_and_the_last_of_each_range_are_not() {
        for network in IPV4 {
            for address in [network.network(), network.broadcast()] {
                assert!(!super::is_public(address.into()), "{address}");
            }
        }
        for network in IPV6 {
            for address in [network.network(), network.broadcast()] {
                assert!(!super::is_public(address.into()), "{address}");
            }
        }
    }
}
