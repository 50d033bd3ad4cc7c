//! What one client has of the Internet: an IPv4 address, or the first 64 bits of an IPv6 address.
//!
//! Bounds per client count these: a customer with IPv6 gets 64 bits of addresses to choose from.

use std::net::{IpAddr, Ipv6Addr};

/// All addresses that count as one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network(IpAddr);

impl From<IpAddr> for Network {
    /// An IPv4 address in IPv6 clothes (`::ffff:a.b.c.d`) counts as what it is.
    fn from(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V4(ip) => ip.into(),
            IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_known_by_what_it_cannot_choose() {
        for (one, other, is_same) in [
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("2001:db8::1", "2001:db8::ffff:2", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
        ] {
            let [one_network, other_network] = [one, other].map(|ip| Network::from(ip.parse::<IpAddr>().unwrap()));
            assert_eq!(one_network == other_network, is_same, "{one} {other}");
        }
    }
}
