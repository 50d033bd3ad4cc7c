//! Time and chance.

use crate::host;

/// Milliseconds since the Unix epoch; the same throughout a transaction.
#[must_use]
pub fn now() -> u64 {
    host::ambient::now()
}

/// So many random bytes; at most 4 KiB a call.
#[must_use]
pub fn random(len: u32) -> Vec<u8> {
    host::ambient::random(len)
}
