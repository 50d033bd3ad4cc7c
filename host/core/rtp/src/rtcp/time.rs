//! NTP timestamps of reports (RFC 3550 §4, §6.4.1).
//!
//! Ours begin at the room's start: receivers need differences only, and a wall clock that is set would
//! tear sound and pictures apart.

use std::time::Duration;

use heliu_model::MediaTime;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// The room's time as 32.32 seconds. Rolls over after 136 years; before the room's start it lies at the
/// end of the range.
#[must_use]
pub fn ntp(time: MediaTime) -> u64 {
    ((i128::from(time.0) << 32).div_euclid(NANOS_PER_SECOND)) as u64
}

/// The middle 32 bits: 16.16 seconds, as blocks repeat them.
#[must_use]
pub fn compact(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// How long a report of ours and the block that answers it were under way (RFC 3550 §6.4.1, figure 2).
/// `now` as [`compact`]. `None` if the block answers none, or its times make no sense: negative, or over
/// a minute.
#[must_use]
pub fn round_trip(last_report: u32, delay_since: u32, now: u32) -> Option<Duration> {
    const MINUTE: u32 = 60 << 16;
    let span = now.wrapping_sub(last_report).wrapping_sub(delay_since);
    (last_report != 0 && span <= MINUTE).then(|| Duration::from_nanos((u64::from(span) * 1_000_000_000) >> 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_in_the_upper_half() {
        for (nanos, want) in [
            (0, 0),
            (1_000_000_000, 1 << 32),
            (1_500_000_000, 3 << 31),
            (-1_000_000_000, u64::MAX << 32),
            (-500_000_000, u64::MAX << 31),
        ] {
            assert_eq!(ntp(MediaTime(nanos)), want, "{nanos}");
        }
    }

    #[test]
    fn a_round_trip_is_what_the_receiver_did_not_hold_back() {
        let second = 1 << 16;
        for (what, last_report, delay_since, now, want) in [
            ("half a second", second, second, 5 * second / 2, Some(500)),
            ("over the turn", u32::MAX - second + 1, second, second, Some(1_000)),
            ("no report", 0, 0, second, None),
            ("held back longer than it was away", second, 3 * second, 2 * second, None),
            ("two minutes", second, 0, 121 * second, None),
        ] {
            assert_eq!(round_trip(last_report, delay_since, now), want.map(Duration::from_millis), "{what}");
        }
        assert_eq!(compact(ntp(MediaTime::from_millis(1_500))), 3 << 15);
    }
}
