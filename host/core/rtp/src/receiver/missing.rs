//! Packets that are missing, and when each is asked for.

use std::ops::Range;
use std::time::{Duration, Instant};

/// Asked for at once, in one packet of feedback.
const NACK_LEN_MAX: usize = 128;
/// Waited for together; the oldest are given up for younger ones.
const MISSING_MAX: usize = 512;
const TRIES_MAX: u8 = 10;
/// Nobody shows what comes later.
const AGE_MAX: Duration = Duration::from_secs(1);
const ROUND_TRIP_GUESS: Duration = Duration::from_millis(100);
/// Between two askings for one packet, whatever was measured.
const RETRY_MIN: Duration = Duration::from_millis(20);
const RETRY_MAX: Duration = Duration::from_millis(300);

/// Packets that are missing, in rising order.
#[derive(Debug)]
pub(super) struct Missing {
    packets: Vec<Hole>,
    due: Vec<u16>,
    round_trip: Option<Duration>,
    given_up: u64,
}

#[derive(Debug, Clone, Copy)]
struct Hole {
    sequence: u64,
    since: Instant,
    asked: Option<Instant>,
    tries: u8,
}

impl Default for Missing {
    fn default() -> Self {
        Self { packets: Vec::new(), due: Vec::with_capacity(NACK_LEN_MAX), round_trip: None, given_up: 0 }
    }
}

impl Missing {
    /// These have been overtaken; all are above those that are missing already.
    pub(super) fn add(&mut self, mut sequences: Range<u64>, now: Instant) {
        let len = (sequences.end - sequences.start) as usize;
        let excess = len.saturating_sub(MISSING_MAX);
        sequences.start += excess as u64;
        let old = (self.packets.len() + len - excess).saturating_sub(MISSING_MAX);
        self.packets.drain(..old);
        self.given_up += (excess + old) as u64;
        self.packets.extend(sequences.map(|sequence| Hole { sequence, since: now, asked: None, tries: 0 }));
    }

    /// It has come.
    pub(super) fn remove(&mut self, sequence: u64, now: Instant) {
        let Ok(at) = self.packets.binary_search_by_key(&sequence, |hole| hole.sequence) else { return };
        let hole = self.packets.remove(at);
        // Asked for twice, nobody knows which asking brought it.
        if let (Some(asked), 1) = (hole.asked, hole.tries) {
            let measured = now.saturating_duration_since(asked);
            self.round_trip = Some(self.round_trip.map_or(measured, |before| (before * 7 + measured) / 8));
        }
    }

    pub(super) fn clear(&mut self) {
        self.given_up += self.packets.len() as u64;
        self.packets.clear();
    }

    pub(super) fn poll(&mut self, now: Instant) -> Option<&[u16]> {
        let retry = self.retry();
        let before = self.packets.len();
        self.packets.retain(|hole| hole.is_waited_for(now, retry));
        self.given_up += (before - self.packets.len()) as u64;
        self.due.clear();
        for hole in self.packets.iter_mut().filter(|hole| hole.due(retry) <= now).take(NACK_LEN_MAX) {
            hole.asked = Some(now);
            hole.tries += 1;
            self.due.push(hole.sequence as u16);
        }
        (!self.due.is_empty()).then_some(&self.due)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.packets.iter().map(|hole| hole.due(self.retry())).min()
    }

    pub(super) fn round_trip(&self) -> Duration {
        self.round_trip.unwrap_or(ROUND_TRIP_GUESS)
    }

    pub(super) fn given_up(&self) -> u64 {
        self.given_up
    }

    /// A quarter longer than the way there and back, for what is uneven about it.
    fn retry(&self) -> Duration {
        (self.round_trip() * 5 / 4).clamp(RETRY_MIN, RETRY_MAX)
    }
}

impl Hole {
    fn due(&self, retry: Duration) -> Instant {
        self.asked.map_or(self.since, |asked| asked + retry)
    }

    /// The last asking may still be answered.
    fn is_waited_for(&self, now: Instant, retry: Duration) -> bool {
        let is_spent = self.tries == TRIES_MAX && self.due(retry) <= now;
        !is_spent && now.saturating_duration_since(self.since) < AGE_MAX
    }
}
