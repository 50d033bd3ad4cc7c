//! What one receives of one source: numbers unrolled, duplicates known, what is missing asked for, and
//! the report block about it (RFC 3550 appendices A.1, A.3, A.8).
//!
//! A packet that was sent again is handled under its own number like any other: it fills its hole, and
//! the time from asking to its coming is the round trip that the next asking waits for.
//!
//! Not here: putting packets in order. They are forwarded as they come.

mod history;
mod jitter;
mod missing;

use std::time::{Duration, Instant};

use crate::rtcp::{ReportBlock, compact};
use crate::{Discard, Discards, SequenceUnroller, TimestampUnroller};
use history::{HISTORY_LEN, History};
use jitter::Jitter;
use missing::Missing;

/// A step forward by more is no loss (RFC 3550 appendix A.1, `MAX_DROPOUT`).
const STEP_MAX: u64 = 3_000;

/// Receives one source.
#[derive(Debug)]
pub struct Receiver {
    sequences: SequenceUnroller,
    timestamps: TimestampUnroller,
    history: History,
    missing: Missing,
    jitter: Jitter,
    counts: Counts,
    received: u64,
    /// The number that proves that a jump was a new beginning.
    jump: Option<u16>,
    last_report: Option<(u32, Instant)>,
    discards: Discards,
}

/// Where a packet belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Unrolled.
    pub sequence: u64,
    /// Unrolled.
    pub timestamp: u64,
}

/// Since the source began (anew).
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    first: Option<u64>,
    received: u64,
    expected_before: u64,
    received_before: u64,
}

impl Receiver {
    /// `clock_rate`: timestamp units per second; 0 counts as 1.
    #[must_use]
    pub fn new(clock_rate: u32) -> Self {
        Self {
            sequences: SequenceUnroller::default(),
            timestamps: TimestampUnroller::default(),
            history: History::default(),
            missing: Missing::default(),
            jitter: Jitter::new(clock_rate),
            counts: Counts::default(),
            received: 0,
            jump: None,
            last_report: None,
            discards: Discards::default(),
        }
    }

    /// Takes a packet, also one that was sent again.
    ///
    /// # Errors
    /// It was there already ([`Discard::Duplicate`]), is 2 048 or more behind the highest
    /// ([`Discard::TooLate`]), or leads more than 3 000 ahead or that far back
    /// ([`Discard::SequenceJump`]); two such in a row are a source that began anew, and the second is
    /// taken.
    pub fn handle_packet(&mut self, sequence: u16, timestamp: u32, now: Instant) -> Result<Arrival, Discard> {
        let arrival = self.place(sequence, now).map(|sequence| {
            let timestamp_unrolled = self.timestamps.unroll(timestamp);
            if self.sequences.highest() == Some(sequence) {
                self.jitter.handle_packet(timestamp_unrolled, now);
            }
            self.received += 1;
            Arrival { sequence, timestamp: timestamp_unrolled }
        });
        arrival.inspect_err(|reason| self.discards.count(*reason))
    }

    /// Numbers that should be asked for now, in rising order, at most 128: those that are missing, each
    /// again after a round trip, ten times and for one second at most. At most 512 are waited for.
    pub fn poll_nack(&mut self, now: Instant) -> Option<&[u16]> {
        self.missing.poll(now)
    }

    /// When [`Self::poll_nack`] has something.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.missing.poll_timeout()
    }

    /// Takes the NTP time of a sender report of this source.
    pub fn handle_sender_report(&mut self, ntp: u64, now: Instant) {
        self.last_report = Some((compact(ntp), now));
    }

    /// The block about this source, for a report that is sent now: the fraction is of what came since
    /// the last call. `None` before its first packet.
    pub fn report(&mut self, ssrc: u32, now: Instant) -> Option<ReportBlock> {
        let highest = self.sequences.highest()?;
        let (lost, fraction_lost) = self.counts.report(highest);
        let (last_report, delay_since) = match self.last_report {
            Some((last_report, at)) => (last_report, in_65536ths(now.saturating_duration_since(at))),
            None => (0, 0),
        };
        let jitter = self.jitter.get();
        // Unrolled numbers begin one turn up.
        let highest = highest.wrapping_sub(1 << 16) as u32;
        Some(ReportBlock { ssrc, fraction_lost, lost, highest, jitter, last_report, delay_since })
    }

    /// From asking for a packet to its coming, smoothed; a guess before the first.
    #[must_use]
    pub fn round_trip(&self) -> Duration {
        self.missing.round_trip()
    }

    /// Packets that were missing and are not waited for any more.
    #[must_use]
    pub fn given_up(&self) -> u64 {
        self.missing.given_up()
    }

    /// Packets that were taken, those sent again included.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// What was dropped, by reason.
    #[must_use]
    pub fn discards(&self) -> &Discards {
        &self.discards
    }

    fn place(&mut self, sequence: u16, now: Instant) -> Result<u64, Discard> {
        let unrolled = self.sequences.peek(sequence);
        match self.sequences.highest() {
            None => self.advance(unrolled, now),
            Some(highest) if unrolled > highest && unrolled - highest <= STEP_MAX => self.advance(unrolled, now),
            Some(highest) if unrolled <= highest && highest - unrolled < HISTORY_LEN => self.fill(unrolled, now)?,
            Some(highest) => return self.jump(sequence, unrolled < highest),
        }
        self.sequences.unroll(sequence);
        self.jump = None;
        Ok(unrolled)
    }

    fn advance(&mut self, unrolled: u64, now: Instant) {
        if let Some(highest) = self.sequences.highest() {
            self.missing.add(highest + 1..unrolled, now);
        }
        self.history.advance(self.sequences.highest(), unrolled);
        self.counts.count(unrolled);
    }

    fn fill(&mut self, unrolled: u64, now: Instant) -> Result<(), Discard> {
        if !self.history.note(unrolled) {
            return Err(Discard::Duplicate);
        }
        self.missing.remove(unrolled, now);
        self.counts.count(unrolled);
        Ok(())
    }

    fn jump(&mut self, sequence: u16, is_back: bool) -> Result<u64, Discard> {
        if self.jump != Some(sequence) {
            self.jump = Some(sequence.wrapping_add(1));
            return Err(if is_back { Discard::TooLate } else { Discard::SequenceJump });
        }
        self.jump = None;
        let unrolled = self.sequences.restart(sequence);
        self.history = History::default();
        self.history.advance(None, unrolled);
        self.missing.clear();
        self.jitter.restart();
        self.counts = Counts::default();
        self.counts.count(unrolled);
        Ok(unrolled)
    }
}

impl Counts {
    fn count(&mut self, unrolled: u64) {
        self.first = Some(self.first.map_or(unrolled, |first| first.min(unrolled)));
        self.received += 1;
    }

    /// Lost in all, and since the last report in 256ths (RFC 3550 appendix A.3).
    fn report(&mut self, highest: u64) -> (i32, u8) {
        let expected = self.first.map_or(0, |first| highest.saturating_sub(first) + 1);
        let expected_since = expected.saturating_sub(self.expected_before);
        let received_since = self.received.saturating_sub(self.received_before);
        (self.expected_before, self.received_before) = (expected, self.received);
        let lost_since = expected_since.saturating_sub(received_since);
        let fraction = (lost_since << 8).checked_div(expected_since).unwrap_or(0);
        let lost = expected.saturating_sub(self.received);
        (i32::try_from(lost).unwrap_or(i32::MAX), u8::try_from(fraction).unwrap_or(u8::MAX))
    }
}

fn in_65536ths(span: Duration) -> u32 {
    u32::try_from((span.as_nanos() << 16) / 1_000_000_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
