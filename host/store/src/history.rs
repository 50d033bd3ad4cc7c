//! Which keys changed after which revision: what the conflict check asks.
//!
//! Bounded: the oldest changes are forgotten, and a snapshot older than what is known conflicts with
//! whatever it read. Its call runs again on a fresh one, so forgetting costs time, never truth.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use heliu_model::Revision;

use crate::transaction::Transaction;

/// Keys known by their last change; at a thousand commits a second half a minute.
pub(crate) const CHANGES_MAX: usize = 32_768;

#[derive(Debug)]
pub(crate) struct History {
    last: BTreeMap<Vec<u8>, Revision>,
    order: VecDeque<(Revision, Vec<u8>)>,
    /// Everything after it is known.
    floor: Revision,
    changes_max: usize,
}

impl History {
    pub(crate) fn new(floor: Revision, changes_max: usize) -> Self {
        Self { last: BTreeMap::new(), order: VecDeque::new(), floor, changes_max }
    }

    pub(crate) fn note(&mut self, key: Vec<u8>, revision: Revision) {
        self.last.insert(key.clone(), revision);
        self.order.push_back((revision, key));
        while self.order.len() > self.changes_max
            && let Some((revision, key)) = self.order.pop_front()
        {
            if self.last.get(&key) == Some(&revision) {
                self.last.remove(&key);
            }
            self.floor = revision;
        }
    }

    /// Has anything this transaction read changed since its snapshot?
    pub(crate) fn has_conflict(&self, transaction: &Transaction) -> bool {
        let since = transaction.snapshot_revision;
        let reads = &transaction.reads;
        if reads.is_empty() {
            return false;
        }
        since < self.floor
            || reads.keys.iter().any(|key| self.last.get(&key.to_bytes()).is_some_and(|last| *last > since))
            || reads.ranges.iter().any(|range| self.has_change_between(range.bounds(), since))
    }

    fn has_change_between(&self, (start, end): (Vec<u8>, Vec<u8>), since: Revision) -> bool {
        let bounds = (Bound::Included(start.as_slice()), Bound::Excluded(end.as_slice()));
        self.last.range::<[u8], _>(bounds).any(|(_, last)| *last > since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Collection, Key};

    #[test]
    fn what_is_forgotten_conflicts() {
        let key = |name: &str| Key::new(&"a".parse().unwrap(), Collection::Data, name);
        let mut history = History::new(Revision(0), 2);
        for (revision, name) in [(1, "x"), (2, "y"), (3, "x"), (4, "z")] {
            history.note(key(name).to_bytes(), Revision(revision));
        }
        for (what, read, since, want) in [
            ("changed after", "x", 2, true),
            ("changed before", "x", 3, false),
            ("forgotten, snapshot is recent enough", "y", 2, false),
            ("forgotten, snapshot is too old", "y", 1, true),
            ("never changed, snapshot is too old", "w", 1, true),
        ] {
            let mut transaction = Transaction::at(Revision(since));
            transaction.reads.keys.insert(key(read));
            assert_eq!(history.has_conflict(&transaction), want, "{what}");
        }
        assert!(!history.has_conflict(&Transaction::at(Revision(0))), "who read nothing");
    }
}
