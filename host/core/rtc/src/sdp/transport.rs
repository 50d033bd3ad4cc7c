//! What an offer says of the way to its maker: ICE credentials, certificate, who begins DTLS.
//!
//! A section's own word wins over that of the session (RFC 8839 §5.4, RFC 8842 §5).

use crate::agreement::DtlsRole;
use crate::fingerprint::Fingerprint;
use crate::ice::Credentials;

use super::error::OfferError;

/// At one level of an offer; all of it may be missing there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Transport {
    ufrag: Option<String>,
    pwd: Option<String>,
    fingerprint: Option<Fingerprint>,
    setup: Option<Setup>,
}

/// `a=setup` (RFC 4145 §4), the words that make sense here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Setup {
    ActPass,
    Active,
    Passive,
}

impl Transport {
    /// Takes an attribute if it is one of these. The first of a name counts; a fingerprint of an unknown
    /// hash is as if it were not there.
    pub(super) fn take(&mut self, name: &str, value: &str) {
        match name {
            "ice-ufrag" if is_ice(value, 4) => _ = self.ufrag.get_or_insert_with(|| value.to_owned()),
            "ice-pwd" if is_ice(value, 22) => _ = self.pwd.get_or_insert_with(|| value.to_owned()),
            "fingerprint" if self.fingerprint.is_none() => self.fingerprint = value.parse().ok(),
            "setup" if self.setup.is_none() => self.setup = Setup::read(value),
            _ => {}
        }
    }

    /// Both halves, if this level has them.
    pub(super) fn credentials(&self) -> Option<Credentials> {
        Some(Credentials { ufrag: self.ufrag.clone()?, pwd: self.pwd.clone()? })
    }
}

/// What the first of `levels` says that says anything; missing parts spoil the offer.
pub(super) fn agree(levels: [&Transport; 3]) -> Result<(Credentials, Fingerprint, DtlsRole), OfferError> {
    let credentials = levels.iter().find_map(|level| level.credentials());
    let fingerprint = levels.iter().find_map(|level| level.fingerprint.clone());
    let setup = levels.iter().find_map(|level| level.setup);
    // RFC 4145 §4: an offer without a word is active.
    let role = match setup.unwrap_or(Setup::Active) {
        Setup::ActPass | Setup::Active => DtlsRole::Server,
        Setup::Passive => DtlsRole::Client,
    };
    Ok((
        credentials.ok_or(OfferError::Missing("ice-ufrag and ice-pwd"))?,
        fingerprint.ok_or(OfferError::Missing("fingerprint"))?,
        role,
    ))
}

impl Setup {
    fn read(value: &str) -> Option<Self> {
        match value.trim() {
            "actpass" => Some(Self::ActPass),
            "active" => Some(Self::Active),
            "passive" => Some(Self::Passive),
            _ => None,
        }
    }
}

/// `ice-char`s, at least so many, at most 256 (RFC 8839 §5.4).
fn is_ice(text: &str, len_min: usize) -> bool {
    let is_ice = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    // Not in the grammar but in use: `-` and `_`.
    (len_min..=256).contains(&text.len()) && text.bytes().all(|byte| is_ice(byte) || byte == b'-' || byte == b'_')
}
