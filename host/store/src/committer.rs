//! The one thread that writes: checks, applies, syncs, publishes.
//!
//! It takes all that waits as one batch, so a sync is shared by as many commits as came during the
//! last one. A batch whose disk part fails fails whole, volatile parts included, and the file is
//! opened again: redb refuses everything after its first I/O error.

use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use heliu_model::{Revision, Timestamp};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, mpsc, oneshot, watch};

use crate::database::{Disk, Opened, Opener};
use crate::draft::{Change, Draft, OpenDisk};
use crate::error::{CommitError, OpenError, ReadError};
use crate::history::{CHANGES_MAX, History};
use crate::key::Key;
use crate::memory::Memory;
use crate::snapshot::{Durable, Moment};
use crate::stats::Stats;
use crate::transaction::Transaction;
use crate::usage::Ceiling;

/// Commits that share one sync at most.
const BATCH_MAX: usize = 256;

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
    disk: OpenDisk,
    published: Published,
    revisions: watch::Sender<Revision>,
    history: History,
    /// Last revision given to anybody, also to a commit that failed.
    revision: Revision,
    /// Last revision that holds.
    settled: Revision,
    memory: Memory,
    ceiling: Ceiling,
    stats: Arc<Stats>,
}

impl Committer {
    pub(crate) fn open(opener: Opener, path: PathBuf, ceiling: Ceiling) -> Result<(Self, Published), OpenError> {
        let Opened { disk, revision, usage } = Disk::open(&opener, &path)?;
        disk.check(&path)?;
        let memory = Memory::new(usage);
        let durable = disk.durable().map_err(|cause| OpenError::Damaged { path: path.clone(), cause })?;
        let moment = Moment { revision, durable: Arc::new(durable), volatile: memory.volatile.clone() };
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
            memory,
            ceiling,
            stats: Arc::default(),
        };
        committer.note_size();
        Ok((committer, published))
    }

    pub(crate) fn revisions(&self) -> watch::Receiver<Revision> {
        self.revisions.subscribe()
    }

    pub(crate) fn stats(&self) -> Arc<Stats> {
        self.stats.clone()
    }

    fn note_size(&self) {
        self.stats.set_disk_bytes(self.memory.usage.disk_bytes());
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
        let mut draft = Draft::new(self.memory.clone(), self.ceiling);
        let mut answers = Vec::with_capacity(batch.len());
        let mut failure = draft.sweep_memory(wall()).err();
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
        self.note_size();
        for answer in answers {
            answer.send(outcome.as_ref().err(), &self.stats);
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
        let changes = draft.changes(&self.disk, transaction, revision)?;
        draft.store(&self.disk, changes)?;
        for key in changed {
            self.history.note(key, revision);
        }
        Ok(revision)
    }

    fn reserve(&mut self, draft: &mut Draft, key: &Key, count: u64) -> Result<u64, CommitError> {
        let last = draft.number(&self.disk, key)?;
        self.revision.0 += 1;
        draft.store(&self.disk, vec![Change::number(key.clone(), last.saturating_add(count), self.revision)])?;
        Ok(last + 1)
    }

    /// Syncs, then shows everybody.
    fn finish(&mut self, mut draft: Draft) -> Result<(), CommitError> {
        draft.sweep_disk(wall())?;
        let Draft { memory, writing, .. } = draft;
        let Some(writing) = writing else {
            self.settled = self.revision;
            self.memory = memory;
            self.publish_memory();
            return Ok(());
        };
        writing.commit(self.revision).map_err(CommitError::disk)?;
        self.settled = self.revision;
        self.memory = memory;
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

/// What a request gets once its batch has an outcome.
enum Answer {
    Commit { reply: oneshot::Sender<Result<Revision, CommitError>>, result: Result<Revision, CommitError>, turn: Turn },
    Reserve { reply: oneshot::Sender<Result<u64, CommitError>>, result: Result<u64, CommitError> },
}

impl Answer {
    /// Who was refused keeps his own reason. An asker who is gone does not mind.
    fn send(self, failure: Option<&CommitError>, stats: &Stats) {
        match self {
            Self::Commit { reply, result, turn } => {
                let result = settled(result, failure);
                stats.note(&result);
                drop(reply.send(result));
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
