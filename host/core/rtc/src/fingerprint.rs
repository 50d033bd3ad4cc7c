//! The hash of a certificate, by which signalling vouches for the other end of DTLS (RFC 8122 §5).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;

/// A certificate's hash as it stands in `a=fingerprint`. Reads and writes `sha-256 AB:CD:…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    hash: Hash,
    value: Vec<u8>,
}

/// Hash functions that are strong enough to vouch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// Why a text is no fingerprint, or none that is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Not `sha-256`, `sha-384` or `sha-512`.
    #[error("the hash function of the fingerprint is none of sha-256, sha-384, sha-512")]
    Hash,
    /// Not pairs of hexadecimal digits between colons, as many as the hash function makes.
    #[error("the fingerprint is no list of hexadecimal bytes of its hash's length")]
    Value,
}

impl Fingerprint {
    /// The SHA-256 of a certificate in DER.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        Self::with(Hash::Sha256, certificate)
    }

    /// Is it this certificate's (in DER)?
    #[must_use]
    pub fn matches(&self, certificate: &[u8]) -> bool {
        *self == Self::with(self.hash, certificate)
    }

    fn with(hash: Hash, certificate: &[u8]) -> Self {
        Self { hash, value: digest::digest(hash.algorithm(), certificate).as_ref().to_vec() }
    }
}

impl Hash {
    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let (name, value) = text.trim().split_once(' ').ok_or(FingerprintError::Value)?;
        let all = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
        let hash = all.into_iter().find(|hash| name.eq_ignore_ascii_case(hash.name())).ok_or(FingerprintError::Hash)?;
        let len = hash.algorithm().output_len();
        let value: Option<Vec<u8>> = value.trim_start().split(':').take(len + 1).map(byte).collect();
        value.filter(|value| value.len() == len).map(|value| Self { hash, value }).ok_or(FingerprintError::Value)
    }
}

/// Two hexadecimal digits.
fn byte(pair: &str) -> Option<u8> {
    let is_pair = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_pair.then(|| u8::from_str_radix(pair, 16).ok())?
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash.name())?;
        for (n, byte) in self.value.iter().enumerate() {
            write!(f, "{}{byte:02X}", if n == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256: &str =
        "sha-256 BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";

    #[test]
    fn a_fingerprint_is_that_of_its_certificate() {
        let told: Fingerprint = SHA256.parse().unwrap();
        assert_eq!(told, Fingerprint::of(b"abc"));
        assert_eq!(told.to_string(), SHA256);
        assert!(told.matches(b"abc") && !told.matches(b"abd"));
        let longer = Fingerprint::with(Hash::Sha512, b"abc");
        assert!(longer.to_string().parse::<Fingerprint>().unwrap().matches(b"abc"));
    }

    #[test]
    fn only_strong_and_whole_fingerprints_are_read() {
        for (text, want) in [
            (SHA256.to_lowercase(), None),
            (SHA256.replacen(' ', "  ", 1), None),
            (SHA256.replace("sha-256", "sha-1"), Some(FingerprintError::Hash)),
            (SHA256.replace("sha-256", "sha-512"), Some(FingerprintError::Value)),
            (SHA256[..SHA256.len() - 3].to_owned(), Some(FingerprintError::Value)),
            (format!("{SHA256}:00"), Some(FingerprintError::Value)),
            (SHA256.replace("BA:", "+A:"), Some(FingerprintError::Value)),
            ("sha-256".to_owned(), Some(FingerprintError::Value)),
        ] {
            assert_eq!(text.parse::<Fingerprint>().err(), want, "{text}");
        }
    }
}
