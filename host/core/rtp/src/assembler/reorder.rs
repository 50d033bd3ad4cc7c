//! Packets in the order in which they were sent, as far as they come in time.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use heliu_model::MediaTime;

use crate::{Discard, Meta};

/// Packets that wait behind a gap: two seconds of 5 Mbit/s.
const WAITING_MAX: usize = 1024;
/// A packet so far ahead has nothing to do with those before it.
const AHEAD_MAX: u64 = 4096;

/// Holds back what comes too early.
#[derive(Debug)]
pub(super) struct Reorder {
    wait: Duration,
    /// The packet that is next; `None` before the first.
    next: Option<u64>,
    waiting: BTreeMap<u64, Packet>,
}

/// A packet and when it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) meta: Meta,
    pub(super) payload: Bytes,
    pub(super) arrival: MediaTime,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The packet behind the last one.
    Packet(Packet),
    /// Packets are missing and will not come.
    Gap,
}

impl Reorder {
    pub(super) fn new(wait: Duration) -> Self {
        Self { wait, next: None, waiting: BTreeMap::new() }
    }

    pub(super) fn set_wait(&mut self, wait: Duration) {
        self.wait = wait;
    }

    pub(super) fn handle_packet(&mut self, meta: &Meta, payload: &[u8], now: MediaTime) -> Result<(), Discard> {
        let next = *self.next.get_or_insert(meta.sequence);
        if meta.sequence < next {
            return Err(Discard::TooLate);
        }
        if self.waiting.contains_key(&meta.sequence) {
            return Err(Discard::Duplicate);
        }
        let packet = Packet { meta: *meta, payload: Bytes::copy_from_slice(payload), arrival: now };
        self.waiting.insert(meta.sequence, packet);
        Ok(())
    }

    pub(super) fn poll_timeout(&self) -> Option<MediaTime> {
        let first_behind_gap = self.waiting.values().map(|packet| packet.arrival).min()?;
        self.is_gap().then(|| first_behind_gap + self.wait)
    }

    /// Nothing is left to do at `now` when it is `None`.
    pub(super) fn poll(&mut self, now: MediaTime) -> Option<Step> {
        if self.is_gap() {
            let is_over = self.waiting.len() > WAITING_MAX || self.is_far_ahead() || self.poll_timeout()? <= now;
            if !is_over {
                return None;
            }
            self.next = self.waiting.keys().next().copied();
            return Some(Step::Gap);
        }
        let (sequence, packet) = self.waiting.pop_first()?;
        self.next = Some(sequence.saturating_add(1));
        Some(Step::Packet(packet))
    }

    fn is_gap(&self) -> bool {
        self.waiting.keys().next().is_some_and(|first| Some(*first) != self.next)
    }

    fn is_far_ahead(&self) -> bool {
        let last = self.waiting.keys().next_back().copied();
        last.zip(self.next).is_some_and(|(last, next)| last.saturating_sub(next) > AHEAD_MAX)
    }
}
