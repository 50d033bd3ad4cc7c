//! One consistent moment: durable and volatile records, and the revision they have together.
//!
//! The committer makes a moment after each batch and publishes it whole; a snapshot is a reference to
//! it and a time. So nobody sees half a commit, and snapshots cost nothing.

use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;

use heliu_model::{Namespace, Revision, Timestamp};
use redb::{AccessGuard, ReadOnlyTable};
use rpds::RedBlackTreeMapSync;

use crate::error::ReadError;
use crate::key::{Collection, Key, Range};
use crate::record::Record;
use crate::scan::{SCAN_BYTES_MAX, Scan};

pub(crate) type Volatile = RedBlackTreeMapSync<Vec<u8>, Record>;
pub(crate) type Durable = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// Everything between two batches of the committer.
pub(crate) struct Moment {
    pub(crate) revision: Revision,
    pub(crate) durable: Arc<Durable>,
    pub(crate) volatile: Volatile,
}

/// The store as it was at one moment. Cheap to clone; holding one for long keeps old pages on disk.
#[derive(Clone)]
pub struct Snapshot {
    moment: Arc<Moment>,
    now: Timestamp,
}

impl Snapshot {
    pub(crate) fn new(moment: Arc<Moment>, now: Timestamp) -> Self {
        Self { moment, now }
    }

    /// The last commit it shows.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.moment.revision
    }

    /// The time against which expiry is judged.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The payload under a key.
    ///
    /// # Errors
    /// The record is damaged or the disk fails.
    pub fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.record(key)?.map(|record| record.bytes.to_vec()))
    }

    /// The record under a key, with the revision at which it was put.
    ///
    /// # Errors
    /// The record is damaged or the disk fails.
    pub fn record(&self, key: &Key) -> Result<Option<Record>, ReadError> {
        let bytes = key.to_bytes();
        let record = if key.is_volatile() {
            self.moment.volatile.get(&bytes).cloned()
        } else {
            match self.moment.durable.get(bytes.as_slice()).map_err(ReadError::disk)? {
                Some(raw) => Some(decode(&bytes, raw.value())?),
                None => None,
            }
        };
        Ok(record.filter(|record| !record.is_gone(self.now)))
    }

    /// A total; 0 if never added to. Own additions are the caller's to add.
    ///
    /// # Errors
    /// The record is damaged or the disk fails.
    pub fn total(&self, key: &Key) -> Result<i64, ReadError> {
        match self.record(key)? {
            Some(record) => number(&record).map(u64::cast_signed).ok_or_else(|| ReadError::Damaged(key.clone())),
            None => Ok(0),
        }
    }

    /// Names and payloads in order. Stops early after 1 MiB, never before the first.
    ///
    /// # Errors
    /// A record is damaged or the disk fails.
    pub fn scan(&self, scan: &Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        let mut found = Vec::new();
        let mut len = 0;
        let mut skip = scan.skip;
        for entry in self.walk(scan.bounds(), scan.reverse)? {
            let entry = entry?;
            if entry.is_gone(self.now) {
                continue;
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            if found.len() >= scan.limit as usize {
                break;
            }
            let (key, record) = entry.decode()?;
            len += record.bytes.len();
            if len > SCAN_BYTES_MAX && !found.is_empty() {
                break;
            }
            found.push((key.name, record.bytes.to_vec()));
        }
        Ok(found)
    }

    /// How many names begin so.
    ///
    /// # Errors
    /// The disk fails.
    pub fn count(&self, namespace: &Namespace, collection: Collection, prefix: &str) -> Result<u32, ReadError> {
        let mut count = 0;
        for entry in self.walk(Scan::prefix(namespace, collection, prefix).bounds(), false)? {
            count += u32::from(!entry?.is_gone(self.now));
        }
        Ok(count)
    }

    /// All records of one collection, of all namespaces; [`Range::Everywhere`] is what that reads.
    ///
    /// # Errors
    /// The disk fails. A single damaged record is an error in its place.
    pub fn everywhere(
        &self,
        collection: Collection,
    ) -> Result<impl Iterator<Item = Result<(Key, Record), ReadError>> + '_, ReadError> {
        let entries = self.walk(Range::Everywhere(collection).bounds(), false)?;
        Ok(entries
            .filter(|entry| !matches!(entry, Ok(entry) if entry.is_gone(self.now)))
            .map(|entry| entry.and_then(Entry::decode)))
    }

    fn walk(&self, (start, end): (Vec<u8>, Vec<u8>), reverse: bool) -> Result<Merge<'_>, ReadError> {
        if start >= end {
            return Ok(Merge::new(Box::new(std::iter::empty()), Box::new(std::iter::empty()), reverse));
        }
        let durable = self.moment.durable.range(start.as_slice()..end.as_slice()).map_err(ReadError::disk)?;
        let durable = durable.map(|entry| {
            let (key, raw) = entry.map_err(ReadError::disk)?;
            Ok(Entry { key: key.value().to_vec(), content: Content::Raw(raw) })
        });
        let bounds = (Bound::Included(start.as_slice()), Bound::Excluded(end.as_slice()));
        let volatile: Vec<Result<Entry<'_>, ReadError>> = self
            .moment
            .volatile
            .range::<[u8], _>(bounds)
            .map(|(key, record)| Ok(Entry { key: key.clone(), content: Content::Record(record) }))
            .collect();
        let volatile = volatile.into_iter();
        Ok(if reverse {
            Merge::new(Box::new(durable.rev()), Box::new(volatile.rev()), true)
        } else {
            Merge::new(Box::new(durable), Box::new(volatile), false)
        })
    }
}

struct Entry<'a> {
    key: Vec<u8>,
    content: Content<'a>,
}

enum Content<'a> {
    Raw(AccessGuard<'a, &'static [u8]>),
    Record(&'a Record),
}

impl Entry<'_> {
    fn is_gone(&self, now: Timestamp) -> bool {
        match &self.content {
            Content::Raw(raw) => Record::peek_expires(raw.value()).is_some_and(|expires| expires <= now),
            Content::Record(record) => record.is_gone(now),
        }
    }

    fn decode(self) -> Result<(Key, Record), ReadError> {
        let key = Key::from_bytes(&self.key).ok_or(ReadError::DamagedKey)?;
        let record = match self.content {
            Content::Raw(raw) => decode(&self.key, raw.value())?,
            Content::Record(record) => record.clone(),
        };
        Ok((key, record))
    }
}

type Entries<'a> = Box<dyn Iterator<Item = Result<Entry<'a>, ReadError>> + 'a>;

/// Durable and volatile records in one order.
struct Merge<'a> {
    durable: Peekable<Entries<'a>>,
    volatile: Peekable<Entries<'a>>,
    reverse: bool,
}

impl<'a> Merge<'a> {
    fn new(durable: Entries<'a>, volatile: Entries<'a>, reverse: bool) -> Self {
        Self { durable: durable.peekable(), volatile: volatile.peekable(), reverse }
    }
}

impl<'a> Iterator for Merge<'a> {
    type Item = Result<Entry<'a>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let takes_volatile = match (self.durable.peek(), self.volatile.peek()) {
            (Some(Ok(durable)), Some(Ok(volatile))) => (volatile.key < durable.key) != self.reverse,
            (durable, _) => durable.is_none(),
        };
        if takes_volatile { self.volatile.next() } else { self.durable.next() }
    }
}

pub(crate) fn decode(key: &[u8], raw: &[u8]) -> Result<Record, ReadError> {
    let damaged = || Key::from_bytes(key).map_or(ReadError::DamagedKey, ReadError::Damaged);
    Record::decode(key, raw).ok_or_else(damaged)
}

/// How sequences and totals are written.
pub(crate) fn number(record: &Record) -> Option<u64> {
    Some(u64::from_be_bytes(record.bytes.as_ref().try_into().ok()?))
}
