//! What became of transactions, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::CommitError;

/// Counts since the store was opened.
#[derive(Debug, Default)]
pub struct Stats {
    commits: AtomicU64,
    conflicts: AtomicU64,
    disk_bytes: AtomicU64,
}

impl Stats {
    /// Transactions that became true.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Transactions refused because another had changed what they read.
    #[must_use]
    pub fn conflicts(&self) -> u64 {
        self.conflicts.load(Ordering::Relaxed)
    }

    /// Bytes of all durable records at this moment, keys included.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        self.disk_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn note<T>(&self, result: &Result<T, CommitError>) {
        let counter = match result {
            Ok(_) => &self.commits,
            Err(CommitError::Conflict) => &self.conflicts,
            Err(_) => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_disk_bytes(&self, bytes: u64) {
        self.disk_bytes.store(bytes, Ordering::Relaxed);
    }
}
