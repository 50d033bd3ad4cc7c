//! One line that sends: headers, retransmissions, sender reports.

use std::time::{Duration, Instant};

use heliu_model::MediaTime;
use heliu_rtp::rtcp::{self, ReportBlock, SenderInfo};
use heliu_rtp::{HeaderFields, write_header, write_padding};

use crate::line::{Direction, ExtensionIds, MLine};
use crate::srtp::{Outbound, Stream};

/// A player aligns sound and pictures by the first reports; later ones correct clocks that drift.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Until there is something to report.
const FIRST_REPORT_RETRY: Duration = Duration::from_millis(50);
/// Every packet may be asked for once again on average, so many at once.
const RESEND_CREDIT_MAX: u16 = 512;
const RESEND_CREDIT_START: u16 = 64;
/// Players repeat their wish with each picture; one is enough for all that are under way.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(200);

/// What one media packet says of itself. Payload type and SSRC are its line's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The last packet of a picture; the first after silence.
    pub marker: bool,
    /// The caller's; the first of a line is best below 2^15, so that a peer that loses it still counts
    /// rollovers as we do (RFC 3711 §3.3.1).
    pub sequence: u16,
    /// The caller's.
    pub timestamp: u32,
    /// 0..=127 -dBov, told if the line has the extension.
    pub audio_level: Option<u8>,
    /// Quarter turns, told if the line has the extension.
    pub orientation: Option<u8>,
}

/// One line's SSRC and what belongs to it.
#[derive(Debug)]
pub struct Sender {
    stream: Stream,
    payload_type: u8,
    extensions: ExtensionIds,
    repair: Option<Repair>,
    clock_rate: u32,
    clock: Option<(Instant, u32)>,
    packets: u32,
    octets: u32,
    report_at: Option<Instant>,
    resend_credit: u16,
    keyframe_wanted_at: Option<Instant>,
    told: Option<ReportBlock>,
}

/// Where retransmissions go.
#[derive(Debug)]
struct Repair {
    stream: Stream,
    payload_type: u8,
    sequence: u16,
}

impl Sender {
    /// `None`: nothing is sent on the line.
    pub fn new(line: &MLine) -> Option<Self> {
        let ssrc = *line.ssrcs.first().filter(|_| line.direction == Direction::Send)?;
        let repair = line.rtx_payload_type.zip(line.rtx_ssrcs.first());
        Some(Self {
            stream: Stream::new(ssrc),
            payload_type: line.payload_type,
            extensions: line.extensions,
            repair: repair.map(|(payload_type, ssrc)| Repair { stream: Stream::new(*ssrc), payload_type, sequence: 0 }),
            clock_rate: line.clock_rate,
            clock: None,
            packets: 0,
            octets: 0,
            report_at: None,
            resend_credit: RESEND_CREDIT_START,
            keyframe_wanted_at: None,
            told: None,
        })
    }

    /// Ours.
    pub fn ssrc(&self) -> u32 {
        self.stream.ssrc()
    }

    /// See [`crate::Session::seal`].
    pub fn seal(
        &mut self,
        keys: &Outbound,
        packet: &Outgoing,
        payload: &[u8],
        out: &mut Vec<u8>,
        pad_to: Option<usize>,
    ) -> bool {
        let start = out.len();
        let fields = packet.fields(self.payload_type, self.stream.ssrc());
        write(out, &fields, packet, self.extensions);
        let header_len = out.len() - start;
        out.extend_from_slice(payload);
        pad(out, start, keys.rtp_overhead(), pad_to);
        if !keys.seal_rtp(&mut self.stream, out, start, header_len) {
            return false;
        }
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload.len() as u32);
        self.resend_credit = (self.resend_credit + 1).min(RESEND_CREDIT_MAX);
        true
    }

    /// See [`crate::Session::seal_retransmission`].
    pub fn seal_retransmission(
        &mut self,
        keys: &Outbound,
        packet: &Outgoing,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(repair) = &mut self.repair else { return false };
        let start = out.len();
        let fields = packet.fields(repair.payload_type, repair.stream.ssrc());
        write(out, &HeaderFields { sequence: repair.sequence, ..fields }, packet, self.extensions);
        let header_len = out.len() - start;
        out.extend_from_slice(&packet.sequence.to_be_bytes());
        out.extend_from_slice(payload);
        repair.sequence = repair.sequence.wrapping_add(1);
        keys.seal_rtp(&mut repair.stream, out, start, header_len)
    }

    /// May a packet that the peer asks for be sent again?
    pub fn may_resend(&mut self, sequence: u16) -> bool {
        let may = self.repair.is_some() && self.resend_credit > 0 && self.stream.has_sealed(sequence);
        self.resend_credit -= u16::from(may);
        may
    }

    /// The peer wants a keyframe. False: it said so a moment ago.
    pub fn note_keyframe_wanted(&mut self, now: Instant) -> bool {
        let is_heard = self.keyframe_wanted_at.is_none_or(|at| at + KEYFRAME_INTERVAL <= now);
        if is_heard {
            self.keyframe_wanted_at = Some(now);
        }
        is_heard
    }

    /// What the peer says it received.
    pub fn note_block(&mut self, block: &ReportBlock) {
        self.told = Some(*block);
    }

    /// What the peer said last that it received.
    pub fn told(&self) -> Option<&ReportBlock> {
        self.told.as_ref()
    }

    /// At this moment the line's timestamps show `timestamp`.
    pub fn set_clock(&mut self, at: Instant, timestamp: u32) {
        self.clock = Some((at, timestamp));
        self.report_at.get_or_insert(at);
    }

    /// When a report is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.report_at
    }

    /// Appends a report of the moment that is `clock` on the session's clock. False: there is nothing to report.
    pub fn report(&mut self, now: Instant, clock: MediaTime, out: &mut Vec<u8>) -> bool {
        let Some(shows) = self.clock.filter(|_| self.packets > 0) else {
            self.report_at = self.report_at.map(|_| now + FIRST_REPORT_RETRY);
            return false;
        };
        let info = SenderInfo {
            ntp: rtcp::ntp(clock),
            rtp: shown(shows, self.clock_rate, now),
            packets: self.packets,
            octets: self.octets,
        };
        rtcp::write_sender_report(out, self.stream.ssrc(), &info, &[]);
        self.report_at = Some(now + REPORT_INTERVAL);
        true
    }
}

impl Outgoing {
    fn fields(&self, payload_type: u8, ssrc: u32) -> HeaderFields {
        HeaderFields { payload_type, marker: self.marker, sequence: self.sequence, timestamp: self.timestamp, ssrc }
    }
}

fn write(out: &mut Vec<u8>, fields: &HeaderFields, packet: &Outgoing, ids: ExtensionIds) {
    let level = [packet.audio_level.unwrap_or(0) & 0x7f];
    let orientation = [packet.orientation.unwrap_or(0) & 3];
    let mut extensions: [(u8, &[u8]); 2] = [(0, &[]); 2];
    let mut len = 0;
    for (id, is_told, value) in [
        (ids.audio_level, packet.audio_level.is_some(), &level),
        (ids.orientation, packet.orientation.is_some(), &orientation),
    ] {
        if let Some(id) = id.filter(|_| is_told) {
            extensions[len] = (id, value);
            len += 1;
        }
    }
    write_header(out, fields, &extensions[..len]);
}

/// Up to the length that the sealed datagram shall have.
fn pad(out: &mut Vec<u8>, start: usize, overhead: usize, pad_to: Option<usize>) {
    let len = out.len() - start + overhead;
    let missing = pad_to.and_then(|pad_to| pad_to.checked_sub(len)).and_then(|missing| u8::try_from(missing).ok());
    write_padding(out, start, missing.unwrap_or(0));
}

/// What a clock shows at `now` that showed a timestamp at another moment.
fn shown((at, timestamp): (Instant, u32), rate: u32, now: Instant) -> u32 {
    let ticks = |span: Duration| (span.as_nanos() * u128::from(rate) / 1_000_000_000) as u32;
    match now.checked_duration_since(at) {
        Some(later) => timestamp.wrapping_add(ticks(later)),
        None => timestamp.wrapping_sub(ticks(at.duration_since(now))),
    }
}
