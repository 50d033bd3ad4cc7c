//! AES-128-GCM for packets (RFC 7714): encryption and tag in one pass.

use std::fmt;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

pub const TAG_LEN: usize = 16;

/// A session key and its salt.
pub struct Gcm {
    key: LessSafeKey,
    salt: [u8; NONCE_LEN],
}

impl Gcm {
    pub fn new(key: &[u8; 16], salt: [u8; NONCE_LEN]) -> Self {
        let key = UnboundKey::new(&AES_128_GCM, key).expect("a key of AES-128 has 16 bytes");
        Self { key: LessSafeKey::new(key), salt }
    }

    /// Encrypts `text` in place; the tag belongs behind it.
    pub fn seal(&self, ssrc: u32, index: u64, header: &[u8], text: &mut [u8]) -> [u8; TAG_LEN] {
        let sealed = self.key.seal_in_place_separate_tag(self.nonce(ssrc, index), Aad::from(header), text);
        let tag = sealed.expect("a datagram is shorter than GCM's longest text");
        tag.as_ref().try_into().expect("GCM's tag has 16 bytes")
    }

    /// Decrypts `sealed`, which ends in its tag, in place. `None`: the tag is not that of the text.
    pub fn open<'a>(&self, ssrc: u32, index: u64, header: &[u8], sealed: &'a mut [u8]) -> Option<&'a mut [u8]> {
        self.key.open_in_place(self.nonce(ssrc, index), Aad::from(header), sealed).ok()
    }

    /// RFC 7714 §8.1 and §9.1: two zero bytes, SSRC, index, all under the salt.
    fn nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[2..6].copy_from_slice(&ssrc.to_be_bytes());
        nonce[6..].copy_from_slice(&index.to_be_bytes()[2..]);
        nonce.iter_mut().zip(self.salt).for_each(|(byte, salt)| *byte ^= salt);
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Keys are not told.
impl fmt::Debug for Gcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gcm").finish_non_exhaustive()
    }
}
