//! Time that is moved by hand, and clocks that run a little wrong.

use std::time::Duration;

use heliu_model::MediaTime;

/// The one true time of a simulation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    now: MediaTime,
}

impl Clock {
    /// Starts at `now`.
    #[must_use]
    pub fn new(now: MediaTime) -> Self {
        Self { now }
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> MediaTime {
        self.now
    }

    /// Lets time pass.
    pub fn advance(&mut self, by: Duration) -> MediaTime {
        self.now = self.now + by;
        self.now
    }

    /// Goes to a moment; time never goes back.
    pub fn reach(&mut self, moment: MediaTime) -> MediaTime {
        self.now = self.now.max(moment);
        self.now
    }
}

/// A clock whose seconds are not quite seconds. Exact: an hour has no rounding error.
#[derive(Debug, Clone, Copy)]
pub struct Drift {
    /// Both clocks show the same at this moment.
    pub since: MediaTime,
    /// Parts per million: positive runs fast.
    pub ppm: i32,
}

impl Drift {
    /// The true time at which the wrong clock shows `shown`.
    #[must_use]
    pub fn true_time(&self, shown: MediaTime) -> MediaTime {
        let span = i128::from(shown.0) - i128::from(self.since.0);
        let rate = 1_000_000 + i128::from(self.ppm.max(-999_999));
        let since = i128::from(self.since.0) + (span * 1_000_000).div_euclid(rate);
        MediaTime(i64::try_from(since).unwrap_or(if since < 0 { i64::MIN } else { i64::MAX }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_forward_only() {
        let mut clock = Clock::new(MediaTime::from_millis(5));
        assert_eq!(clock.advance(Duration::from_millis(10)), MediaTime::from_millis(15));
        assert_eq!(clock.reach(MediaTime::from_millis(12)), MediaTime::from_millis(15));
        assert_eq!(clock.reach(MediaTime::from_millis(20)), clock.now());
    }

    #[test]
    fn a_fast_clock_shows_an_hour_before_it_is_over() {
        let hour = MediaTime::from_millis(3_600_000);
        for (ppm, millis) in [(0, 3_600_000), (500, 3_598_200), (-500, 3_601_800)] {
            let at = Drift { since: MediaTime::ZERO, ppm }.true_time(hour);
            assert_eq!((at.as_millis() + 1) / 10, millis / 10, "{ppm} ppm");
        }
    }
}
