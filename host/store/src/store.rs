//! The handle everybody holds: snapshots for readers, a queue to the committer for writers.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::ops::Range;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use heliu_model::{Intents, Revision, Timestamp};
use redb::Database;
use redb::backends::InMemoryBackend;
use tokio::sync::{Mutex, OwnedRwLockWriteGuard, RwLock, mpsc, oneshot, watch};

use crate::alarm::PendingAlarm;
use crate::committer::{Committer, Published, Request, Turn, wall};
use crate::database::Opener;
use crate::error::{CommitError, OpenError, ReadError};
use crate::key::Key;
use crate::snapshot::Snapshot;
use crate::stats::Stats;
use crate::transaction::Transaction;
use crate::usage::Ceiling;

/// Commits that wait; more callers wait for a place.
const INBOX_LEN: usize = 1024;
/// Pages of the file kept in memory, in bytes; redb's own choice is a gibibyte.
const CACHE_LEN: usize = 64 << 20;
/// Numbers of a sequence taken off the disk at a time.
const SEQUENCE_BLOCK: u64 = 64;

/// Everything plugins and host remember. Cheap to clone; the last one to go closes the file.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    published: Published,
    /// `None` only while it is dropped.
    inbox: Option<mpsc::Sender<Request>>,
    committer: Option<JoinHandle<()>>,
    revisions: watch::Receiver<Revision>,
    stats: Arc<Stats>,
    /// Held for writing by who commits alone, for reading by all others.
    turn: Arc<RwLock<()>>,
    /// Numbers reserved and not given yet. Bounded like the records behind them, by the share of the disk.
    sequences: Mutex<BTreeMap<Key, Range<u64>>>,
}

impl Store {
    /// Opens the file, or makes it; nobody but its owner may read it: push targets hold keys.
    ///
    /// # Errors
    /// It is in use, foreign, damaged, of another schema, or the disk refuses.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let file = path.to_owned();
        // What goes wrong here goes wrong when it is opened, and is told then.
        let _ = make_private(path);
        let opener: Opener = Box::new(move || Database::builder().set_cache_size(CACHE_LEN).create(&file));
        Self::start(opener, path.to_owned(), Ceiling::default())
    }

    /// One that forgets, for tests.
    #[must_use]
    pub fn in_memory() -> Self {
        let opener: Opener = Box::new(|| Database::builder().create_with_backend(InMemoryBackend::new()));
        Self::start(opener, PathBuf::from("memory"), Ceiling::default()).expect("memory opens and threads start")
    }

    pub(crate) fn start(opener: Opener, path: PathBuf, ceiling: Ceiling) -> Result<Self, OpenError> {
        let (committer, published) = Committer::open(opener, path, ceiling)?;
        let revisions = committer.revisions();
        let stats = committer.stats();
        let (inbox, requests) = mpsc::channel(INBOX_LEN);
        let thread = std::thread::Builder::new().name("heliu-store".to_owned());
        let committer = thread.spawn(move || committer.run(requests)).map_err(OpenError::Thread)?;
        Ok(Self(Arc::new(Inner {
            published,
            inbox: Some(inbox),
            committer: Some(committer),
            revisions,
            stats,
            turn: Arc::default(),
            sequences: Mutex::default(),
        })))
    }

    /// The store as it is.
    ///
    /// # Errors
    /// The disk has failed and did not come back yet.
    pub fn snapshot(&self) -> Result<Snapshot, ReadError> {
        self.snapshot_at(wall())
    }

    /// The store as it is, expiry judged by another time.
    ///
    /// # Errors
    /// As [`Self::snapshot`].
    pub fn snapshot_at(&self, now: Timestamp) -> Result<Snapshot, ReadError> {
        let published = self.0.published.read().expect("nobody panics while holding it").clone();
        if published.is_err()
            && let Some(inbox) = &self.0.inbox
        {
            // A full queue holds requests that make it try as well.
            drop(inbox.try_send(Request::Reopen));
        }
        Ok(Snapshot::new(published?, now))
    }

    /// Makes a transaction true, durably, or changes nothing. Not cancelled by dropping the future.
    ///
    /// # Errors
    /// [`CommitError::Conflict`]: run again on a fresh snapshot. All others: give up.
    pub async fn commit(&self, transaction: Transaction) -> Result<Revision, CommitError> {
        if transaction.reads.is_empty() && !transaction.has_writes() {
            return Ok(transaction.snapshot_revision);
        }
        let turn = Turn::Shared(self.0.turn.clone().read_owned().await);
        self.send_commit(transaction, turn).await
    }

    /// Waits for all commits under way and holds back all others until it is used or dropped. What is
    /// read from a snapshot taken under it cannot change before [`Exclusive::commit`].
    pub async fn exclusive(&self) -> Exclusive {
        Exclusive { turn: self.0.turn.clone().write_owned().await, store: self.clone() }
    }

    /// The next number of a sequence: from 1, never twice, also after a crash; gaps are possible. Outside
    /// of any transaction.
    ///
    /// # Errors
    /// The disk fails, or the namespace's share is used up.
    pub async fn next(&self, key: &Key) -> Result<u64, CommitError> {
        let mut sequences = self.0.sequences.lock().await;
        if let Some(number) = sequences.get_mut(key).and_then(Iterator::next) {
            return Ok(number);
        }
        let (reply, answer) = oneshot::channel();
        self.send(Request::Reserve { key: key.clone(), count: SEQUENCE_BLOCK, reply }).await?;
        let first = answer.await.map_err(|_| CommitError::Closed)??;
        sequences.insert(key.clone(), first + 1..first + SEQUENCE_BLOCK);
        Ok(first)
    }

    /// The last commit that changed a mixer, an egress, an address or an alarm.
    #[must_use]
    pub fn revisions(&self) -> watch::Receiver<Revision> {
        self.0.revisions.clone()
    }

    /// What became of transactions.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.0.stats
    }

    /// All wishes, decoded.
    ///
    /// # Errors
    /// The disk fails.
    pub fn intents(&self) -> Result<Intents, ReadError> {
        self.snapshot()?.intents()
    }

    /// All alarms.
    ///
    /// # Errors
    /// The disk fails.
    pub fn alarms(&self) -> Result<Vec<PendingAlarm>, ReadError> {
        self.snapshot()?.alarms()
    }

    async fn send_commit(&self, transaction: Transaction, turn: Turn) -> Result<Revision, CommitError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Commit { transaction, turn, reply }).await?;
        answer.await.map_err(|_| CommitError::Closed)?
    }

    async fn send(&self, request: Request) -> Result<(), CommitError> {
        let inbox = self.0.inbox.as_ref().ok_or(CommitError::Closed)?;
        inbox.send(request).await.map_err(|_| CommitError::Closed)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.inbox = None;
        if let Some(committer) = self.committer.take()
            && committer.join().is_err()
        {
            tracing::error!("the committer panicked");
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({:?})", *self.0.revisions.borrow())
    }
}

/// Nobody else commits while this is held: for the call that must not lose again.
pub struct Exclusive {
    turn: OwnedRwLockWriteGuard<()>,
    store: Store,
}

impl Exclusive {
    /// The store as it is and stays.
    ///
    /// # Errors
    /// As [`Store::snapshot`].
    pub fn snapshot(&self) -> Result<Snapshot, ReadError> {
        self.store.snapshot()
    }

    /// Commits and lets the others go on. No conflict for what was read under this guard.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn commit(self, transaction: Transaction) -> Result<Revision, CommitError> {
        if transaction.reads.is_empty() && !transaction.has_writes() {
            return Ok(transaction.snapshot_revision);
        }
        self.store.send_commit(transaction, Turn::Alone(self.turn)).await
    }
}

/// Makes the file if it is not there.
fn make_private(path: &Path) -> std::io::Result<()> {
    let file = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}
