//! What the public listeners answered, for metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::places::Crowded;

/// Counts since the start. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Stats(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    answers: [AtomicU64; CLASSES.len()],
    full: AtomicU64,
    peer: AtomicU64,
}

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

impl Stats {
    /// Answers by the class of their status, `1xx` to `5xx`.
    #[must_use]
    pub fn answers(&self) -> [(&'static str, u64); CLASSES.len()] {
        std::array::from_fn(|class| (CLASSES[class], self.0.answers[class].load(Ordering::Relaxed)))
    }

    /// Connections refused at once: all places were taken, or one client had its share of them.
    #[must_use]
    pub fn crowded(&self) -> [(&'static str, u64); 2] {
        [("full", &self.0.full), ("peer", &self.0.peer)].map(|(cause, count)| (cause, count.load(Ordering::Relaxed)))
    }

    pub(crate) fn note_crowded(&self, crowded: Crowded) {
        let count = match crowded {
            Crowded::Full => &self.0.full,
            Crowded::Peer => &self.0.peer,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn note(&self, status: u16) {
        let class = usize::from(status / 100).saturating_sub(1).min(CLASSES.len() - 1);
        self.0.answers[class].fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_counted_with_its_class() {
        let stats = Stats::default();
        [200, 204, 404, 503, 999].into_iter().for_each(|status| stats.note(status));
        assert_eq!(stats.answers(), [("1xx", 0), ("2xx", 2), ("3xx", 0), ("4xx", 1), ("5xx", 2)]);
    }
}
