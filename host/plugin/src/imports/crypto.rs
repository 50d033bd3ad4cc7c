//! `crypto`: hashes, also with keys the guest never sees.

use aws_lc_rs::{digest, hmac};
use md5::{Digest, Md5};
use wasmtime::Result;

use crate::bindings::crypto::{Hash, Host, Key};
use crate::call::Guest;

/// MD5's block, which an HMAC's key is padded to (RFC 2104 §2).
const MD5_BLOCK_LEN: usize = 64;

impl Host for Guest {
    fn digest(&mut self, hash: Hash, data: Vec<u8>) -> Result<Vec<u8>> {
        self.call()?;
        Ok(digest_of(hash, &data))
    }

    fn hmac(&mut self, hash: Hash, key: Key, data: Vec<u8>) -> Result<Option<Vec<u8>>> {
        let call = self.call()?;
        Ok(match key {
            Key::Bytes(key) => Some(hmac_of(hash, &key, &data)),
            Key::Secret(name) => {
                let secret = call.context.secrets.get(&name);
                secret.map(|secret| hmac_of(hash, secret.reveal().as_bytes(), &data))
            }
        })
    }
}

fn digest_of(hash: Hash, data: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Md5 => return Md5::digest(data).to_vec(),
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha512 => &digest::SHA512,
    };
    digest::digest(algorithm, data).as_ref().to_vec()
}

fn hmac_of(hash: Hash, key: &[u8], data: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Md5 => return hmac_md5(key, data),
        Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha512 => hmac::HMAC_SHA512,
    };
    hmac::sign(&hmac::Key::new(algorithm, key), data).as_ref().to_vec()
}

/// RFC 2104; the provider has no MD5.
fn hmac_md5(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut block = [0; MD5_BLOCK_LEN];
    if key.len() > MD5_BLOCK_LEN {
        block[..16].copy_from_slice(&Md5::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |with: u8| block.map(|byte| byte ^ with);
    let inner = Md5::new().chain_update(padded(0x36)).chain_update(data).finalize();
    Md5::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standards() {
        for (hash, want) in [
            (Hash::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (Hash::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Hash::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            assert_eq!(hex(&digest_of(hash, b"abc")), want, "{hash:?}");
        }
        assert_eq!(digest_of(Hash::Sha512, b"abc").len(), 64);
    }

    #[test]
    fn hmacs_are_those_of_rfc_2202_and_rfc_4231() {
        let (key, data) = (b"Jefe", b"what do ya want for nothing?");
        for (hash, want) in [
            (Hash::Md5, "750c783e6ab0b503eaa86e310a5db738"),
            (Hash::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (Hash::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ] {
            assert_eq!(hex(&hmac_of(hash, key, data)), want, "{hash:?}");
        }
        let long = hmac_of(Hash::Md5, &[0xaa; 80], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex(&long), "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
