//! A record as it lies on disk: version, checksum, revision, expiry, payload.
//!
//! The checksum covers the key too, so a value under another's name is noticed. redb checks its own
//! pages when it repairs; this check holds at every read.

use std::sync::Arc;

use heliu_model::{Revision, Timestamp};

/// Largest payload in bytes.
pub const VALUE_LEN_MAX: usize = 1 << 20;

const VERSION: u8 = 1;
const HEADER_LEN: usize = 1 + 4 + 8 + 8;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What was put.
    pub bytes: Arc<[u8]>,
    /// The commit that put it.
    pub revision: Revision,
    /// Gone at and after that time.
    pub expires: Option<Timestamp>,
}

impl Record {
    /// As it lies on disk under that key.
    #[must_use]
    pub fn encode(&self, key: &[u8]) -> Vec<u8> {
        let mut raw = Vec::with_capacity(HEADER_LEN + self.bytes.len());
        raw.push(VERSION);
        raw.extend_from_slice(&[0; 4]);
        raw.extend_from_slice(&self.revision.0.to_be_bytes());
        raw.extend_from_slice(&self.expires.map_or(0, |time| time.0.max(1)).to_be_bytes());
        raw.extend_from_slice(&self.bytes);
        let sum = checksum(key, &raw);
        raw[1..5].copy_from_slice(&sum.to_be_bytes());
        raw
    }

    /// Bytes that [`Self::encode`] makes.
    pub(crate) fn raw_len(&self) -> usize {
        HEADER_LEN + self.bytes.len()
    }

    /// From what lies on disk under that key; `None`: torn, or of an unknown version.
    #[must_use]
    pub fn decode(key: &[u8], raw: &[u8]) -> Option<Self> {
        let (version, rest) = raw.split_first()?;
        let (sum, rest) = rest.split_first_chunk::<4>()?;
        let (revision, rest) = rest.split_first_chunk::<8>()?;
        let (expires, bytes) = rest.split_first_chunk::<8>()?;
        if *version != VERSION || u32::from_be_bytes(*sum) != checksum(key, raw) {
            return None;
        }
        let expires = u64::from_be_bytes(*expires);
        Some(Self {
            bytes: bytes.into(),
            revision: Revision(u64::from_be_bytes(*revision)),
            expires: (expires != 0).then_some(Timestamp(expires)),
        })
    }

    /// The expiry alone, unchecked: enough to pass over a record that is not handed out.
    pub(crate) fn peek_expires(raw: &[u8]) -> Option<Timestamp> {
        let expires = u64::from_be_bytes(*raw.get(13..)?.first_chunk::<8>()?);
        (expires != 0).then_some(Timestamp(expires))
    }

    pub(crate) fn is_gone(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// Of everything but the place where it stands.
fn checksum(key: &[u8], raw: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(&raw[..1]);
    hasher.update(&raw[5..]);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_whole_or_not_at_all() {
        for expires in [None, Some(Timestamp(7))] {
            let record = Record { bytes: b"payload"[..].into(), revision: Revision(3), expires };
            let raw = record.encode(b"key");
            assert_eq!(Record::decode(b"key", &raw), Some(record));
            assert_eq!(Record::decode(b"other", &raw), None, "under another key");
            for at in 0..raw.len() {
                let mut torn = raw.clone();
                torn[at] ^= 1;
                assert_eq!(Record::decode(b"key", &torn), None, "bit flipped in byte {at}");
                assert_eq!(Record::decode(b"key", &raw[..at]), None, "cut at {at}");
            }
        }
    }
}
