//! Digests, and secrets that stay in the host.

pub use crate::bindings::heliu::personality::crypto::{Hash, Key};
use crate::host;

/// What both sides of a comparison sign. It needs no salt: the digests are compared in constant time.
const COMPARED: &[u8] = b"heliu-sdk is_secret";

/// SHA-256 in lower-case hexadecimals.
#[must_use]
pub fn sha256_hex(data: &[u8]) -> String {
    hex(&host::crypto::digest(Hash::Sha256, data))
}

/// None: no secret of that name.
#[must_use]
pub fn hmac(hash: Hash, key: &Key, data: &[u8]) -> Option<Vec<u8>> {
    host::crypto::hmac(hash, key, data)
}

/// Is `presented` the operator's secret `name`? None: he gave none. How long it takes says nothing
/// about the secret, which does not enter the guest.
#[must_use]
pub fn is_secret(name: &str, presented: &str) -> Option<bool> {
    let wanted = hmac(Hash::Sha256, &Key::Secret(name.to_owned()), COMPARED)?;
    let got = hmac(Hash::Sha256, &Key::Bytes(presented.as_bytes().to_vec()), COMPARED)?;
    Some(wanted.len() == got.len() && wanted.iter().zip(&got).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0)
}

/// Lower-case hexadecimals.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
