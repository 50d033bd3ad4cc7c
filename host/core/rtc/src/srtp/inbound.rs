//! What the peer sends: opened once, and nothing kept of what is not the peer's.

use super::cipher::Cipher;
use super::profile::MasterKey;
use super::window::Window;
use crate::discard::Discard;

/// SSRCs of which windows are kept: two lines, their retransmissions, layers, and restarts of each.
const STREAMS_MAX: usize = 32;

/// The peer's direction's keys.
#[derive(Debug)]
pub struct Inbound {
    cipher: Cipher,
    rtp: Streams,
    rtcp: Streams,
}

/// Windows by SSRC, few and all of verified packets.
#[derive(Debug, Default)]
struct Streams(Vec<(u32, Window)>);

impl Inbound {
    /// Opens with this key.
    #[must_use]
    pub fn new(key: &MasterKey) -> Self {
        Self { cipher: Cipher::new(key), rtp: Streams::default(), rtcp: Streams::default() }
    }

    /// The plain RTP packet, in the same place.
    ///
    /// # Errors
    /// Not the peer's, or not for the first time; the packet is garbage then.
    pub fn open_rtp<'a>(&mut self, packet: &'a mut [u8]) -> Result<&'a mut [u8], Discard> {
        let header_len = heliu_rtp::header_len(packet).map_err(|_| Discard::SrtpMalformed)?;
        let sequence = u16::from_be_bytes([packet[2], packet[3]]);
        let ssrc = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
        let known = self.rtp.find(ssrc);
        let index = match known {
            Some(window) => window.index(sequence).filter(|index| window.is_fresh(*index)),
            None => Some(u64::from(sequence)),
        };
        let index = index.ok_or(Discard::SrtpReplayed)?;
        let len = self.cipher.open_rtp(ssrc, index, packet, header_len).ok_or(Discard::SrtpUnauthenticated)?;
        self.rtp.note(ssrc, index)?;
        Ok(&mut packet[..len])
    }

    /// The plain compound, in the same place.
    ///
    /// # Errors
    /// Not the peer's, or not for the first time; the packet is garbage then.
    pub fn open_rtcp<'a>(&mut self, packet: &'a mut [u8]) -> Result<&'a mut [u8], Discard> {
        let (ssrc, index) = self.cipher.rtcp_index(packet).ok_or(Discard::SrtpMalformed)?;
        if self.rtcp.find(ssrc).is_some_and(|window| !window.is_fresh(u64::from(index))) {
            return Err(Discard::SrtpReplayed);
        }
        let len = self.cipher.open_rtcp(ssrc, index, packet).ok_or(Discard::SrtpUnauthenticated)?;
        self.rtcp.note(ssrc, u64::from(index))?;
        Ok(&mut packet[..len])
    }

    /// SSRCs of which something is kept.
    #[must_use]
    pub fn stream_count(&self) -> usize {
        self.rtp.0.len() + self.rtcp.0.len()
    }
}

impl Streams {
    fn find(&self, ssrc: u32) -> Option<&Window> {
        self.0.iter().find(|(known, _)| *known == ssrc).map(|(_, window)| window)
    }

    fn note(&mut self, ssrc: u32, index: u64) -> Result<(), Discard> {
        if let Some((_, window)) = self.0.iter_mut().find(|(known, _)| *known == ssrc) {
            window.note(index);
            return Ok(());
        }
        // An old one is not forgotten instead: its packets could be replayed then.
        if self.0.len() == STREAMS_MAX {
            return Err(Discard::SrtpStreamsFull);
        }
        let mut window = Window::new();
        window.note(index);
        self.0.push((ssrc, window));
        Ok(())
    }
}
