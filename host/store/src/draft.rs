//! A batch in the making: what its transactions change, in memory and in one write of the file.
//!
//! Nothing of it is visible or durable. Dropped, it never was.

use std::sync::Arc;

use heliu_model::{Revision, Timestamp};

use crate::database::{Disk, Writing};
use crate::error::CommitError;
use crate::key::Key;
use crate::memory::Memory;
use crate::record::Record;
use crate::snapshot::number;
use crate::transaction::Transaction;
use crate::usage::Ceiling;

/// Expired records removed per batch, from memory and from the disk.
const SWEEP_MAX: usize = 64;

/// The file, or why there is none.
pub(crate) type OpenDisk = Result<Disk, Arc<redb::Error>>;

pub(crate) struct Draft {
    pub(crate) memory: Memory,
    /// `None` until something durable is touched.
    pub(crate) writing: Option<Writing>,
    /// Does it change an intent or an alarm?
    pub(crate) is_watched: bool,
    ceiling: Ceiling,
}

/// One record that shall be so.
pub(crate) struct Change {
    key: Key,
    bytes: Vec<u8>,
    record: Option<Record>,
}

impl Draft {
    pub(crate) fn new(memory: Memory, ceiling: Ceiling) -> Self {
        Self { memory, writing: None, is_watched: false, ceiling }
    }

    /// What a transaction changes, totals added up after its writes. Nothing is changed yet.
    pub(crate) fn changes(
        &mut self,
        disk: &OpenDisk,
        transaction: Transaction,
        revision: Revision,
    ) -> Result<Vec<Change>, CommitError> {
        let mut totals = Vec::new();
        for (key, delta) in transaction.totals {
            let is_cleared = transaction.writes.contains_key(&key);
            let base = if is_cleared { 0 } else { self.number(disk, &key)?.cast_signed() };
            totals.push(Change::number(key, base.saturating_add(delta).cast_unsigned(), revision));
        }
        let writes = transaction.writes.into_iter().map(|(key, value)| {
            let record = value.map(|value| Record { bytes: value.bytes.into(), revision, expires: value.expires });
            Change { bytes: key.to_bytes(), key, record }
        });
        Ok(writes.chain(totals).collect())
    }

    /// A sequence or a total; 0 if it never was.
    pub(crate) fn number(&mut self, disk: &OpenDisk, key: &Key) -> Result<u64, CommitError> {
        let bytes = key.to_bytes();
        let damaged = || CommitError::Damaged(key.clone());
        let record = if key.is_volatile() {
            self.memory.volatile.get(&bytes).cloned()
        } else {
            let raw = self.writing(disk)?.get(&bytes).map_err(CommitError::disk)?;
            raw.map(|raw| Record::decode(&bytes, &raw).ok_or_else(damaged)).transpose()?
        };
        record.map_or(Ok(0), |record| number(&record).ok_or_else(damaged))
    }

    /// Makes changes, all or none unless the disk fails.
    pub(crate) fn store(&mut self, disk: &OpenDisk, changes: Vec<Change>) -> Result<(), CommitError> {
        let mut sizes = Vec::with_capacity(changes.len());
        for change in &changes {
            let old = self.len_of(disk, change)?;
            let new = change.record.as_ref().map_or(0, |record| change.bytes.len() + record.raw_len());
            sizes.push((old, new as u64));
        }
        let sizes = changes.iter().zip(sizes).map(|(change, (old, new))| (&change.key, old, new));
        self.memory.usage.change(sizes, self.ceiling)?;
        for change in changes {
            self.is_watched |= change.key.collection.is_watched();
            if change.key.is_volatile() {
                self.memory.put(change.bytes, change.record);
                continue;
            }
            let writing = self.writing(disk)?;
            match &change.record {
                Some(record) => writing.put(&change.bytes, record),
                None => writing.remove(&change.bytes),
            }
            .map_err(CommitError::disk)?;
        }
        Ok(())
    }

    /// Removes some of what has expired in memory. Readers judge by their own time, so nobody notices.
    pub(crate) fn sweep_memory(&mut self, now: Timestamp) -> Result<(), CommitError> {
        for bytes in self.memory.expired(now, SWEEP_MAX) {
            let old = self.memory.len_of(&bytes);
            self.uncount(&bytes, old)?;
            self.memory.put(bytes, None);
        }
        Ok(())
    }

    /// The same for the disk, if it is written anyway.
    pub(crate) fn sweep_disk(&mut self, now: Timestamp) -> Result<(), CommitError> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        for bytes in writing.expired(now, SWEEP_MAX).map_err(CommitError::disk)? {
            let old = writing.len_of(&bytes).map_err(CommitError::disk)?;
            self.uncount(&bytes, old.map_or(0, |len| (bytes.len() + len) as u64))?;
            writing.remove(&bytes).map_err(CommitError::disk)?;
        }
        self.writing = Some(writing);
        Ok(())
    }

    fn uncount(&mut self, bytes: &[u8], len: u64) -> Result<(), CommitError> {
        match Key::from_bytes(bytes) {
            Some(key) => self.memory.usage.change([(&key, len, 0)], self.ceiling),
            None => Ok(()),
        }
    }

    /// Begins the disk part with the first who needs it.
    fn writing(&mut self, disk: &OpenDisk) -> Result<&Writing, CommitError> {
        let writing = match self.writing.take() {
            Some(writing) => writing,
            None => {
                let disk = disk.as_ref().map_err(|cause| CommitError::Disk(cause.clone()))?;
                disk.begin().map_err(CommitError::disk)?
            }
        };
        Ok(self.writing.insert(writing))
    }

    /// Bytes that lie under the changed key, its own included.
    fn len_of(&mut self, disk: &OpenDisk, change: &Change) -> Result<u64, CommitError> {
        if change.key.is_volatile() {
            return Ok(self.memory.len_of(&change.bytes));
        }
        let len = self.writing(disk)?.len_of(&change.bytes).map_err(CommitError::disk)?;
        Ok(len.map_or(0, |len| (change.bytes.len() + len) as u64))
    }
}

impl Change {
    pub(crate) fn number(key: Key, number: u64, revision: Revision) -> Self {
        let record = Record { bytes: number.to_be_bytes()[..].into(), revision, expires: None };
        Self { bytes: key.to_bytes(), key, record: Some(record) }
    }
}
