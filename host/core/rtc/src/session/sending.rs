//! All lines that send: what the peer says of them, and the reports about them.

use std::time::{Duration, Instant};

use heliu_model::MediaTime;
use heliu_rtp::rtcp::{self, Lost, ReportBlock};

use super::Stats;
use super::event::{Event, Events};
use super::outgoing::Sender;
use crate::discard::Discard;
use crate::line::MLine;

/// Senders by line, and the clock of their reports.
#[derive(Debug)]
pub struct Sending {
    senders: Vec<Option<Sender>>,
    /// Time zero of the reports.
    epoch: Instant,
    round_trip: Option<Duration>,
}

impl Sending {
    pub fn new(lines: &[MLine], epoch: Instant) -> Self {
        let senders = lines.iter().map(Sender::new).collect();
        Self { senders, epoch, round_trip: None }
    }

    /// `None`: a line that does not send.
    pub fn line(&self, line: usize) -> Option<&Sender> {
        self.senders.get(line)?.as_ref()
    }

    /// `None`: a line that does not send.
    pub fn line_mut(&mut self, line: usize) -> Option<&mut Sender> {
        self.senders.get_mut(line)?.as_mut()
    }

    /// From a report to its answer.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Takes what the peer says it received.
    pub fn handle_block(&mut self, block: &ReportBlock, now: Instant) {
        let now = rtcp::compact(rtcp::ntp(self.clock(now)));
        let Some((_, sender)) = self.find(block.ssrc) else { return };
        sender.note_block(block);
        let measured = rtcp::round_trip(block.last_report, block.delay_since, now);
        self.round_trip = measured.or(self.round_trip);
    }

    /// Takes what the peer asks for again.
    pub fn handle_nack(&mut self, ssrc: u32, lost: Lost<'_>, events: &mut Events, stats: &mut Stats) {
        let Some((line, sender)) = self.find(ssrc) else { return };
        for sequence in lost {
            stats.nacks_received += 1;
            let told = if sender.may_resend(sequence) {
                events.push(Event::Retransmit { line, sequence })
            } else {
                Err(Discard::NackExcess)
            };
            told.unwrap_or_else(|reason| stats.discards.count(reason));
        }
    }

    /// Takes a wish for a keyframe.
    pub fn handle_pli(&mut self, ssrc: u32, now: Instant, events: &mut Events, stats: &mut Stats) {
        let Some((line, sender)) = self.find(ssrc) else { return };
        stats.plis_received += 1;
        if sender.note_keyframe_wanted(now) {
            events.push(Event::KeyframeWanted { line }).unwrap_or_else(|reason| stats.discards.count(reason));
        }
    }

    /// When [`Self::poll_report`] has something.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.senders.iter().flatten().filter_map(Sender::poll_timeout).min()
    }

    /// Appends one compound for all lines, so that a player learns of sound and pictures at once. False:
    /// none is due.
    pub fn poll_report(&mut self, now: Instant, cname: &str, out: &mut Vec<u8>) -> bool {
        if self.poll_timeout().is_none_or(|at| at > now) {
            return false;
        }
        let (start, clock) = (out.len(), self.clock(now));
        for sender in self.senders.iter_mut().flatten() {
            if sender.report(now, clock, out) {
                rtcp::write_cname(out, sender.ssrc(), cname);
            }
        }
        out.len() > start
    }

    fn find(&mut self, ssrc: u32) -> Option<(usize, &mut Sender)> {
        let all = self.senders.iter_mut().enumerate().filter_map(|(line, sender)| Some((line, sender.as_mut()?)));
        all.into_iter().find(|(_, sender)| sender.ssrc() == ssrc)
    }

    fn clock(&self, now: Instant) -> MediaTime {
        let since = now.saturating_duration_since(self.epoch).as_nanos();
        MediaTime(i64::try_from(since).unwrap_or(i64::MAX))
    }
}
