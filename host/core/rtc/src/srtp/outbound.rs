//! What we send: every index is sealed once.

use super::cipher::Cipher;
use super::profile::{MasterKey, Profile};
use super::window::Window;

/// SRTCP indices have 31 bits (RFC 3711 §3.4).
const RTCP_INDEX_END: u32 = 1 << 31;

/// Our direction's keys.
#[derive(Debug)]
pub struct Outbound {
    cipher: Cipher,
    overhead: usize,
    /// One counter for all our SSRCs: an index then is new for each of them.
    rtcp_index: u32,
}

/// One of our SSRCs. No second one with this SSRC under the same keys.
#[derive(Debug, Clone)]
pub struct Stream {
    ssrc: u32,
    window: Window,
}

impl Stream {
    /// Nothing is sealed yet.
    #[must_use]
    pub fn new(ssrc: u32) -> Self {
        Self { ssrc, window: Window::new() }
    }

    /// Ours.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Was a packet of this sequence number sealed, not long ago?
    #[must_use]
    pub fn has_sealed(&self, sequence: u16) -> bool {
        self.window.index(sequence).is_some_and(|index| self.window.has_seen(index))
    }
}

impl Outbound {
    /// Seals with this key.
    #[must_use]
    pub fn new(key: &MasterKey) -> Self {
        Self { cipher: Cipher::new(key), overhead: Profile::rtp_overhead(key.profile), rtcp_index: 0 }
    }

    /// Bytes by which a sealed RTP packet is longer.
    #[must_use]
    pub fn rtp_overhead(&self) -> usize {
        self.overhead
    }

    /// Seals the RTP packet at `out[start..]`, whose header has `header_len` bytes. False: a packet
    /// of this sequence number was sealed before, or could have been; `out` ends at `start` then.
    pub fn seal_rtp(&self, stream: &mut Stream, out: &mut Vec<u8>, start: usize, header_len: usize) -> bool {
        let sequence = u16::from_be_bytes([out[start + 2], out[start + 3]]);
        let Some(index) = stream.window.index(sequence).filter(|index| stream.window.is_fresh(*index)) else {
            out.truncate(start);
            return false;
        };
        stream.window.note(index);
        self.cipher.seal_rtp(stream.ssrc, index, out, start, header_len);
        true
    }

    /// Seals the RTCP compound at `out[start..]`. False: it is no compound, or no index is left;
    /// `out` ends at `start` then.
    pub fn seal_rtcp(&mut self, out: &mut Vec<u8>, start: usize) -> bool {
        let Some(&[_, _, _, _, a, b, c, d]) = out[start..].first_chunk().filter(|_| self.rtcp_index < RTCP_INDEX_END)
        else {
            out.truncate(start);
            return false;
        };
        self.cipher.seal_rtcp(u32::from_be_bytes([a, b, c, d]), self.rtcp_index, out, start);
        self.rtcp_index += 1;
        true
    }
}
