//! Which line a packet belongs to, and retransmissions made into what they repeat.

use std::time::Instant;

use heliu_rtp::RtpView;

use crate::discard::Discard;
use crate::line::{Direction, MLine};

/// SSRCs that are told apart: as many as SRTP keeps windows of.
const STREAMS_MAX: usize = 32;
/// What stands before a retransmitted payload: the sequence number it had (RFC 4588 §4).
const ORIGINAL_LEN: usize = 2;

/// One media packet, opened; as it was sent first if it came as a retransmission.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// Of the agreement.
    pub line: usize,
    /// Which of the line's announced simulcast layers, if it says so.
    pub rid: Option<usize>,
    /// It came again.
    pub is_retransmission: bool,
    /// The packet.
    pub view: RtpView<'a>,
}

/// All lines that receive.
#[derive(Debug)]
pub struct Receivers {
    lines: Vec<MLine>,
    streams: Vec<Stream>,
}

/// One SSRC of the peer.
#[derive(Debug, Clone, Copy)]
struct Stream {
    ssrc: u32,
    line: usize,
    rid: Option<usize>,
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Media,
    /// Repeats what this SSRC sent.
    Repair {
        of: u32,
    },
}

impl Receivers {
    pub fn new(lines: Vec<MLine>) -> Self {
        Self { lines, streams: Vec::new() }
    }

    /// Finds the line of a packet that was opened.
    ///
    /// # Errors
    /// It is not RTP, on no line, or nothing that its line carries.
    pub fn handle_packet<'a>(&mut self, packet: &'a mut [u8], _now: Instant) -> Result<Incoming<'a>, Discard> {
        let view = RtpView::parse(packet).map_err(|_| Discard::RtpMalformed)?;
        let Stream { line, rid, role, .. } = self.stream(&view)?;
        let agreed = &self.lines[line];
        match role {
            Role::Media if view.payload_type() == agreed.payload_type => {
                let view = RtpView::parse(packet).map_err(|_| Discard::RtpMalformed)?;
                Ok(Incoming { line, rid, is_retransmission: false, view })
            }
            Role::Repair { of } if Some(view.payload_type()) == agreed.rtx_payload_type => {
                let header_len = view.payload_range().start;
                if view.payload().len() < ORIGINAL_LEN {
                    return Err(Discard::RtpEmpty);
                }
                let original = unwrap(packet, header_len, agreed.payload_type, of);
                let view = RtpView::parse(original).map_err(|_| Discard::RtpMalformed)?;
                Ok(Incoming { line, rid, is_retransmission: true, view })
            }
            Role::Media | Role::Repair { .. } => Err(Discard::RtpPayloadType),
        }
    }

    /// The line that this SSRC's media is on.
    pub fn line(&self, ssrc: u32) -> Option<usize> {
        let seen = self.streams.iter().find(|stream| stream.ssrc == ssrc && stream.role == Role::Media);
        seen.map(|stream| stream.line)
            .or_else(|| self.lines.iter().position(|line| receives(line) && line.ssrcs.contains(&ssrc)))
    }

    /// The SSRCs of a line's media: those that came, else those that were announced.
    pub fn media_ssrcs(&self, line: usize) -> Vec<u32> {
        let came = self.streams.iter().filter(|stream| stream.line == line && stream.role == Role::Media);
        let came: Vec<u32> = came.map(|stream| stream.ssrc).collect();
        if came.is_empty() { self.lines[line].ssrcs.clone() } else { came }
    }

    /// What was agreed on.
    pub fn agreed(&self, line: usize) -> &MLine {
        &self.lines[line]
    }

    fn stream(&mut self, view: &RtpView<'_>) -> Result<Stream, Discard> {
        if let Some(known) = self.streams.iter().find(|stream| stream.ssrc == view.ssrc()) {
            return Ok(*known);
        }
        let stream = self.announced(view.ssrc()).or_else(|| self.recognized(view)).ok_or(Discard::RtpForeign)?;
        if self.streams.len() == STREAMS_MAX {
            return Err(Discard::RtpForeign);
        }
        self.streams.push(stream);
        Ok(stream)
    }

    /// By the offer.
    fn announced(&self, ssrc: u32) -> Option<Stream> {
        self.lines.iter().enumerate().filter(|(_, line)| receives(line)).find_map(|(at, line)| {
            let stream = |role| Stream { ssrc, line: at, rid: None, role };
            let repaired = || line.rtx_ssrcs.iter().zip(&line.ssrcs).find(|(repair, _)| **repair == ssrc);
            let media = line.ssrcs.contains(&ssrc).then(|| stream(Role::Media));
            media.or_else(|| repaired().map(|(_, of)| stream(Role::Repair { of: *of })))
        })
    }

    /// By what the packet says of itself: its mid, or a payload type that is on one line only.
    fn recognized(&self, view: &RtpView<'_>) -> Option<Stream> {
        let kind = view.payload_type();
        let carries = |line: &MLine| line.payload_type == kind || line.rtx_payload_type == Some(kind);
        let says_mid = |line: &MLine| text(view, line.extensions.mid) == Some(&line.mid);
        let mut candidates = self.lines.iter().enumerate().filter(|(_, line)| receives(line) && carries(line));
        let named = candidates.clone().find(|(_, line)| says_mid(line));
        let (at, line) = match named {
            Some(named) => named,
            None => candidates.next().filter(|_| candidates.next().is_none())?,
        };
        let rid_id = if line.payload_type == kind { line.extensions.rid } else { line.extensions.repaired_rid };
        let rid = text(view, rid_id).and_then(|rid| line.rids.iter().position(|known| known == rid));
        let role = if line.payload_type == kind { Role::Media } else { Role::Repair { of: self.repaired(at, rid)? } };
        Some(Stream { ssrc: view.ssrc(), line: at, rid, role })
    }

    /// The media of that layer; without layers the line's latest.
    fn repaired(&self, line: usize, rid: Option<usize>) -> Option<u32> {
        let of = |stream: &&Stream| stream.line == line && stream.role == Role::Media && stream.rid == rid;
        self.streams.iter().rev().find(of).map(|stream| stream.ssrc)
    }
}

fn receives(line: &MLine) -> bool {
    line.direction == Direction::Receive
}

fn text<'a>(view: &RtpView<'a>, id: Option<u8>) -> Option<&'a str> {
    std::str::from_utf8(view.extension(id?)?).ok()
}

/// The packet that is repeated, where the retransmission lies (RFC 4588 §4): its header moves over the
/// number it had.
fn unwrap(packet: &mut [u8], header_len: usize, payload_type: u8, ssrc: u32) -> &[u8] {
    let sequence = [packet[header_len], packet[header_len + 1]];
    packet.copy_within(..header_len, ORIGINAL_LEN);
    let original = &mut packet[ORIGINAL_LEN..];
    original[1] = original[1] & 0x80 | payload_type;
    original[2..4].copy_from_slice(&sequence);
    original[8..12].copy_from_slice(&ssrc.to_be_bytes());
    original
}
