//! What one call read and what it wants to be true: the unit of commit.

use std::collections::{BTreeMap, BTreeSet};

use heliu_model::{Revision, Timestamp};

use crate::error::CommitError;
use crate::key::{Key, NAME_LEN_MAX, Range};
use crate::record::VALUE_LEN_MAX;

/// Reads and writes of one call. It commits only if nothing it read has changed since its snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    /// [`crate::Snapshot::revision`] of the snapshot it read from.
    pub snapshot_revision: Revision,
    /// Checked at commit. A caller whose answer may be stale (it wrote and ordered nothing) skips the
    /// commit or leaves this empty; one that orders something keeps it, also without writes.
    pub reads: Reads,
    /// `None` deletes; fine if there is nothing.
    pub writes: BTreeMap<Key, Option<Value>>,
    /// Added after the writes, saturating; keys of [`crate::Collection::Total`]. Never conflicts.
    pub totals: BTreeMap<Key, i64>,
}

/// What a call looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// There or not.
    pub keys: BTreeSet<Key>,
    /// Scanned or counted.
    pub ranges: BTreeSet<Range>,
}

/// What a record shall hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// At most 1 MiB.
    pub bytes: Vec<u8>,
    /// Gone from reads at and after that time; nobody is told.
    pub expires: Option<Timestamp>,
}

impl Value {
    /// One that stays.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), expires: None }
    }
}

impl Reads {
    /// Nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.ranges.is_empty()
    }
}

impl Transaction {
    /// One that reads from this snapshot.
    #[must_use]
    pub fn at(snapshot_revision: Revision) -> Self {
        Self { snapshot_revision, ..Self::default() }
    }

    /// Would a commit change anything?
    #[must_use]
    pub fn has_writes(&self) -> bool {
        !self.writes.is_empty() || !self.totals.is_empty()
    }

    pub(crate) fn check_limits(&self) -> Result<(), CommitError> {
        if self.writes.keys().chain(self.totals.keys()).any(|key| key.name.len() > NAME_LEN_MAX) {
            return Err(CommitError::NameTooLong);
        }
        if self.writes.values().flatten().any(|value| value.bytes.len() > VALUE_LEN_MAX) {
            return Err(CommitError::ValueTooLarge);
        }
        Ok(())
    }
}
