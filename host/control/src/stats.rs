//! What became of events and alarms, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Events and alarms a plugin took.
    pub delivered: Count,
    /// Calls that failed and were tried again.
    pub retried: Count,
    /// Events given up after four tries.
    pub events_dead: Count,
    /// Alarms given up after nine tries.
    pub alarms_dead: Count,
    /// Events that were replaced by one `room.resync`, because too many waited.
    pub events_folded: Count,
    /// Events the media plane could not hand over.
    pub events_lost: Count,
    /// Commands given to the media plane.
    pub commands: Count,
}

/// One of them.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// So far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }
}
