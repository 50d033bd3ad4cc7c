//! The transaction of one call: a snapshot, the call's own writes over it, and a note of all it read.
//!
//! Nothing here waits or knows wasm: a call asks and records, and at the end the store gets one value
//! that says what was read and what shall be true. Reading a record that this call wrote gives what
//! it wrote.
//!
//! Not here: what the records of the media plane mean (`wish/`), and when to run a call again.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};

use heliu_model::{Namespace, Timestamp};
use heliu_store::{Collection, Key, Range, ReadError, Reads, SCAN_BYTES_MAX, Scan, Snapshot, Transaction, Value};

use crate::bindings::types::Error;

/// Entries of one scan.
const SCAN_LEN_MAX: u32 = 1_000;
const PAGE_LEN: u32 = 256;
const KEY_LEN_MAX: usize = heliu_store::NAME_LEN_MAX;
const VALUE_LEN_MAX: usize = heliu_store::VALUE_LEN_MAX;

/// What a call has read and wants, so far.
pub(crate) struct OpenTransaction {
    namespace: Namespace,
    snapshot: Snapshot,
    reads: Reads,
    writes: BTreeMap<Key, Option<Value>>,
    totals: BTreeMap<Key, i64>,
    len: usize,
    len_max: usize,
}

/// Which entries, in which order: the contract's `store.range`.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScanRange {
    pub(crate) prefix: String,
    pub(crate) after: Option<String>,
    pub(crate) skip: u32,
    pub(crate) limit: u32,
    pub(crate) reverse: bool,
}

impl OpenTransaction {
    /// Begins at `snapshot`. Reads and writes may hold `len_max` bytes.
    pub(crate) fn new(namespace: Namespace, snapshot: Snapshot, len_max: usize) -> Self {
        Self {
            namespace,
            snapshot,
            reads: Reads::default(),
            writes: BTreeMap::new(),
            totals: BTreeMap::new(),
            len: 0,
            len_max,
        }
    }

    /// Wall time, the same throughout.
    pub(crate) fn now(&self) -> Timestamp {
        self.snapshot.now()
    }

    /// Whose records it sees.
    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// One record of one collection, own writes first.
    pub(crate) fn get(&mut self, collection: Collection, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let key = self.key(collection, name)?;
        if let Some(own) = self.writes.get(&key) {
            return Ok(own.as_ref().filter(|value| self.is_there(value)).map(|value| value.bytes.clone()));
        }
        let found = self.snapshot.get(&key).map_err(unreadable)?;
        self.charge(key.name.len())?;
        self.reads.keys.insert(key);
        Ok(found)
    }

    /// Writes one record.
    pub(crate) fn put(
        &mut self,
        collection: Collection,
        name: &str,
        bytes: Vec<u8>,
        ttl_s: Option<u32>,
    ) -> Result<(), Error> {
        if bytes.len() > VALUE_LEN_MAX {
            return Err(Error::Invalid("value".into()));
        }
        let key = self.key(collection, name)?;
        let expires = ttl_s.map(|seconds| Timestamp(self.now().0 + u64::from(seconds) * 1_000));
        self.write(key, Some(Value { bytes, expires }))
    }

    /// Removes one record; fine if there is nothing.
    pub(crate) fn delete(&mut self, collection: Collection, name: &str) -> Result<(), Error> {
        let key = self.key(collection, name)?;
        self.write(key, None)
    }

    /// Removes every record and every total that begins so.
    pub(crate) fn clear(&mut self, prefix: &str) -> Result<(), Error> {
        self.note_range(self.range(Collection::Data, prefix)?)?;
        let mut doomed = Vec::new();
        for collection in [Collection::Data, Collection::Total] {
            let mut names = Pages::new(collection, ScanRange { prefix: prefix.to_owned(), ..ScanRange::default() });
            while let Some((name, _)) = names.next(&self.snapshot, &self.namespace)? {
                self.charge(name.len())?;
                doomed.push(Key::new(&self.namespace, collection, name));
            }
        }
        doomed.extend(self.own(Collection::Data, prefix).map(|(key, _)| key.clone()));
        let is_doomed = |key: &Key| key.name.starts_with(prefix);
        self.totals.retain(|key, _| !is_doomed(key));
        for key in doomed {
            self.write(key, None)?;
        }
        Ok(())
    }

    /// Entries in order, own writes merged: at most 1 000 of them or 1 MiB.
    pub(crate) fn scan(&mut self, range: &ScanRange) -> Result<Vec<(String, Vec<u8>)>, Error> {
        self.note_range(self.range(Collection::Data, &range.prefix)?)?;
        let limit = range.limit.min(SCAN_LEN_MAX);
        if self.own(Collection::Data, &range.prefix).next().is_none() {
            let scan = Scan {
                namespace: &self.namespace,
                collection: Collection::Data,
                prefix: &range.prefix,
                after: range.after.as_deref(),
                skip: range.skip,
                limit,
                reverse: range.reverse,
            };
            return self.snapshot.scan(&scan).map_err(unreadable);
        }
        self.scan_merged(range, limit as usize)
    }

    fn scan_merged(&self, range: &ScanRange, limit: usize) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut own = self.own_in(range).into_iter().peekable();
        let mut kept = Pages::new(Collection::Data, range.clone());
        let mut skip = range.skip;
        let mut found = Vec::new();
        let mut len = 0;
        while found.len() < limit {
            let order = match (kept.peek(&self.snapshot, &self.namespace)?, own.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(kept), Some((own, _))) if range.reverse => own.as_str().cmp(kept),
                (Some(kept), Some((own, _))) => kept.cmp(own.as_str()),
            };
            let kept = if order.is_le() { kept.next(&self.snapshot, &self.namespace)? } else { None };
            let entry = if order.is_ge() {
                own.next().and_then(|(name, value)| Some((name.clone(), value.as_ref()?.bytes.clone())))
            } else {
                kept
            };
            let Some((name, value)) = entry else { continue };
            if skip > 0 {
                skip -= 1;
                continue;
            }
            len += value.len();
            if len > SCAN_BYTES_MAX && !found.is_empty() {
                break;
            }
            found.push((name, value));
        }
        Ok(found)
    }

    /// How many keys begin so.
    pub(crate) fn count(&mut self, prefix: &str) -> Result<u32, Error> {
        self.note_range(self.range(Collection::Data, prefix)?)?;
        self.count_unnoted(Collection::Data, prefix)
    }

    /// How many records of a collection begin so, without noting it as read: for ceilings that may be
    /// overshot by calls that run side by side.
    pub(crate) fn count_unnoted(&self, collection: Collection, prefix: &str) -> Result<u32, Error> {
        let mut count = self.snapshot.count(&self.namespace, collection, prefix).map_err(unreadable)?;
        for (key, value) in self.own(collection, prefix) {
            let was_there = self.snapshot.get(key).map_err(unreadable)?.is_some();
            let is_there = value.as_ref().is_some_and(|value| self.is_there(value));
            count = count + u32::from(is_there) - u32::from(was_there);
        }
        Ok(count)
    }

    /// Is there a record of this name, own writes included? Not noted as read.
    pub(crate) fn has_unnoted(&self, collection: Collection, name: &str) -> Result<bool, Error> {
        let key = self.key(collection, name)?;
        match self.writes.get(&key) {
            Some(own) => Ok(own.as_ref().is_some_and(|value| self.is_there(value))),
            None => Ok(self.snapshot.get(&key).map_err(unreadable)?.is_some()),
        }
    }

    /// Adds to a total when it commits.
    pub(crate) fn add(&mut self, name: &str, delta: i32) -> Result<(), Error> {
        let key = self.key(Collection::Total, name)?;
        if !self.totals.contains_key(&key) {
            self.charge(key.name.len())?;
        }
        let total = self.totals.entry(key).or_default();
        *total = total.saturating_add(i64::from(delta));
        Ok(())
    }

    /// A total as of the snapshot, own additions included.
    pub(crate) fn total(&self, name: &str) -> Result<i64, Error> {
        let key = self.key(Collection::Total, name)?;
        let is_cleared = self.writes.contains_key(&key);
        let before = if is_cleared { 0 } else { self.snapshot.total(&key).map_err(unreadable)? };
        Ok(before.saturating_add(self.totals.get(&key).copied().unwrap_or(0)))
    }

    /// The key of a sequence, whose numbers are drawn outside the transaction.
    pub(crate) fn sequence(&self, name: &str) -> Result<Key, Error> {
        self.key(Collection::Sequence, name)
    }

    /// Every record of a collection in any namespace, own writes included, noted as read.
    pub(crate) fn everywhere(&mut self, collection: Collection) -> Result<BTreeMap<Key, Vec<u8>>, Error> {
        self.note_range(Range::Everywhere(collection))?;
        let mut all = BTreeMap::new();
        for entry in self.snapshot.everywhere(collection).map_err(unreadable)? {
            let (key, record) = entry.map_err(unreadable)?;
            all.insert(key, record.bytes.to_vec());
        }
        for (key, value) in self.own(collection, "") {
            match value {
                Some(value) => all.insert(key.clone(), value.bytes.clone()),
                None => all.remove(key),
            };
        }
        Ok(all)
    }

    /// Did it write this record?
    pub(crate) fn has_written(&self, key: &Key) -> bool {
        self.writes.contains_key(key)
    }

    /// Forgets what was recorded; the snapshot and what was read from it stay. What it took counts on.
    pub(crate) fn rollback(&mut self) {
        self.writes.clear();
        self.totals.clear();
    }

    /// Would a commit change anything?
    pub(crate) fn has_writes(&self) -> bool {
        !self.writes.is_empty() || !self.totals.is_empty()
    }

    /// What the store is to check and to make true.
    pub(crate) fn to_commit(&self) -> Transaction {
        Transaction {
            snapshot_revision: self.snapshot.revision(),
            reads: self.reads.clone(),
            writes: self.writes.clone(),
            totals: self.totals.clone(),
        }
    }

    fn write(&mut self, key: Key, value: Option<Value>) -> Result<(), Error> {
        self.charge(key.name.len() + value.as_ref().map_or(0, |value| value.bytes.len()))?;
        self.writes.insert(key, value);
        Ok(())
    }

    fn note_range(&mut self, range: Range) -> Result<(), Error> {
        if !self.reads.ranges.contains(&range) {
            if let Range::Prefix { prefix, .. } = &range {
                self.charge(prefix.len())?;
            }
            self.reads.ranges.insert(range);
        }
        Ok(())
    }

    fn charge(&mut self, len: usize) -> Result<(), Error> {
        // Every record costs something, also an empty one under a short name.
        let len = self.len.saturating_add(len).saturating_add(64);
        if len > self.len_max {
            return Err(Error::Exhausted("transaction".into()));
        }
        self.len = len;
        Ok(())
    }

    fn key(&self, collection: Collection, name: &str) -> Result<Key, Error> {
        if name.is_empty() || name.len() > KEY_LEN_MAX {
            return Err(Error::Invalid("key".into()));
        }
        Ok(Key::new(&self.namespace, collection, name))
    }

    fn range(&self, collection: Collection, prefix: &str) -> Result<Range, Error> {
        if prefix.len() > KEY_LEN_MAX {
            return Err(Error::Invalid("prefix".into()));
        }
        Ok(Range::Prefix { collection, namespace: self.namespace.clone(), prefix: prefix.to_owned() })
    }

    fn is_there(&self, value: &Value) -> bool {
        value.expires.is_none_or(|expires| expires > self.now())
    }

    fn own(&self, collection: Collection, prefix: &str) -> impl Iterator<Item = (&Key, &Option<Value>)> {
        let start = Key::new(&self.namespace, collection, prefix);
        let own = self.writes.range(start.clone()..);
        own.take_while(move |(key, _)| {
            (key.collection, &key.namespace) == (start.collection, &start.namespace)
                && key.name.starts_with(&start.name)
        })
    }

    /// Own writes of a scan in its order; what is gone shadows as `None`.
    fn own_in(&self, range: &ScanRange) -> Vec<(&String, Option<&Value>)> {
        let is_behind = |name: &str| match &range.after {
            None => true,
            Some(after) if range.reverse => name < after.as_str(),
            Some(after) => name > after.as_str(),
        };
        let own = self.own(Collection::Data, &range.prefix).filter(|(key, _)| is_behind(&key.name));
        let mut own: Vec<_> =
            own.map(|(key, value)| (&key.name, value.as_ref().filter(|value| self.is_there(value)))).collect();
        if range.reverse {
            own.reverse();
        }
        own
    }
}

/// Walks a snapshot page by page, so that a merge stops where its caller has enough.
struct Pages {
    collection: Collection,
    range: ScanRange,
    page: VecDeque<(String, Vec<u8>)>,
    is_over: bool,
}

impl Pages {
    fn new(collection: Collection, range: ScanRange) -> Self {
        Self { collection, range, page: VecDeque::new(), is_over: false }
    }

    fn peek(&mut self, snapshot: &Snapshot, namespace: &Namespace) -> Result<Option<&str>, Error> {
        if self.page.is_empty() && !self.is_over {
            let scan = Scan {
                namespace,
                collection: self.collection,
                prefix: &self.range.prefix,
                after: self.range.after.as_deref(),
                skip: 0,
                limit: PAGE_LEN,
                reverse: self.range.reverse,
            };
            self.page = snapshot.scan(&scan).map_err(unreadable)?.into();
            match self.page.back() {
                Some((last, _)) => self.range.after = Some(last.clone()),
                None => self.is_over = true,
            }
        }
        Ok(self.page.front().map(|(name, _)| name.as_str()))
    }

    fn next(&mut self, snapshot: &Snapshot, namespace: &Namespace) -> Result<Option<(String, Vec<u8>)>, Error> {
        self.peek(snapshot, namespace)?;
        Ok(self.page.pop_front())
    }
}

/// What a guest is told when the store cannot be read; the operator gets the cause.
#[expect(clippy::needless_pass_by_value, reason = "its users hand it to map_err")]
fn unreadable(error: ReadError) -> Error {
    tracing::error!(%error, "the store cannot be read");
    Error::Unavailable("store".into())
}

#[cfg(test)]
mod tests;
