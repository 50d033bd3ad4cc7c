//! Where this host may connect to when somebody else names the target.
//!
//! A client of a personality can make us open a connection. Only public addresses are open to that:
//! nobody reaches the operator's own network through us, unless the operator allows a range for that
//! personality. The addresses of a name are checked once, and those that were checked are connected to:
//! a name that resolves differently a moment later gains nothing.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};

use heliu_model::{Cidr, Namespace};

/// No address of a target may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the target's address is {0}; the operator may allow it with egress_allow")]
pub struct Forbidden(&'static str);

/// The operator's rules.
#[derive(Debug, Default)]
pub struct EgressFilter {
    allowed: BTreeMap<Namespace, Vec<Cidr>>,
    refused: AtomicU64,
}

impl EgressFilter {
    /// `allowed`: ranges that are not public and may be reached nevertheless.
    pub fn new(allowed: BTreeMap<Namespace, Vec<Cidr>>) -> Self {
        Self { allowed, refused: AtomicU64::new(0) }
    }

    /// Those of a target's addresses that `namespace` may connect to. None at all is a counted refusal.
    pub fn check(&self, namespace: &Namespace, found: &[SocketAddr]) -> Result<Vec<SocketAddr>, Forbidden> {
        let why = |address: &SocketAddr| self.forbidden(namespace, address.ip());
        let open: Vec<SocketAddr> = found.iter().filter(|address| why(address).is_none()).copied().collect();
        match found.iter().find_map(why) {
            Some(forbidden) if open.is_empty() => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Err(forbidden)
            }
            Some(_) | None => Ok(open),
        }
    }

    /// Targets that were refused.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn forbidden(&self, namespace: &Namespace, ip: IpAddr) -> Option<Forbidden> {
        let allowed = self.allowed.get(namespace).map(Vec::as_slice).unwrap_or_default();
        if allowed.iter().any(|range| range.contains(ip)) {
            return None;
        }
        match ip.to_canonical() {
            IpAddr::V4(ip) => special_v4(ip),
            IpAddr::V6(ip) => special_v6(ip),
        }
        .map(Forbidden)
    }
}

/// What makes an address not public (IANA's registry of special addresses, RFC 6890).
fn special_v4(ip: Ipv4Addr) -> Option<&'static str> {
    match ip.octets() {
        [0, ..] => Some("unspecified"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("private"),
        [100, 64..=127, ..] => Some("shared by a carrier's customers"),
        [127, ..] => Some("loopback"),
        // With 169.254.169.254, where clouds tell a machine its secrets.
        [169, 254, ..] => Some("link-local"),
        [192, 0, 0, _] | [192, 88, 99, _] | [198, 18..=19, ..] => Some("reserved"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some("for documentation"),
        [224..=239, ..] => Some("multicast"),
        [240..=255, ..] => Some("reserved"),
        _ => None,
    }
}

/// The same for IPv6: only what is handed out for the public (2000::/3) passes, and what carries an
/// IPv4 address only if that one would.
fn special_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let embedded = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("loopback"),
        // NAT64 (RFC 6052); 64:ff9b:1::/48 is for local use and falls through.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => special_v4(embedded(high, low)),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => special_v4(embedded(high, low)),
        [0xfc00..=0xfdff, ..] => Some("private"),
        [0xfe80..=0xfebf, ..] => Some("link-local"),
        [0xfec0..=0xfeff, ..] => Some("private"),
        [0xff00..=0xffff, ..] => Some("multicast"),
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Some("for documentation"),
        // 2001::/23 is for protocols: Teredo, ORCHID, benchmarks.
        [0x2001, 0..=0x01ff, ..] => Some("reserved"),
        [0x2000..=0x3fff, ..] => None,
        _ => Some("reserved"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_open() {
        for (ip, want) in [
            ("8.8.8.8", None),
            ("172.15.0.1", None),
            ("172.32.0.1", None),
            ("100.63.0.1", None),
            ("100.128.0.1", None),
            ("192.0.1.1", None),
            ("2606:4700::1", None),
            ("2001:4860:4860::8888", None),
            ("0.0.0.0", Some("unspecified")),
            ("0.1.2.3", Some("unspecified")),
            ("10.0.0.1", Some("private")),
            ("172.16.0.1", Some("private")),
            ("172.31.255.255", Some("private")),
            ("192.168.0.1", Some("private")),
            ("100.64.0.1", Some("shared by a carrier's customers")),
            ("127.0.0.1", Some("loopback")),
            ("127.9.9.9", Some("loopback")),
            ("169.254.169.254", Some("link-local")),
            ("192.0.0.8", Some("reserved")),
            ("192.0.2.1", Some("for documentation")),
            ("198.51.100.1", Some("for documentation")),
            ("203.0.113.1", Some("for documentation")),
            ("198.18.0.1", Some("reserved")),
            ("224.0.0.1", Some("multicast")),
            ("240.0.0.1", Some("reserved")),
            ("255.255.255.255", Some("reserved")),
            ("::", Some("unspecified")),
            ("::1", Some("loopback")),
            ("::127.0.0.1", Some("reserved")),
            ("::ffff:8.8.8.8", None),
            ("::ffff:127.0.0.1", Some("loopback")),
            ("::ffff:169.254.169.254", Some("link-local")),
            ("64:ff9b::8.8.8.8", None),
            ("64:ff9b::10.0.0.1", Some("private")),
            ("64:ff9b:1::8.8.8.8", Some("reserved")),
            ("2002:0808:0808::1", None),
            ("2002:7f00:0001::1", Some("loopback")),
            ("2002:a9fe:a9fe::", Some("link-local")),
            ("2001::1", Some("reserved")),
            ("2001:10::1", Some("reserved")),
            ("2001:db8::1", Some("for documentation")),
            ("3fff:fff::1", Some("for documentation")),
            ("fc00::1", Some("private")),
            ("fd12:3456::1", Some("private")),
            ("fe80::1", Some("link-local")),
            ("fec0::1", Some("private")),
            ("ff02::1", Some("multicast")),
            ("100::1", Some("reserved")),
            ("5f00::1", Some("reserved")),
        ] {
            let got = EgressFilter::default().check(&namespace("a"), &[at(ip)]);
            assert_eq!(got.err(), want.map(Forbidden), "{ip}");
        }
    }

    #[test]
    fn a_range_is_open_to_the_namespace_it_is_allowed_for() {
        let filter = EgressFilter::new(BTreeMap::from([(namespace("a"), vec!["127.0.0.0/8".parse().unwrap()])]));
        let both = [at("::1"), at("127.0.0.1")];
        assert_eq!(filter.check(&namespace("a"), &both), Ok(vec![at("127.0.0.1")]), "only what is allowed");
        assert_eq!(filter.check(&namespace("b"), &both), Err(Forbidden("loopback")));
        assert_eq!(filter.check(&namespace("a"), &[at("10.0.0.1")]), Err(Forbidden("private")));
        assert_eq!(filter.check(&namespace("b"), &[at("8.8.8.8")]), Ok(vec![at("8.8.8.8")]));
        assert_eq!(filter.refused(), 2);
    }

    fn namespace(text: &str) -> Namespace {
        text.parse().unwrap()
    }

    fn at(ip: &str) -> SocketAddr {
        SocketAddr::new(ip.parse().unwrap(), 1935)
    }
}
