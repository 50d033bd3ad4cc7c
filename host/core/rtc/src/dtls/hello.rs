//! The peer's first ClientHello, gathered until it says which protection of SRTP the peer can do.
//!
//! The library takes the client's favourite, and Chromium's is the dear one. So the choice is made here,
//! before the library sees anything. Chromium's hello comes in two datagrams.

use super::record::{self, CLIENT_HELLO, Fragment};
use crate::discard::Discard;
use crate::srtp::Profile;

/// A hello has one and a half kilobytes, with keys for quantum computers.
const DATAGRAMS_MAX: usize = 8;
/// `use_srtp` (RFC 5764 §4.1.1).
const USE_SRTP: u16 = 14;

/// What came of the hello.
#[derive(Debug, Default)]
pub struct Hello {
    datagrams: Vec<Vec<u8>>,
}

impl Hello {
    /// Takes a datagram; the protection, when the hello is whole.
    ///
    /// # Errors
    /// It is no part of a first ClientHello, or of one that can be answered; or it was there before.
    pub fn handle_datagram(&mut self, datagram: &[u8]) -> Result<Option<Profile>, Discard> {
        let mut parts = parts(datagram).peekable();
        if parts.peek().is_none() {
            return Err(Discard::DtlsUnexpected);
        }
        if parts.all(|part| self.parts().any(|known| (known.offset, known.bytes) == (part.offset, part.bytes))) {
            return Err(Discard::DtlsRepeated);
        }
        if self.datagrams.len() == DATAGRAMS_MAX {
            self.datagrams.clear();
        }
        self.datagrams.push(datagram.to_vec());
        let Some(hello) = self.whole() else { return Ok(None) };
        match profile(&hello) {
            Some(profile) => Ok(Some(profile)),
            None => {
                self.datagrams.clear();
                Err(Discard::DtlsMalformed)
            }
        }
    }

    /// What was gathered.
    pub fn take(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.datagrams)
    }

    fn parts(&self) -> impl Iterator<Item = Fragment<'_>> {
        self.datagrams.iter().flat_map(|datagram| parts(datagram))
    }

    fn whole(&self) -> Option<Vec<u8>> {
        let mut parts: Vec<Fragment<'_>> = self.parts().collect();
        parts.sort_by_key(|part| part.offset);
        let mut hello = Vec::new();
        for part in &parts {
            // Overlapping ones are cut; a gap means that there is more to come.
            let already = hello.len().checked_sub(part.offset)?;
            hello.extend_from_slice(part.bytes.get(already..).unwrap_or(&[]));
        }
        (hello.len() == parts.first()?.message_len).then_some(hello)
    }
}

/// A peer begins with message 0.
fn parts(datagram: &[u8]) -> impl Iterator<Item = Fragment<'_>> {
    record::fragments(datagram).filter(|part| part.kind == CLIENT_HELLO && part.sequence == 0)
}

/// The best of what a ClientHello offers (RFC 6347 §4.2.1). `None`: nothing that we can do.
fn profile(hello: &[u8]) -> Option<Profile> {
    let mut rest = hello.get(34..)?;
    let _session_id = sized::<1>(&mut rest)?;
    let _cookie = sized::<1>(&mut rest)?;
    let _cipher_suites = sized::<2>(&mut rest)?;
    let _compression = sized::<1>(&mut rest)?;
    let mut extensions = sized::<2>(&mut rest)?;
    while let Some((kind, behind)) = extensions.split_first_chunk::<2>() {
        extensions = behind;
        let mut value = sized::<2>(&mut extensions)?;
        if u16::from_be_bytes(*kind) == USE_SRTP {
            let offered = sized::<2>(&mut value)?;
            let best_first = [Profile::AeadAes128Gcm, Profile::Aes128CmSha1_80];
            return best_first.into_iter().find(|profile| offered.chunks(2).any(|id| id == profile.id()));
        }
    }
    None
}

/// Bytes behind their length, which has `N` bytes itself.
fn sized<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, behind) = rest.split_first_chunk::<N>()?;
    let len = len.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
    let (value, behind) = behind.split_at_checked(len)?;
    *rest = behind;
    Some(value)
}
