//! A plugin's share of the machine: all its calls together so much computing, averaged over ten seconds.
//!
//! What calls use is taken from a budget that fills steadily. While it is empty no call begins; those
//! that run go on, so it may be overdrawn, and the debt is waited for.
//!
//! Not here: how long one call may compute ([`crate::meter`]), and the queue of those who wait.

use std::time::{Duration, Instant};

const AVERAGED_OVER: Duration = Duration::from_secs(10);

/// What is left, at a moment.
#[derive(Debug)]
pub(crate) struct Share {
    /// Of one core; `None`: no ceiling.
    percent: Option<u32>,
    /// Microseconds of computing; below zero: overdrawn.
    left: i64,
    at: Instant,
}

impl Share {
    /// A full budget; 0 percent: no ceiling.
    pub(crate) fn new(percent: u32, now: Instant) -> Self {
        let mut share = Self { percent: (percent > 0).then_some(percent), left: 0, at: now };
        share.left = share.full();
        share
    }

    /// Takes what was computed.
    pub(crate) fn take(&mut self, used: Duration) {
        self.left = self.left.saturating_sub(i64::try_from(used.as_micros()).unwrap_or(i64::MAX));
    }

    /// How long nobody may begin; `None`: begin.
    pub(crate) fn wait(&mut self, now: Instant) -> Option<Duration> {
        let percent = i64::from(self.percent?);
        let passed = now.saturating_duration_since(self.at);
        self.at = self.at.max(now);
        let filled = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX).saturating_mul(percent) / 100;
        self.left = self.left.saturating_add(filled).min(self.full());
        if self.left > 0 {
            return None;
        }
        let micros = (1 - self.left).saturating_mul(100) / percent + 1;
        Some(Duration::from_micros(micros.unsigned_abs()))
    }

    fn full(&self) -> i64 {
        let micros = i64::try_from(AVERAGED_OVER.as_micros()).expect("ten seconds are few");
        micros * i64::from(self.percent.unwrap_or(0)) / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_share_one_core_averaged_over_ten_seconds() {
        let start = Instant::now();
        let mut share = Share::new(100, start);
        for (what, at_ms, used_ms, waits_ms) in [
            ("rested", 0, 9_900, 0),
            ("a little is left", 0, 200, 0),
            ("overdrawn by 100 ms", 0, 0, 100),
            ("half of it is paid", 50, 0, 50),
            ("paid", 101, 500, 0),
            ("again", 101, 0, 499),
            ("idle for a minute: not more than ten seconds", 60_000, 10_001, 0),
            ("overdrawn by 1 ms", 60_000, 0, 1),
        ] {
            let waits = share.wait(start + Duration::from_millis(at_ms)).map_or(0, |wait| wait.as_millis());
            assert_eq!(waits, waits_ms, "{what}");
            share.take(Duration::from_millis(used_ms));
        }
    }

    #[test]
    fn half_a_core_fills_half_as_fast_and_none_is_no_ceiling() {
        let start = Instant::now();
        for (percent, waits_ms) in [(50, 2_000), (200, 0), (0, 0)] {
            let mut share = Share::new(percent, start);
            share.take(Duration::from_secs(6));
            let waits = share.wait(start).map_or(0, |wait| wait.as_millis());
            assert_eq!(waits, waits_ms, "{percent} percent");
        }
    }
}
