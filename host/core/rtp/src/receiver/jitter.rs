//! How unevenly packets come (RFC 3550 §6.4.1, appendix A.8).

use std::time::Instant;

/// The estimate has four more bits than what is reported.
const SCALE: u32 = 4;

/// Sixteen of these fit: hours, at any clock.
const DIFFERENCE_MAX: u32 = u32::MAX >> (SCALE + 1);

#[derive(Debug)]
pub(super) struct Jitter {
    clock_rate: u32,
    first: Option<Instant>,
    transit: Option<i64>,
    scaled: u32,
}

impl Jitter {
    pub(super) fn new(clock_rate: u32) -> Self {
        Self { clock_rate: clock_rate.max(1), first: None, transit: None, scaled: 0 }
    }

    /// A packet with the highest number so far.
    pub(super) fn handle_packet(&mut self, timestamp: u64, now: Instant) {
        let since = now.saturating_duration_since(*self.first.get_or_insert(now));
        let arrival = since.as_nanos() * u128::from(self.clock_rate) / 1_000_000_000;
        let transit = i64::try_from(arrival).unwrap_or(i64::MAX).wrapping_sub(timestamp.cast_signed());
        if let Some(before) = self.transit.replace(transit) {
            let difference = u32::try_from(transit.wrapping_sub(before).unsigned_abs()).unwrap_or(u32::MAX);
            self.scaled -= (self.scaled + (1 << (SCALE - 1))) >> SCALE;
            self.scaled += difference.min(DIFFERENCE_MAX);
        }
    }

    /// Timestamps begin anew.
    pub(super) fn restart(&mut self) {
        self.transit = None;
    }

    /// In timestamp units.
    pub(super) fn get(&self) -> u32 {
        self.scaled >> SCALE
    }
}
