//! What happened to the calls of one plugin, in numbers that only grow.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::fault::Fault;

/// Counters of one plugin.
#[derive(Debug, Default)]
pub struct Stats {
    /// Calls that began.
    pub calls: Counter,
    /// Commits that met another call.
    pub conflicts: Counter,
    /// Runs after the first of a call.
    pub reruns: Counter,
    /// Host calls refused with `denied`.
    pub denials: Counter,
    /// Log lines dropped because there were too many.
    pub log_lines_dropped: Counter,
    faults: [Counter; Fault::ALL.len()],
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// So far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Stats {
    /// Calls that ended in a fault, by cause.
    pub fn faults(&self) -> impl Iterator<Item = (Fault, u64)> {
        Fault::ALL.into_iter().zip(self.faults.iter().map(Counter::value))
    }

    pub(crate) fn count_fault(&self, fault: Fault) {
        for (cause, counter) in Fault::ALL.into_iter().zip(&self.faults) {
            if cause == fault {
                counter.increment();
            }
        }
    }
}
