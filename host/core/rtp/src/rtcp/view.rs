//! RTCP packets, borrowed from their datagram.

use super::{
    BLOCK_LEN, BYE, DESCRIPTION, FMT_APPLICATION, FMT_FIR, FMT_NACK, FMT_PLI, FMT_TWCC, PAYLOAD_FEEDBACK,
    RECEIVER_REPORT, ReportBlocks, SENDER_REPORT, TRANSPORT_FEEDBACK,
};
use crate::Discard;
use crate::view::{DATAGRAM_LEN_MAX, PADDING};

/// Length of a header, and of an SSRC.
const WORD: usize = 4;

/// One RTCP packet.
#[derive(Debug, Clone, Copy)]
pub enum Rtcp<'a> {
    /// RFC 3550 §6.4.1.
    SenderReport {
        /// Who sent it.
        ssrc: u32,
        /// The sender's clock, 32.32 seconds.
        ntp: u64,
        /// The same moment in the units of its packets' timestamps.
        rtp: u32,
        /// Packets sent so far.
        packets: u32,
        /// Payload bytes sent so far.
        octets: u32,
        /// What it received itself.
        blocks: ReportBlocks<'a>,
    },
    /// RFC 3550 §6.4.2.
    ReceiverReport {
        /// Who sent it.
        ssrc: u32,
        /// What it received.
        blocks: ReportBlocks<'a>,
    },
    /// Source description, RFC 3550 §6.5. Nobody here asks who somebody is.
    Description,
    /// RFC 3550 §6.6.
    Bye {
        /// Who leaves.
        ssrcs: Ssrcs<'a>,
    },
    /// Generic NACK, RFC 4585 §6.2.1.
    Nack {
        /// Who asks.
        sender_ssrc: u32,
        /// Whose packets.
        media_ssrc: u32,
        /// Which; at most 17 for each four bytes of the packet.
        lost: Lost<'a>,
    },
    /// Picture loss indication, RFC 4585 §6.3.1.
    Pli {
        /// Who asks.
        sender_ssrc: u32,
        /// Whose keyframe.
        media_ssrc: u32,
    },
    /// Full intra request, RFC 5104 §4.3.1.
    Fir {
        /// Who asks.
        sender_ssrc: u32,
        /// Whose keyframes.
        entries: FirEntries<'a>,
    },
    /// Receiver estimated maximum bitrate, draft-alvestrand-rmcat-remb-03.
    Remb {
        /// Who estimates.
        sender_ssrc: u32,
        /// Bits per second.
        bitrate: u64,
        /// For these together.
        ssrcs: Ssrcs<'a>,
    },
    /// Transport-wide feedback, draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.
    Twcc {
        /// Who received.
        sender_ssrc: u32,
        /// One of the sources.
        media_ssrc: u32,
        /// What.
        feedback: TwccView<'a>,
    },
    /// Well-formed, and nothing that heliu reads.
    Other {
        /// RTCP packet type, 192 to 223.
        packet_type: u8,
        /// Count or feedback format, 0 to 31.
        count: u8,
    },
}

/// Iterator of [`parse`]. After an error it ends.
#[derive(Debug, Clone)]
pub struct Packets<'a>(&'a [u8]);

/// The packets of an RTCP datagram. Padding is removed.
///
/// Errors: [`Discard::BadRtcp`] where lengths do not add up, [`Discard::TooLong`] over
/// [`crate::DATAGRAM_LEN_MAX`], [`Discard::NotRtp`] for another version; what came before them is good.
#[must_use]
pub fn parse(datagram: &[u8]) -> Packets<'_> {
    Packets(datagram)
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Rtcp<'a>, Discard>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = split(self.0).and_then(|(packet, rest)| Ok((read(packet).ok_or(Discard::BadRtcp)?, rest)));
        self.0 = read.as_ref().map_or(&[], |(_, rest)| rest);
        Some(read.map(|(packet, _)| packet))
    }
}

/// A packet without its padding.
#[derive(Clone, Copy)]
struct Raw<'a> {
    packet_type: u8,
    count: u8,
    body: &'a [u8],
}

fn split(data: &[u8]) -> Result<(Raw<'_>, &[u8]), Discard> {
    if data.len() > DATAGRAM_LEN_MAX {
        return Err(Discard::TooLong);
    }
    let ([first, packet_type, len @ ..], _) = data.split_first_chunk::<WORD>().ok_or(Discard::BadRtcp)?;
    if first >> 6 != 2 {
        return Err(Discard::NotRtp);
    }
    let len = WORD * (usize::from(u16::from_be_bytes(*len)) + 1);
    let (packet, rest) = data.split_at_checked(len).ok_or(Discard::BadRtcp)?;
    let body = &packet[WORD..];
    let body = if first & PADDING == 0 { body } else { without_padding(body)? };
    Ok((Raw { packet_type: *packet_type, count: first & 0x1F, body }, rest))
}

fn without_padding(body: &[u8]) -> Result<&[u8], Discard> {
    let padding = usize::from(*body.last().ok_or(Discard::BadRtcp)?);
    let len = body.len().checked_sub(padding).filter(|_| padding > 0);
    len.map(|len| &body[..len]).ok_or(Discard::BadRtcp)
}

fn read(raw: Raw<'_>) -> Option<Rtcp<'_>> {
    let Raw { packet_type, count, body } = raw;
    match (packet_type, count) {
        (SENDER_REPORT, _) => sender_report(count, body),
        (RECEIVER_REPORT, _) => {
            Some(Rtcp::ReceiverReport { ssrc: long(body, 0)?, blocks: blocks(count, body.get(WORD..)?)? })
        }
        (DESCRIPTION, _) => Some(Rtcp::Description),
        (BYE, _) => Some(Rtcp::Bye { ssrcs: Ssrcs(body.get(..WORD * usize::from(count))?) }),
        (TRANSPORT_FEEDBACK, FMT_NACK) => {
            let (sender_ssrc, media_ssrc, rest) = feedback(body)?;
            Some(Rtcp::Nack { sender_ssrc, media_ssrc, lost: Lost { rest, base: 0, following: 0 } })
        }
        (TRANSPORT_FEEDBACK, FMT_TWCC) => {
            let (sender_ssrc, media_ssrc, rest) = feedback(body)?;
            Some(Rtcp::Twcc { sender_ssrc, media_ssrc, feedback: TwccView::read(rest)? })
        }
        (PAYLOAD_FEEDBACK, FMT_PLI) => {
            let (sender_ssrc, media_ssrc, _) = feedback(body)?;
            Some(Rtcp::Pli { sender_ssrc, media_ssrc })
        }
        (PAYLOAD_FEEDBACK, FMT_FIR) => {
            let (sender_ssrc, _, rest) = feedback(body)?;
            Some(Rtcp::Fir { sender_ssrc, entries: FirEntries(rest) })
        }
        (PAYLOAD_FEEDBACK, FMT_APPLICATION) => {
            let (sender_ssrc, _, rest) = feedback(body)?;
            Some(remb(sender_ssrc, rest).unwrap_or(Rtcp::Other { packet_type, count }))
        }
        (192..=223, _) => Some(Rtcp::Other { packet_type, count }),
        _ => None,
    }
}

fn sender_report(count: u8, body: &[u8]) -> Option<Rtcp<'_>> {
    Some(Rtcp::SenderReport {
        ssrc: long(body, 0)?,
        ntp: u64::from(long(body, 4)?) << 32 | u64::from(long(body, 8)?),
        rtp: long(body, 12)?,
        packets: long(body, 16)?,
        octets: long(body, 20)?,
        blocks: blocks(count, body.get(24..)?)?,
    })
}

/// What stands behind the blocks is a profile's extension.
fn blocks(count: u8, rest: &[u8]) -> Option<ReportBlocks<'_>> {
    rest.get(..BLOCK_LEN * usize::from(count)).map(ReportBlocks)
}

/// Sender, source, and what is said (RFC 4585 §6.1).
fn feedback(body: &[u8]) -> Option<(u32, u32, &[u8])> {
    Some((long(body, 0)?, long(body, 4)?, body.get(8..)?))
}

fn remb(sender_ssrc: u32, rest: &[u8]) -> Option<Rtcp<'_>> {
    let rest = rest.strip_prefix(b"REMB")?;
    let ([count, a, b, c], ssrcs) = rest.split_first_chunk()?;
    let mantissa = u64::from(a & 3) << 16 | u64::from(*b) << 8 | u64::from(*c);
    // The exponent has six bits: what does not fit is as good as no bound.
    let bitrate = mantissa.checked_shl(u32::from(a >> 2)).filter(|rate| rate >> (a >> 2) == mantissa);
    let ssrcs = Ssrcs(ssrcs.get(..WORD * usize::from(*count))?);
    Some(Rtcp::Remb { sender_ssrc, bitrate: bitrate.unwrap_or(u64::MAX), ssrcs })
}

fn long(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..at + WORD)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

/// Iterator over sources.
#[derive(Debug, Clone, Copy)]
pub struct Ssrcs<'a>(&'a [u8]);

impl Iterator for Ssrcs<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (ssrc, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*ssrc))
    }
}

/// Iterator over sources whose keyframe is wanted, each with the number of the request, which repeats
/// when it is the same one again.
#[derive(Debug, Clone, Copy)]
pub struct FirEntries<'a>(&'a [u8]);

impl Iterator for FirEntries<'_> {
    type Item = (u32, u8);

    fn next(&mut self) -> Option<(u32, u8)> {
        let ([a, b, c, d, number, ..], rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some((u32::from_be_bytes([*a, *b, *c, *d]), *number))
    }
}

/// Iterator over sequence numbers that a NACK asks for.
#[derive(Debug, Clone, Copy)]
pub struct Lost<'a> {
    rest: &'a [u8],
    base: u16,
    following: u16,
}

impl Iterator for Lost<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.following == 0 {
            let ([a, b, c, d], rest) = self.rest.split_first_chunk()?;
            (self.rest, self.base, self.following) = (rest, u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
            return Some(self.base);
        }
        let at = self.following.trailing_zeros() as u16;
        self.following &= self.following - 1;
        Some(self.base.wrapping_add(at + 1))
    }
}

/// What transport-wide feedback says, packet by packet.
#[derive(Debug, Clone, Copy)]
pub struct TwccView<'a> {
    /// The transport-wide number of the first packet.
    pub base: u16,
    /// How many packets it speaks of.
    pub count: u16,
    /// 64 ms each, signed, on the receiver's clock; packets' times count from here.
    pub reference: i32,
    /// Counts feedback packets, and rolls over.
    pub number: u8,
    rest: &'a [u8],
}

impl<'a> TwccView<'a> {
    fn read(rest: &'a [u8]) -> Option<Self> {
        let ([a, b, c, d, e, f, g, number], rest) = rest.split_first_chunk()?;
        Some(Self {
            base: u16::from_be_bytes([*a, *b]),
            count: u16::from_be_bytes([*c, *d]),
            reference: i32::from_be_bytes([*e, *f, *g, 0]) >> 8,
            number: *number,
            rest,
        })
    }

    /// Each packet's number, and when it came: units of 250 µs since [`Self::reference`]; `None` if it
    /// did not come, or came untimed. Ends early where the lengths lie.
    pub fn packets(&self) -> impl Iterator<Item = (u16, Option<i64>)> + use<'a> {
        let mut at = 0_i64;
        let mut statuses = Statuses { rest: self.rest, left: self.count, chunk: Chunk::Run { status: 0, left: 0 } };
        let mut deltas = statuses.deltas();
        let mut number = self.base.wrapping_sub(1);
        std::iter::from_fn(move || {
            let status = statuses.next()?;
            number = number.wrapping_add(1);
            let delta = match status {
                1 => i64::from(*deltas.split_off_first()?),
                2 => {
                    let (delta, rest) = deltas.split_first_chunk()?;
                    deltas = rest;
                    i64::from(i16::from_be_bytes(*delta))
                }
                _ => return Some((number, None)),
            };
            at += delta;
            Some((number, Some(at)))
        })
    }
}

/// The two-bit statuses of packets: 0 lost, 1 with a short delta, 2 with a long one.
#[derive(Clone, Copy)]
struct Statuses<'a> {
    rest: &'a [u8],
    left: u16,
    chunk: Chunk,
}

#[derive(Clone, Copy)]
enum Chunk {
    Run { status: u8, left: u16 },
    Vector { bits: u16, width: u32, left: u16 },
}

impl<'a> Statuses<'a> {
    /// What stands behind the last chunk.
    fn deltas(mut self) -> &'a [u8] {
        while self.next().is_some() {}
        self.rest
    }

    fn next(&mut self) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        loop {
            match &mut self.chunk {
                Chunk::Run { left: 0, .. } | Chunk::Vector { left: 0, .. } => {}
                Chunk::Run { status, left } => {
                    *left -= 1;
                    return Some(*status);
                }
                Chunk::Vector { bits, width, left } => {
                    *left -= 1;
                    let status = *bits >> (16 - *width);
                    *bits <<= *width;
                    return Some(status as u8);
                }
            }
            let (chunk, rest) = self.rest.split_first_chunk()?;
            self.rest = rest;
            self.chunk = Chunk::read(u16::from_be_bytes(*chunk));
        }
    }
}

impl Chunk {
    fn read(chunk: u16) -> Self {
        match chunk >> 14 {
            0 | 1 => Self::Run { status: (chunk >> 13) as u8, left: chunk & 0x1FFF },
            2 => Self::Vector { bits: chunk << 2, width: 1, left: 14 },
            _ => Self::Vector { bits: chunk << 2, width: 2, left: 7 },
        }
    }
}
