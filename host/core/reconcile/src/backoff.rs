//! How long to wait before the next try.

use std::time::Duration;

use heliu_model::Timestamp;

const LONGEST: Duration = Duration::from_secs(30);

/// After so many failures in a row: 1, 2, 4, 8, 16, 30, 30 … seconds.
#[must_use]
pub fn backoff(failures: u32) -> Duration {
    let seconds = 1_u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
    Duration::from_secs(seconds).min(LONGEST)
}

/// When the next try after a failure is due. `None`: at once, because the wall clock was set back.
pub(crate) fn due(since: Timestamp, failures: u32, now: Timestamp) -> Option<Timestamp> {
    let wait = u64::try_from(backoff(failures).as_millis()).unwrap_or(u64::MAX);
    (since <= now).then_some(Timestamp(since.0.saturating_add(wait)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_slower_up_to_half_a_minute() {
        let waits: Vec<u64> = (0..9).map(|failures| backoff(failures).as_secs()).collect();
        assert_eq!(waits, [1, 1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(backoff(u32::MAX), LONGEST);
    }
}
