//! Exact ticks: slot `k` is at `origin + k · span / count`, rounded down to the nanosecond.
//!
//! Nothing is added up, so nothing drifts: the ninety thousandth picture of an hour at 25 per second
//! is at its hour. A slot is handed out once or never. Not here: what happens at a tick.

use heliu_model::MediaTime;

/// A clock of equal slots that remembers which one comes next.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    origin: MediaTime,
    span_ns: i128,
    count: i128,
    next: i128,
}

impl Grid {
    /// `count` slots in every `span_ns` nanoseconds, the first one at `origin`.
    pub(crate) fn new(origin: MediaTime, span_ns: u32, count: u32) -> Self {
        Self { origin, span_ns: i128::from(span_ns.max(1)), count: i128::from(count.max(1)), next: 0 }
    }

    /// So many slots a second.
    pub(crate) fn per_second(origin: MediaTime, count: u32) -> Self {
        Self::new(origin, 1_000_000_000, count)
    }

    /// When the next slot is.
    pub(crate) fn next_at(&self) -> MediaTime {
        let since = self.next * self.span_ns / self.count;
        MediaTime(clamp(i128::from(self.origin.0) + since))
    }

    /// Hands out the next slot.
    pub(crate) fn take(&mut self) -> MediaTime {
        let at = self.next_at();
        self.next += 1;
        at
    }

    /// Gives up what is over: afterwards the next slot is the newest one not after `now`, or, if
    /// that was handed out, the one behind it. Answers how many were given up.
    pub(crate) fn skip_to(&mut self, now: MediaTime) -> u64 {
        let since = i128::from(now.0) - i128::from(self.origin.0);
        let newest = ((since + 1) * self.count - 1).div_euclid(self.span_ns);
        let skipped = u64::try_from(newest - self.next).unwrap_or(0);
        self.next += i128::from(skipped);
        skipped
    }

    /// Goes on at another rate from the next slot.
    pub(crate) fn at_rate(&self, count: u32) -> Self {
        if i128::from(count) == self.count { self.clone() } else { Self::per_second(self.next_at(), count) }
    }
}

fn clamp(ns: i128) -> i64 {
    i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn an_hour_of_any_rate_ends_at_its_hour() {
        for (what, mut grid, slots) in [
            ("25", Grid::per_second(MediaTime(7), 25), 25 * 3600),
            ("30", Grid::per_second(MediaTime(7), 30), 30 * 3600),
            ("59", Grid::per_second(MediaTime(7), 59), 59 * 3600),
            ("sound", Grid::new(MediaTime(7), 64_000_000, 3), 168_750),
        ] {
            let mut last = MediaTime(i64::MIN);
            for _ in 0..slots {
                let at = grid.take();
                assert!(at > last, "{what}");
                last = at;
            }
            assert_eq!(grid.next_at(), MediaTime(7 + 3600 * SECOND), "{what}");
        }
    }

    #[test]
    fn the_newest_slot_that_is_over_is_kept() {
        for (now, skipped, next) in [
            (-SECOND, 0, 0),
            (0, 0, 0),
            (39_999_999, 0, 0),
            (40_000_000, 1, 40_000_000),
            (130_000_000, 3, 120_000_000),
            (SECOND, 25, SECOND),
        ] {
            let mut grid = Grid::per_second(MediaTime::ZERO, 25);
            assert_eq!((grid.skip_to(MediaTime(now)), grid.next_at()), (skipped, MediaTime(next)), "{now}");
            assert_eq!(grid.skip_to(MediaTime(now)), 0, "{now}, asked again");
        }
    }

    #[test]
    fn a_slot_that_is_not_a_whole_nanosecond_is_kept_at_its_own_time() {
        let mut grid = Grid::per_second(MediaTime::ZERO, 3);
        for want in [0, 333_333_333, 666_666_666, SECOND] {
            assert_eq!(grid.skip_to(MediaTime(want)), 0);
            assert_eq!(grid.take(), MediaTime(want));
        }
    }

    #[test]
    fn another_rate_goes_on_at_the_next_slot() {
        let mut grid = Grid::per_second(MediaTime::ZERO, 25);
        grid.take();
        let mut faster = grid.at_rate(50);
        assert_eq!([faster.take(), faster.take()], [MediaTime(40_000_000), MediaTime(60_000_000)]);
    }

    #[test]
    fn the_ends_of_time_are_no_panic() {
        let mut grid = Grid::per_second(MediaTime(i64::MIN), 60);
        grid.skip_to(MediaTime(i64::MAX));
        grid.take();
        let mut grid = Grid::per_second(MediaTime(i64::MAX), 60);
        grid.skip_to(MediaTime(i64::MIN));
        grid.take();
        grid.take();
    }
}
