//! From where a request comes: the peer, or what a proxy that the operator trusts says of it. What anybody else says of an
//! address is not believed.

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap, HeaderName};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// No chain of real proxies is longer.
const MOST_HOPS: usize = 20;

/// The address of a client: from the right, the first that is no trusted proxy. Without a connection, as in a test of routes
/// alone, there is none.
pub(super) fn client_address(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut nearest = peer.ip().to_canonical();
    if !is_trusted(&nearest) {
        return Some(nearest);
    }
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    let hops = values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
    for hop in hops.take(MOST_HOPS) {
        // What cannot be read was not written by a proxy of ours; whoever wrote it came through the last one that was.
        let Some(address) = parsed(hop.trim()) else { return Some(nearest) };
        nearest = address;
        if !is_trusted(&nearest) {
            break;
        }
    }
    Some(nearest)
}

/// Whoever has one address of IPv6 has its whole network of 64 bits.
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    let address = address.to_canonical();
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, d, ..] = v6.segments();
    Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
}

/// Some proxies add the port.
fn parsed(hop: &str) -> Option<IpAddr> {
    let address = hop.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, forwarded: &[&str]) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(peer.parse::<SocketAddr>().expect("a peer")));
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().expect("a value"));
        }
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().expect("a network"));
        client_address(&extensions, &headers, &trusted).expect("an address").to_string()
    }

    #[test]
    fn http_13_only_trusted_proxies_are_believed_from_the_right() {
        let cases: [(&str, &[&str], &str); 10] = [
            ("203.0.113.9:1", &["198.51.100.1"], "203.0.113.9"),
            ("10.0.0.1:1", &[], "10.0.0.1"),
            ("10.0.0.1:1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1:1", &["1.2.3.4, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1:1", &["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1:1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1:1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1:1", &["1.2.3.4, unknown, 10.0.0.2"], "10.0.0.2"),
            ("[::ffff:10.0.0.1]:1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1:1", &["evil\t"], "10.0.0.1"),
        ];
        for (peer, forwarded, expected) in cases {
            assert_eq!(address(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
        let chain = vec!["10.0.0.2"; 50].join(",");
        assert_eq!(address("10.0.0.1:1", &[&format!("1.2.3.4,{chain}")]), "10.0.0.2");
    }
}
