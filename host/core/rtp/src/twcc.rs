//! Tells a publisher when each of its packets came, whatever their stream, so that it can estimate what
//! its way carries (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//!
//! Every 100 milliseconds one packet of feedback, or more of them after a flood. What comes after it was
//! reported as missing is left out.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::SequenceUnroller;
use crate::rtcp::write_twcc;

const INTERVAL: Duration = Duration::from_millis(100);
/// Packets that one packet of feedback speaks of: it stays below a kilobyte whatever their times.
const REPORT_LEN_MAX: usize = 400;
/// Packets that wait to be reported; at 100 ms, 300 Mbit/s. A wider step begins anew.
const PENDING_MAX: usize = 4_096;
/// Of the feedback's clock.
const TICK_NS: u128 = 250_000;
/// Of the feedback's reference time: 64 ms.
const REFERENCE_TICKS: i64 = 256;

/// Remembers when packets came.
#[derive(Debug, Default)]
pub struct TwccRecorder {
    sequences: SequenceUnroller,
    /// Time zero of the feedback.
    start: Option<Instant>,
    /// The number of the first that is pending.
    base: u64,
    /// Ticks; `None` did not come.
    pending: VecDeque<Option<i64>>,
    reported_at: Option<Instant>,
    number: u8,
}

/// What one packet of feedback says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Lost,
    /// Ticks since the packet before, or since the reference time.
    Short(u8),
    /// The same if it does not fit.
    Long(i16),
}

impl TwccRecorder {
    /// Before the first packet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A packet with this transport-wide number ([`crate::extension::transport_sequence`]) came.
    pub fn note(&mut self, sequence: u16, now: Instant) {
        let start = *self.start.get_or_insert(now);
        let ticks = i64::try_from(now.saturating_duration_since(start).as_nanos() / TICK_NS).unwrap_or(i64::MAX);
        let is_first = self.sequences.highest().is_none();
        let sequence = self.sequences.unroll(sequence);
        if is_first {
            self.base = sequence;
        }
        let Some(mut at) = sequence.checked_sub(self.base) else { return };
        if at >= PENDING_MAX as u64 {
            self.pending.clear();
            (self.base, at) = (sequence, 0);
        }
        let at = at as usize;
        if self.pending.len() <= at {
            self.pending.resize(at + 1, None);
        }
        self.pending[at].get_or_insert(ticks);
    }

    /// When [`Self::poll`] has something.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let due = self.reported_at.or(self.start)? + INTERVAL;
        (!self.pending.is_empty()).then_some(due)
    }

    /// Appends one packet of feedback to `out` if one is due. Call it until it returns false: what one
    /// packet does not hold is due at once.
    pub fn poll(&mut self, now: Instant, sender_ssrc: u32, media_ssrc: u32, out: &mut Vec<u8>) -> bool {
        if self.poll_timeout().is_none_or(|due| now < due) {
            return false;
        }
        let Some(first) = self.pending.iter().copied().find_map(|ticks| ticks) else { return false };
        let reference = first.div_euclid(REFERENCE_TICKS);
        let statuses = self.take(reference * REFERENCE_TICKS);
        let base = self.base.wrapping_sub(statuses.len() as u64) as u16;
        write_twcc(out, sender_ssrc, media_ssrc, (base, reference as u32, self.number), &statuses);
        self.number = self.number.wrapping_add(1);
        if self.pending.is_empty() {
            self.reported_at = Some(now);
        }
        true
    }

    /// Takes off the front what one packet holds: up to its length, or to a time that is too far from the
    /// one before. The last one that is pending came, so something always is.
    fn take(&mut self, mut before: i64) -> Vec<Status> {
        let mut statuses = Vec::with_capacity(self.pending.len().min(REPORT_LEN_MAX));
        while let Some(&ticks) = self.pending.front() {
            let status = match ticks {
                None => Status::Lost,
                Some(ticks) => {
                    let delta = ticks.saturating_sub(before);
                    before = ticks;
                    match (u8::try_from(delta), i16::try_from(delta)) {
                        (Ok(short), _) => Status::Short(short),
                        (_, Ok(long)) => Status::Long(long),
                        // Too far: the next packet has a reference of its own.
                        _ => break,
                    }
                }
            };
            if statuses.len() == REPORT_LEN_MAX {
                break;
            }
            statuses.push(status);
            self.pending.pop_front();
            self.base += 1;
        }
        statuses
    }
}

#[cfg(test)]
mod tests;
