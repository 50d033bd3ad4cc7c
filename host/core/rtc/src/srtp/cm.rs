//! AES-128 in counter mode and HMAC-SHA1, cut to 80 bits (RFC 3711 §4.1.1, §4.2.1).

use std::fmt;

use aes::Aes128Enc;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use ctr::{CtrCore, flavors::Ctr128BE};
use hmac::{Hmac, Mac};
use sha1::Sha1;

pub const TAG_LEN: usize = 10;

/// Session keys, expanded once.
pub struct Cm {
    cipher: Aes128Enc,
    salt: [u8; 14],
    mac: Hmac<Sha1>,
}

impl Cm {
    pub fn new(key: &[u8; 16], salt: [u8; 14], authentication: &[u8; 20]) -> Self {
        Self {
            cipher: Aes128Enc::new(key.into()),
            salt,
            mac: <Hmac<Sha1> as Mac>::new_from_slice(authentication).expect("HMAC takes keys of any length"),
        }
    }

    /// Encrypts or decrypts in place.
    pub fn apply(&self, ssrc: u32, index: u64, text: &mut [u8]) {
        let mut counter = [0; 16];
        counter[4..8].copy_from_slice(&ssrc.to_be_bytes());
        counter[8..14].copy_from_slice(&index.to_be_bytes()[2..]);
        counter.iter_mut().zip(self.salt).for_each(|(byte, salt)| *byte ^= salt);
        let core = CtrCore::<&Aes128Enc, Ctr128BE>::inner_iv_init(&self.cipher, &counter.into());
        StreamCipherCoreWrapper::from_core(core).apply_keystream(text);
    }

    /// The tag of what is sent and, for RTP, the rollover counter behind it.
    pub fn tag(&self, sent: &[u8], rollover: &[u8]) -> [u8; TAG_LEN] {
        let tag = self.keyed(sent, rollover).finalize().into_bytes();
        tag[..TAG_LEN].try_into().expect("SHA-1 has 20 bytes")
    }

    /// In constant time.
    pub fn is_tag(&self, sent: &[u8], rollover: &[u8], tag: &[u8]) -> bool {
        tag.len() == TAG_LEN && self.keyed(sent, rollover).verify_truncated_left(tag).is_ok()
    }

    fn keyed(&self, sent: &[u8], rollover: &[u8]) -> Hmac<Sha1> {
        let mut mac = self.mac.clone();
        mac.update(sent);
        mac.update(rollover);
        mac
    }
}

/// Keys are not told.
impl fmt::Debug for Cm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cm").finish_non_exhaustive()
    }
}
