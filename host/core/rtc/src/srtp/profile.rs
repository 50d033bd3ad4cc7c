//! Which protection, and the master key that DTLS agreed on.

use std::fmt;

/// A protection profile of DTLS-SRTP (RFC 5764 §4.1.2, RFC 7714 §14.2). Both use keys of 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// `SRTP_AEAD_AES_128_GCM`: one pass, the cheap one.
    AeadAes128Gcm,
    /// `SRTP_AES128_CM_HMAC_SHA1_80`: what everybody has.
    Aes128CmSha1_80,
}

impl Profile {
    /// Bytes of master key.
    pub const KEY_LEN: usize = 16;

    /// On the wire of DTLS.
    #[must_use]
    pub fn id(self) -> [u8; 2] {
        match self {
            Self::AeadAes128Gcm => [0x00, 0x07],
            Self::Aes128CmSha1_80 => [0x00, 0x01],
        }
    }

    /// Bytes of master salt.
    #[must_use]
    pub fn salt_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm => 12,
            Self::Aes128CmSha1_80 => 14,
        }
    }

    /// Bytes by which a sealed RTP packet is longer.
    #[must_use]
    pub fn rtp_overhead(self) -> usize {
        match self {
            Self::AeadAes128Gcm => 16,
            Self::Aes128CmSha1_80 => 10,
        }
    }
}

/// One direction's master key and salt. Not told in `Debug`.
#[derive(Clone)]
pub struct MasterKey {
    pub(crate) profile: Profile,
    pub(crate) key: [u8; Profile::KEY_LEN],
    /// Filled up with zeros (RFC 7714 §11).
    pub(crate) salt: [u8; 14],
}

impl MasterKey {
    /// Both directions' keys out of the exported keying material (RFC 5764 §4.2): the client's, then
    /// the server's. `None`: not `2 * (16 + salt)` bytes.
    #[must_use]
    pub fn pair(profile: Profile, material: &[u8]) -> Option<(Self, Self)> {
        let (keys, salts) = material.split_at_checked(2 * Profile::KEY_LEN)?;
        let (client, server) = keys.split_at(Profile::KEY_LEN);
        let (client_salt, server_salt) = salts.split_at_checked(profile.salt_len())?;
        Some((Self::new(profile, client, client_salt)?, Self::new(profile, server, server_salt)?))
    }

    /// `None`: a key or salt of another length.
    #[must_use]
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Option<Self> {
        if salt.len() != profile.salt_len() {
            return None;
        }
        let mut filled = [0; 14];
        filled[..salt.len()].copy_from_slice(salt);
        Some(Self { profile, key: key.try_into().ok()?, salt: filled })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("profile", &self.profile).finish_non_exhaustive()
    }
}
