//! The smallest of the values of the last seconds.
//!
//! Two windows, the one before and the one that fills: enough to forget, and a few bytes.

use heliu_model::MediaTime;

const WINDOW_NS: i64 = 5_000_000_000;

/// The smallest value of the last five to ten seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Earliest {
    since: MediaTime,
    smallest: i64,
    before: Option<i64>,
}

impl Earliest {
    pub(super) fn new(value: i64, now: MediaTime) -> Self {
        Self { since: now, smallest: value, before: None }
    }

    pub(super) fn push(&mut self, value: i64, now: MediaTime) {
        let age = now.0.saturating_sub(self.since.0);
        if age < WINDOW_NS {
            self.smallest = self.smallest.min(value);
        } else {
            // Behind a pause nothing is known of the time before.
            let before = (age < 2 * WINDOW_NS).then_some(self.smallest);
            *self = Self { since: now, smallest: value, before };
        }
    }

    /// The smallest value.
    pub(super) fn get(&self) -> i64 {
        self.before.map_or(self.smallest, |before| before.min(self.smallest))
    }

    /// The same if a whole window speaks for it.
    pub(super) fn proven(&self) -> Option<i64> {
        self.before.map(|before| before.min(self.smallest))
    }
}
