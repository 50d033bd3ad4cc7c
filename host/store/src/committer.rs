//! The one thread that writes: checks, applies, syncs, publishes.
//!
//! It takes all that waits as one batch, so a sync is shared by as many commits as came during the
//! last one. A batch whose disk part fails fails whole, volatile parts included, and the file is
//! opened again: redb refuses everything after its first I/O error.

use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use heliu_model::{Revision, Timestamp};
use rpds::RedBlackTreeSetSync;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, mpsc, oneshot, watch};

use crate::database::{Disk, Opened, Opener, Writing};
use crate::error::{CommitError, OpenError, ReadError};
use crate::history::{CHANGES_MAX, History};
use crate::key::Key;
use crate::record::Record;
use crate::snapshot::{Durable, Moment, Volatile, number};
use crate::transaction::Transaction;
use crate::usage::{Ceiling, Usage};

/// Commits that share one sync at most.
const BATCH_MAX: usize = 256;
/// Expired records removed per batch.
const SWEEP_MAX: usize = 64;

/// What readers see: the last moment, or why there is none.
pub(crate) type Published = Arc<RwLock<Result<Arc<Moment>, ReadError>>>;

pub(crate) enum Request {
    Commit {
        transaction: Transaction,
        turn: Turn,
        reply: oneshot::Sender<Result<Revision, CommitError>>,
    },
    /// Takes the next numbers of a sequence off the disk; replies with the first.
    Reserve {
        key: Key,
        count: u64,
        reply: oneshot::Sender<Result<u64, CommitError>>,
    },
    /// Somebody could not read.
    Reopen,
}

/// Travels with its commit, so that a caller who stops waiting does not let another in too early.
#[expect(dead_code, reason = "held, not looked at")]
pub(crate) enum Turn {
    Shared(OwnedRwLockReadGuard<()>),
    Alone(OwnedRwLockWriteGuard<()>),
}

pub(crate) struct Committer {
    opener: Opener,
    path: PathBuf,
    /// The error: it failed and did not open again.
    disk: Result<Disk, Arc<redb::Error>>,
    published: Published,
    revisions: watch::Sender<Revision>,
    history: History,
    /// Last revision given to anybody, also to a commit that failed.
    revision: Revision,
    /// Last revision that holds.
    settled: Revision,
    memory: Memory,
    ceiling: Ceiling,
}

/// What lives in memory; cloning shares everything.
#[derive(Clone)]
struct Memory {
    volatile: Volatile,
    expiries: RedBlackTreeSetSync<(Timestamp, Vec<u8>)>,
    usage: Usage,
}

/// A batch in the making.
struct Draft {
    memory: Memory,
    writing: Option<Writing>,
    is_watched: bool,
}

/// One record that shall be so.
struct Change {
    key: Key,
    bytes: Vec<u8>,
    record: Option<Record>,
}

impl Committer {
    pub(crate) fn open(opener: Opener, path: PathBuf, ceiling: Ceiling) -> Result<(Self, Published), OpenError> {
        let Opened { disk, revision, usage } = Disk::open(&opener, &path)?;
        let volatile = Volatile::new_sync();
        let durable = disk.durable().map_err(|cause| OpenError::Damaged { path: path.clone(), cause })?;
        let moment = Moment { revision, durable: Arc::new(durable), volatile: volatile.clone() };
        let published = Arc::new(RwLock::new(Ok(Arc::new(moment))));
        let committer = Self {
            opener,
            path,
            disk: Ok(disk),
            published: published.clone(),
            revisions: watch::Sender::new(revision),
            history: History::new(revision, CHANGES_MAX),
            revision,
            settled: revision,
            memory: Memory { volatile, expiries: RedBlackTreeSetSync::new_sync(), usage },
            ceiling,
        };
        Ok((committer, published))
    }

    pub(crate) fn revisions(&self) -> watch::Receiver<Revision> {
        self.revisions.subscribe()
    }

    /// Until all senders are gone. Blocks; has a thread of its own.
    pub(crate) fn run(mut self, mut inbox: mpsc::Receiver<Request>) {
        while let Some(first) = inbox.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX
                && let Ok(request) = inbox.try_recv()
            {
                batch.push(request);
            }
            self.settle(batch);
        }
    }

    fn settle(&mut self, batch: Vec<Request>) {
        if let Err(cause) = &self.disk {
            self.reopen(cause.clone());
        }
        let mut draft = Draft { memory: self.memory.clone(), writing: None, is_watched: false };
        let mut answers = Vec::with_capacity(batch.len());
        let mut failure = draft.memory.sweep(wall(), self.ceiling).err();
        for request in batch {
            let Some(answer) = self.take(&mut draft, request, &mut failure) else { continue };
            answers.push(answer);
        }
        let is_watched = draft.is_watched;
        let outcome = match failure {
            Some(error) => {
                drop(draft);
                Err(error)
            }
            None => self.finish(draft),
        };
        if let Err(CommitError::Disk(cause)) = &outcome {
            tracing::error!(error = %cause, "store cannot be written");
            self.reopen(cause.clone());
        }
        if is_watched || outcome.is_err() {
            self.revisions.send_replace(self.settled);
        }
        for answer in answers {
            answer.send(outcome.as_ref().err());
        }
    }

    /// Works out what a request changes. A failure of the disk ends the batch.
    fn take(&mut self, draft: &mut Draft, request: Request, failure: &mut Option<CommitError>) -> Option<Answer> {
        let mut note = |error: CommitError| {
            if matches!(error, CommitError::Disk(_)) {
                failure.get_or_insert(error.clone());
            }
            error
        };
        match request {
            Request::Commit { transaction, turn, reply } => {
                let result = self.apply(draft, transaction).map_err(&mut note);
                Some(Answer::Commit { reply, result, turn })
            }
            Request::Reserve { key, count, reply } => {
                let result = self.reserve(draft, &key, count).map_err(&mut note);
                Some(Answer::Reserve { reply, result })
            }
            Request::Reopen => None,
        }
    }

    fn apply(&mut self, draft: &mut Draft, transaction: Transaction) -> Result<Revision, CommitError> {
        transaction.check_limits()?;
        if self.history.has_conflict(&transaction) {
            return Err(CommitError::Conflict);
        }
        if !transaction.has_writes() {
            return Ok(self.settled);
        }
        self.revision.0 += 1;
        let revision = self.revision;
        let changed: Vec<Vec<u8>> = transaction.writes.keys().map(Key::to_bytes).collect();
        let changes = self.changes(draft, transaction, revision)?;
        self.store(draft, changes)?;
        for key in changed {
            self.history.note(key, revision);
        }
        Ok(revision)
    }

    fn changes(
        &self,
        draft: &mut Draft,
        transaction: Transaction,
        revision: Revision,
    ) -> Result<Vec<Change>, CommitError> {
        let mut totals = Vec::new();
        for (key, delta) in transaction.totals {
            let base = match transaction.writes.contains_key(&key) {
                true => 0,
                false => self.number(draft, &key)?.cast_signed(),
            };
            let total = base.saturating_add(delta).cast_unsigned();
            totals.push(Change::new(key, Some(numeral(total, revision))));
        }
        let writes = transaction.writes.into_iter().map(|(key, value)| {
            let record = value.map(|value| Record { bytes: value.bytes.into(), revision, expires: value.expires });
            Change::new(key, record)
        });
        Ok(writes.chain(totals).collect())
    }

    fn reserve(&mut self, draft: &mut Draft, key: &Key, count: u64) -> Result<u64, CommitError> {
        let last = self.number(draft, key)?;
        self.revision.0 += 1;
        let record = numeral(last.saturating_add(count), self.revision);
        self.store(draft, vec![Change::new(key.clone(), Some(record))])?;
        Ok(last + 1)
    }

    fn number(&self, draft: &mut Draft, key: &Key) -> Result<u64, CommitError> {
        let bytes = key.to_bytes();
        let record = if key.is_volatile() {
            draft.memory.volatile.get(&bytes).cloned()
        } else {
            let raw = draft.writing(&self.disk)?.get(&bytes).map_err(CommitError::disk)?;
            raw.map(|raw| Record::decode(&bytes, &raw).ok_or_else(|| CommitError::Damaged(key.clone()))).transpose()?
        };
        match record {
            Some(record) => number(&record).ok_or_else(|| CommitError::Damaged(key.clone())),
            None => Ok(0),
        }
    }

    fn store(&self, draft: &mut Draft, changes: Vec<Change>) -> Result<(), CommitError> {
        let mut sizes = Vec::with_capacity(changes.len());
        for change in &changes {
            let old = draft.len_of(change, &self.disk)?;
            let new = change.record.as_ref().map_or(0, |record| change.bytes.len() + record.raw_len());
            sizes.push((old, new as u64));
        }
        let sizes = changes.iter().zip(sizes).map(|(change, (old, new))| (&change.key, old, new));
        draft.memory.usage.change(sizes, self.ceiling)?;
        for change in changes {
            draft.is_watched |= change.key.collection.is_watched();
            if change.key.is_volatile() {
                draft.memory.put(change.bytes, change.record);
                continue;
            }
            let writing = draft.writing(&self.disk)?;
            match &change.record {
                Some(record) => writing.put(&change.bytes, record),
                None => writing.remove(&change.bytes),
            }
            .map_err(CommitError::disk)?;
        }
        Ok(())
    }

    /// Syncs, then shows everybody.
    fn finish(&mut self, mut draft: Draft) -> Result<(), CommitError> {
        let Some(writing) = draft.writing.take() else {
            self.settled = self.revision;
            self.memory = draft.memory;
            self.publish_memory();
            return Ok(());
        };
        sweep_disk(&writing, &mut draft.memory.usage, self.ceiling)?;
        writing.commit(self.revision).map_err(CommitError::disk)?;
        self.settled = self.revision;
        self.memory = draft.memory;
        // The batch holds, whether or not it can be shown: its callers are told so.
        if let Err(cause) = self.publish_disk() {
            tracing::error!(error = %cause, "store cannot be read");
            self.reopen(cause);
        }
        Ok(())
    }

    /// A moment with the durable part of the one before.
    fn publish_memory(&self) {
        let mut published = write(&self.published);
        if let Ok(moment) = published.as_ref() {
            let durable = moment.durable.clone();
            *published = Ok(self.moment(durable));
        }
    }

    fn publish_disk(&mut self) -> Result<(), Arc<redb::Error>> {
        let durable = self.disk.as_ref().map_err(Arc::clone)?.durable().map_err(Arc::new)?;
        *write(&self.published) = Ok(self.moment(Arc::new(durable)));
        Ok(())
    }

    fn moment(&self, durable: Arc<Durable>) -> Arc<Moment> {
        Arc::new(Moment { revision: self.settled, durable, volatile: self.memory.volatile.clone() })
    }

    /// Closes the file and opens it again; until that works nobody can read or write. A batch that
    /// failed in its sync may turn out to hold: its keys are in the history under revisions that are
    /// older than the first moment after this.
    fn reopen(&mut self, cause: Arc<redb::Error>) {
        *write(&self.published) = Err(ReadError::Disk(cause.clone()));
        self.disk = Err(cause);
        match Disk::open(&self.opener, &self.path) {
            Ok(opened) => {
                self.memory.usage.replace_disk(&opened.usage);
                self.revision = self.revision.max(opened.revision);
                self.settled = self.revision;
                self.disk = Ok(opened.disk);
                if let Err(cause) = self.publish_disk() {
                    self.disk = Err(cause);
                } else {
                    tracing::info!("store opened again");
                }
            }
            Err(error) => tracing::error!(%error, "store does not open again"),
        }
    }
}

impl Draft {
    /// Begins the disk part with the first who needs it.
    fn writing(&mut self, disk: &Result<Disk, Arc<redb::Error>>) -> Result<&Writing, CommitError> {
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
    fn len_of(&mut self, change: &Change, disk: &Result<Disk, Arc<redb::Error>>) -> Result<u64, CommitError> {
        if change.key.is_volatile() {
            return Ok(self.memory.len_of(&change.bytes));
        }
        let len = self.writing(disk)?.len_of(&change.bytes).map_err(CommitError::disk)?;
        Ok(len.map_or(0, |len| (change.bytes.len() + len) as u64))
    }
}

impl Memory {
    fn len_of(&self, key: &[u8]) -> u64 {
        self.volatile.get(key).map_or(0, |record| (key.len() + record.raw_len()) as u64)
    }

    fn put(&mut self, key: Vec<u8>, record: Option<Record>) {
        if let Some(expires) = self.volatile.get(&key).and_then(|old| old.expires) {
            self.expiries.remove_mut(&(expires, key.clone()));
        }
        let Some(record) = record else {
            self.volatile.remove_mut(&key);
            return;
        };
        if let Some(expires) = record.expires {
            self.expiries.insert_mut((expires, key.clone()));
        }
        self.volatile.insert_mut(key, record);
    }

    /// Removes some of what has expired. Readers judge by their own time, so nobody notices.
    fn sweep(&mut self, now: Timestamp, ceiling: Ceiling) -> Result<(), CommitError> {
        let is_over = |entry: &&(Timestamp, Vec<u8>)| entry.0 <= now;
        let expired: Vec<Vec<u8>> =
            self.expiries.iter().take_while(is_over).take(SWEEP_MAX).map(|(_, key)| key.clone()).collect();
        for bytes in expired {
            if let Some(key) = Key::from_bytes(&bytes) {
                let old = self.len_of(&bytes);
                self.usage.change([(&key, old, 0)], ceiling)?;
            }
            self.put(bytes, None);
        }
        Ok(())
    }
}

/// As [`Memory::sweep`], for what lies on the disk.
fn sweep_disk(writing: &Writing, usage: &mut Usage, ceiling: Ceiling) -> Result<(), CommitError> {
    for bytes in writing.expired(wall(), SWEEP_MAX).map_err(CommitError::disk)? {
        if let Some(key) = Key::from_bytes(&bytes) {
            let old = writing.len_of(&bytes).map_err(CommitError::disk)?;
            let old = old.map_or(0, |len| (bytes.len() + len) as u64);
            usage.change([(&key, old, 0)], ceiling)?;
        }
        writing.remove(&bytes).map_err(CommitError::disk)?;
    }
    Ok(())
}

impl Change {
    fn new(key: Key, record: Option<Record>) -> Self {
        Self { bytes: key.to_bytes(), key, record }
    }
}

fn numeral(number: u64, revision: Revision) -> Record {
    Record { bytes: number.to_be_bytes()[..].into(), revision, expires: None }
}

/// What a request gets once its batch has an outcome.
enum Answer {
    Commit { reply: oneshot::Sender<Result<Revision, CommitError>>, result: Result<Revision, CommitError>, turn: Turn },
    Reserve { reply: oneshot::Sender<Result<u64, CommitError>>, result: Result<u64, CommitError> },
}

impl Answer {
    /// Who was refused keeps his own reason. An asker who is gone does not mind.
    fn send(self, failure: Option<&CommitError>) {
        match self {
            Self::Commit { reply, result, turn } => {
                drop(reply.send(settled(result, failure)));
                drop(turn);
            }
            Self::Reserve { reply, result } => drop(reply.send(settled(result, failure))),
        }
    }
}

fn settled<T>(result: Result<T, CommitError>, failure: Option<&CommitError>) -> Result<T, CommitError> {
    result.and_then(|value| failure.map_or(Ok(value), |failure| Err(failure.clone())))
}

fn write(published: &Published) -> std::sync::RwLockWriteGuard<'_, Result<Arc<Moment>, ReadError>> {
    published.write().expect("nobody panics while holding it")
}

/// Milliseconds since the Unix epoch.
pub(crate) fn wall() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
