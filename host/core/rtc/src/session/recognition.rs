//! Which line a packet of the peer belongs to, and what it is there: media, or media again.
//!
//! An SSRC is looked up once: in what the offer announced, else in what its first packet says of itself.

use heliu_rtp::RtpView;

use crate::discard::Discard;
use crate::line::{Direction, MLine};

/// SSRCs that are told apart: as many as SRTP keeps windows of.
const STREAMS_MAX: usize = 32;

/// One SSRC of the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    pub ssrc: u32,
    /// Of the agreement.
    pub line: usize,
    /// Which of the line's layers, if it says so.
    pub rid: Option<usize>,
    pub role: Role,
}

/// What an SSRC carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Media,
    /// Repeats what this SSRC sent.
    Repair {
        of: u32,
    },
}

/// All SSRCs that came, each on its line.
#[derive(Debug)]
pub struct Recognition {
    lines: Vec<MLine>,
    streams: Vec<Stream>,
}

impl Recognition {
    pub fn new(lines: Vec<MLine>) -> Self {
        Self { lines, streams: Vec::new() }
    }

    /// What was agreed on.
    pub fn lines(&self) -> &[MLine] {
        &self.lines
    }

    /// Whose packet this is.
    ///
    /// # Errors
    /// It is on no line, or nothing that its line carries.
    pub fn stream(&mut self, view: &RtpView<'_>) -> Result<Stream, Discard> {
        let known = self.streams.iter().find(|stream| stream.ssrc == view.ssrc()).copied();
        let found = match known {
            Some(stream) => stream,
            None => self.announced(view.ssrc()).or_else(|| self.recognized(view)).ok_or(Discard::RtpForeign)?,
        };
        let line = &self.lines[found.line];
        let agreed = if found.role == Role::Media { Some(line.payload_type) } else { line.rtx_payload_type };
        if agreed != Some(view.payload_type()) {
            return Err(Discard::RtpPayloadType);
        }
        if known.is_none() {
            if self.streams.len() == STREAMS_MAX {
                return Err(Discard::RtpForeign);
            }
            self.streams.push(found);
        }
        Ok(found)
    }

    /// The SSRCs of a line's media: those that came, else those that were announced.
    pub fn media_ssrcs(&self, line: usize) -> impl Iterator<Item = u32> {
        let came = self.streams.iter().filter(move |stream| stream.line == line && stream.role == Role::Media);
        let announced = if came.clone().next().is_none() { &self.lines[line].ssrcs[..] } else { &[] };
        came.map(|stream| stream.ssrc).chain(announced.iter().copied())
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
