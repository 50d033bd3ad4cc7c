//! How many bytes all publications together keep for those who join late.
//!
//! Many publishers with long groups of pictures would take gigabytes. Beyond the budget a group is not
//! kept, and who joins waits for the next keyframe.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Sixteen of the largest groups, two hundred usual ones (two seconds of 2.5 Mbit/s).
const BYTES_MAX: usize = 128 << 20;

/// Shared by rooms; clones are the same budget.
#[derive(Debug, Clone)]
pub struct GopBudget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bytes_max: usize,
    bytes: AtomicUsize,
    refused: AtomicU64,
}

impl Default for GopBudget {
    fn default() -> Self {
        Self::new(BYTES_MAX)
    }
}

impl GopBudget {
    /// So many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Inner { bytes_max, bytes: AtomicUsize::new(0), refused: AtomicU64::new(0) }))
    }

    /// Bytes that are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Groups that were given up for want of bytes.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// False: so many more are not to be had, which is counted.
    pub(crate) fn take(&self, len: usize) -> bool {
        let more = |bytes: usize| bytes.checked_add(len).filter(|&bytes| bytes <= self.0.bytes_max);
        let is_taken = self.0.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        if !is_taken {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
        }
        is_taken
    }

    pub(crate) fn give_back(&self, len: usize) {
        self.0.bytes.fetch_sub(len, Ordering::Relaxed);
    }
}
