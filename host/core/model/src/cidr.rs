//! A range of IP addresses: `10.0.0.0/8`, `fd00::/8`, or one address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// All addresses that share the first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    ip: IpAddr,
    /// 0..=32 or 0..=128.
    len_bits: u8,
}

/// Why a text is no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// Before the slash.
    #[error("no IP address stands before the slash")]
    Address,
    /// Behind the slash: 0 to 32, for IPv6 to 128.
    #[error("no prefix length stands behind the slash")]
    Length,
    /// `10.1.0.0/8`: somebody meant another range than he wrote.
    #[error("the address has bits behind its prefix")]
    Tail,
}

impl Cidr {
    /// Is it one of them? An IPv4 address in IPv6 clothes (`::ffff:a.b.c.d`) counts as what it is.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.ip, ip.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                head(own.to_bits().into(), 32, self.len_bits) == head(other.to_bits().into(), 32, self.len_bits)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                head(own.to_bits(), 128, self.len_bits) == head(other.to_bits(), 128, self.len_bits)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (ip, len) = text.split_once('/').map_or((text, None), |(ip, len)| (ip, Some(len)));
        let ip: IpAddr = ip.parse().map_err(|_| CidrError::Address)?;
        let (bits, len_max) = match ip {
            IpAddr::V4(ip) => (u128::from(ip.to_bits()), 32),
            IpAddr::V6(ip) => (ip.to_bits(), 128),
        };
        let len_bits = match len {
            Some(len) => len.parse().ok().filter(|&len| len <= len_max).ok_or(CidrError::Length)?,
            None => len_max,
        };
        let shift = u32::from(len_max - len_bits);
        if head(bits, len_max, len_bits).checked_shl(shift).unwrap_or(0) != bits {
            return Err(CidrError::Tail);
        }
        Ok(Self { ip, len_bits })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.len_bits)
    }
}

/// The first `len` of `of` bits.
fn head(bits: u128, of: u8, len: u8) -> u128 {
    bits.checked_shr(u32::from(of - len)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_what_shares_its_prefix() {
        for (range, inside, outside) in [
            ("127.0.0.0/8", "127.255.0.1", "128.0.0.1"),
            ("10.0.0.7", "10.0.0.7", "10.0.0.8"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
            ("192.168.4.0/22", "192.168.7.255", "192.168.8.0"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("::1/128", "::1", "127.0.0.1"),
            ("0.0.0.0/0", "8.8.8.8", "2001:4860::1"),
            ("::/0", "2001:4860::1", "8.8.8.8"),
        ] {
            let range: Cidr = range.parse().unwrap();
            assert_eq!(range.to_string().parse(), Ok(range));
            assert!(range.contains(inside.parse().unwrap()), "{range:?} holds {inside}");
            assert!(!range.contains(outside.parse().unwrap()), "{range:?} does not hold {outside}");
        }
    }

    #[test]
    fn what_is_no_range_is_told() {
        for (text, want) in [
            ("localhost/8", CidrError::Address),
            ("", CidrError::Address),
            ("10.0.0.0/33", CidrError::Length),
            ("10.0.0.0/", CidrError::Length),
            ("::/129", CidrError::Length),
            ("10.1.0.0/8", CidrError::Tail),
            ("fd00::1/8", CidrError::Tail),
        ] {
            assert_eq!(text.parse::<Cidr>(), Err(want), "{text}");
        }
    }
}
