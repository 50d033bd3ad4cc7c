//! What is received: packets put on their lines, retransmissions made into what they repeat, and the
//! feedback about it all.

use std::time::{Duration, Instant};

use heliu_rtp::rtcp::{self, ReportBlock};
use heliu_rtp::{Receiver, RtpView, TwccRecorder, extension};

use super::Stats;
use super::keyframe_wish::KeyframeWish;
use super::recognition::{Recognition, Role, Stream};
use crate::discard::Discard;
use crate::line::{Direction, MLine};

/// Under which feedback is given: a side that sends nothing has no SSRC; browsers take 1 too.
const FEEDBACK_SSRC: u32 = 1;
/// A publisher measures its round trip by the reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
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
    /// Unrolled; the first of an SSRC lies one turn above zero.
    pub sequence: u64,
    /// Unrolled; the first of an SSRC lies one turn above zero.
    pub timestamp: u64,
    /// The packet.
    pub view: RtpView<'a>,
}

/// All lines that receive.
#[derive(Debug)]
pub struct Reception {
    recognition: Recognition,
    /// By SSRC of media, as many as are recognized.
    receivers: Vec<(Stream, Box<Receiver>)>,
    twcc: TwccRecorder,
    /// The SSRC that feedback of arrival times names.
    twcc_ssrc: u32,
    report_at: Option<Instant>,
    /// One for each line that receives, by line.
    wishes: Vec<Option<KeyframeWish>>,
}

impl Reception {
    pub fn new(lines: Vec<MLine>) -> Self {
        let wish =
            |line: &MLine| (line.direction == Direction::Receive && line.feedback.pli).then(KeyframeWish::default);
        Self {
            wishes: lines.iter().map(wish).collect(),
            recognition: Recognition::new(lines),
            receivers: Vec::new(),
            twcc: TwccRecorder::new(),
            twcc_ssrc: 0,
            report_at: None,
        }
    }

    /// Takes a packet that was opened.
    ///
    /// # Errors
    /// It is not RTP, on no line, nothing that its line carries, or was there before.
    pub fn handle_packet<'a>(&mut self, packet: &'a mut [u8], now: Instant) -> Result<Incoming<'a>, Discard> {
        let view = RtpView::parse(packet).map_err(|_| Discard::RtpMalformed)?;
        let stream = self.recognition.stream(&view)?;
        self.note_arrival(&view, &stream, now);
        let packet = match stream.role {
            Role::Media => &*packet,
            Role::Repair { .. } if view.payload().len() < ORIGINAL_LEN => return Err(Discard::RtpEmpty),
            Role::Repair { of } => {
                let header_len = view.payload_range().start;
                unwrap(packet, header_len, self.recognition.lines()[stream.line].payload_type, of)
            }
        };
        let view = RtpView::parse(packet).map_err(|_| Discard::RtpMalformed)?;
        let receiver = self.receiver(stream, &view, now)?;
        let arrival = receiver.handle_packet(view.sequence(), view.timestamp(), now).map_err(discard)?;
        Ok(Incoming {
            line: stream.line,
            rid: stream.rid,
            is_retransmission: stream.role != Role::Media,
            sequence: arrival.sequence,
            timestamp: arrival.timestamp,
            view,
        })
    }

    /// Takes a sender report; the line it is about.
    pub fn handle_sender_report(&mut self, ssrc: u32, ntp: u64, now: Instant) -> Option<usize> {
        let (stream, receiver) = self.receivers.iter_mut().find(|(stream, _)| stream.ssrc == ssrc)?;
        receiver.handle_sender_report(ntp, now);
        Some(stream.line)
    }

    /// Somebody wants a keyframe of the line.
    pub fn request_keyframe(&mut self, line: usize) {
        if let Some(Some(wish)) = self.wishes.get_mut(line) {
            wish.note();
        }
    }

    /// One came.
    pub fn note_keyframe(&mut self, line: usize) {
        if let Some(Some(wish)) = self.wishes.get_mut(line) {
            wish.fulfil();
        }
    }

    /// When [`Self::poll_feedback`] has something.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let nacks = self.receivers.iter().filter(|(stream, _)| self.is_asked_again(stream));
        let nacks = nacks.filter_map(|(_, receiver)| receiver.poll_timeout());
        let wishes = self.wishes.iter().flatten().filter_map(KeyframeWish::poll_timeout);
        nacks.chain(wishes).chain(self.report_at).chain(self.twcc.poll_timeout()).min()
    }

    /// Appends one compound that is due to `out`. Call it until it returns false.
    pub fn poll_feedback(&mut self, now: Instant, cname: &str, stats: &mut Stats, out: &mut Vec<u8>) -> bool {
        if self.report_at.is_some_and(|at| at <= now) {
            self.report_at = Some(now + REPORT_INTERVAL);
            self.write_report(now, cname, out);
            return true;
        }
        let start = out.len();
        // A compound begins with a report (RFC 3550 §6.1).
        rtcp::write_receiver_report(out, FEEDBACK_SSRC, &[]);
        let is_due = self.write_keyframe_request(now, stats, out)
            || self.write_nack(now, stats, out)
            || self.twcc.poll(now, FEEDBACK_SSRC, self.twcc_ssrc, out);
        if !is_due {
            out.truncate(start);
        }
        is_due
    }

    fn receiver(&mut self, stream: Stream, view: &RtpView<'_>, now: Instant) -> Result<&mut Receiver, Discard> {
        let known = self.receivers.iter().position(|(known, _)| known.ssrc == view.ssrc());
        let at = match (known, stream.role) {
            (Some(known), _) => known,
            // Recognition knows no more of them than it has room for.
            (None, Role::Media) => {
                self.report_at.get_or_insert(now + REPORT_INTERVAL);
                let clock_rate = self.recognition.lines()[stream.line].clock_rate;
                self.receivers.push((stream, Box::new(Receiver::new(clock_rate))));
                self.receivers.len() - 1
            }
            (None, Role::Repair { .. }) => return Err(Discard::RtpForeign),
        };
        Ok(&mut self.receivers[at].1)
    }

    fn note_arrival(&mut self, view: &RtpView<'_>, stream: &Stream, now: Instant) {
        let line = &self.recognition.lines()[stream.line];
        let id = line.extensions.twcc.filter(|_| line.feedback.twcc);
        let value = id.and_then(|id| view.extension(id));
        if let Some(sequence) = value.and_then(extension::transport_sequence) {
            self.twcc_ssrc = view.ssrc();
            self.twcc.note(sequence, now);
        }
    }

    fn write_report(&mut self, now: Instant, cname: &str, out: &mut Vec<u8>) {
        let blocks = self.receivers.iter_mut().filter_map(|(stream, receiver)| receiver.report(stream.ssrc, now));
        let blocks: Vec<ReportBlock> = blocks.collect();
        rtcp::write_receiver_report(out, FEEDBACK_SSRC, &blocks);
        rtcp::write_cname(out, FEEDBACK_SSRC, cname);
    }

    fn write_keyframe_request(&mut self, now: Instant, stats: &mut Stats, out: &mut Vec<u8>) -> bool {
        for (line, wish) in self.wishes.iter_mut().enumerate() {
            let Some(wish) = wish else { continue };
            let mut ssrcs = self.recognition.media_ssrcs(line).peekable();
            if ssrcs.peek().is_some() && wish.poll(now) {
                for ssrc in ssrcs {
                    stats.plis_sent += 1;
                    rtcp::write_pli(out, FEEDBACK_SSRC, ssrc);
                }
                return true;
            }
        }
        false
    }

    fn write_nack(&mut self, now: Instant, stats: &mut Stats, out: &mut Vec<u8>) -> bool {
        let lines = self.recognition.lines();
        let asked_again = self.receivers.iter_mut().filter(|(stream, _)| lines[stream.line].feedback.nack);
        for (stream, receiver) in asked_again {
            if let Some(lost) = receiver.poll_nack(now) {
                stats.nacks_sent += lost.len() as u64;
                rtcp::write_nack(out, FEEDBACK_SSRC, stream.ssrc, lost);
                return true;
            }
        }
        false
    }

    fn is_asked_again(&self, stream: &Stream) -> bool {
        self.recognition.lines()[stream.line].feedback.nack
    }
}

fn discard(reason: heliu_rtp::Discard) -> Discard {
    match reason {
        heliu_rtp::Discard::Duplicate => Discard::RtpDuplicate,
        heliu_rtp::Discard::TooLate => Discard::RtpLate,
        heliu_rtp::Discard::SequenceJump => Discard::RtpJump,
        _ => Discard::RtpMalformed,
    }
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
