//! One run of one call, as its imports see it.
//!
//! A run has one open transaction at a time. An *effect* commits it, acts, and opens the next. If a
//! commit meets another call the run is over: nothing left the host, so the whole call runs again in
//! a fresh instance, unless an earlier effect has made a part of it true.

use std::sync::Arc;
use std::time::Duration;

use heliu_model::Noun;
use heliu_store::{CommitError, Exclusive, Key, ReadError, Snapshot};

use crate::bindings::types::Error;
use crate::context::Context;
use crate::fault::Fault;
use crate::memory::Memory;
use crate::transaction::OpenTransaction;
use crate::turns::Turn;

/// What a wasmtime store holds.
pub(crate) struct Guest {
    pub(crate) memory: Memory,
    state: State,
}

enum State {
    /// Asked what it is; every import traps.
    Describing,
    /// Serving a call.
    Serving(Box<Call>),
}

/// One run.
pub(crate) struct Call {
    pub(crate) context: Arc<Context>,
    pub(crate) transaction: OpenTransaction,
    /// Names it in logs.
    pub(crate) id: String,
    turn: Turn,
    /// Held by the last run, so that it cannot lose.
    exclusive: Option<Exclusive>,
    /// Deleted by the last commit, unless the guest wrote it itself: the alarm that is delivered.
    delivers: Option<Key>,
    has_committed: bool,
    ended: Option<Ended>,
}

/// Why the host ended a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It met another call and nothing of it is true: run it again.
    Rerun,
    /// There is no going on.
    Fault(Fault),
}

/// A guest calls an import while it is asked what it is.
#[derive(Debug, thiserror::Error)]
#[error("`describe` called an import; it must answer from what the plugin is")]
struct CalledWhileDescribing;

/// The trap behind [`Ended`].
#[derive(Debug, thiserror::Error)]
#[error("the host ended the call")]
struct EndedByHost;

impl Guest {
    /// One that is asked what it is.
    pub(crate) fn describing(memory: Memory) -> Self {
        Self { memory, state: State::Describing }
    }

    /// One that serves a call.
    pub(crate) fn serving(memory: Memory, call: Call) -> Self {
        Self { memory, state: State::Serving(Box::new(call)) }
    }

    /// The call, for an import.
    pub(crate) fn call(&mut self) -> wasmtime::Result<&mut Call> {
        match &mut self.state {
            State::Serving(call) => Ok(call),
            State::Describing => Err(CalledWhileDescribing.into()),
        }
    }

    /// The call, when its guest is done.
    pub(crate) fn into_call(self) -> Option<Call> {
        match self.state {
            State::Serving(call) => Some(*call),
            State::Describing => None,
        }
    }
}

impl Call {
    /// A run that reads from `snapshot`; with `exclusive`, nobody commits beside it.
    pub(crate) fn new(
        context: Arc<Context>,
        id: String,
        turn: Turn,
        snapshot: Snapshot,
        exclusive: Option<Exclusive>,
    ) -> Self {
        let transaction = OpenTransaction::new(context.namespace.clone(), snapshot, context.limits.transaction_len_max);
        Self { context, transaction, id, turn, exclusive, delivers: None, has_committed: false, ended: None }
    }

    /// Deletes this record with the last commit, unless the guest writes it.
    pub(crate) fn deliver(&mut self, key: Key) {
        self.delivers = Some(key);
    }

    /// Why the host ended it, if it did.
    pub(crate) fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// The turn, for the next run.
    pub(crate) fn into_turn(self) -> Turn {
        self.turn
    }

    /// The effect `transaction.commit`.
    pub(crate) async fn commit(&mut self) -> wasmtime::Result<Result<(), Error>> {
        let committed = self.commit_so_far().await?;
        if committed.is_ok() {
            self.begin()?;
        }
        Ok(committed)
    }

    /// The effect `status.wait`: commits, gives the turn back while it waits.
    pub(crate) async fn wait(
        &mut self,
        noun: Noun,
        id: String,
        at_most: Duration,
    ) -> wasmtime::Result<Result<Option<heliu_model::Job>, Error>> {
        if let Err(error) = self.commit_so_far().await? {
            return Ok(Err(error));
        }
        let waiting = self.context.plane.wait(self.context.namespace.clone(), noun, id, at_most);
        let found = self.turn.away(waiting).await;
        self.begin()?;
        Ok(found.ok_or_else(|| Error::Exhausted("waiting".into())))
    }

    /// Makes the last transaction true, as the guest's answer asks.
    pub(crate) async fn finish(&mut self) -> Result<(), Ended> {
        if let Some(key) = self.delivers.take()
            && !self.transaction.has_written(&key)
        {
            let deleted = self.transaction.delete(key.collection, &key.name);
            deleted.map_err(|_| Ended::Fault(Fault::StoreFull))?;
        }
        match self.commit_records().await {
            Ok(()) => Ok(()),
            Err(CommitError::Conflict) => Err(self.met_another()),
            Err(error) => Err(Ended::Fault(self.told(&error))),
        }
    }

    async fn commit_so_far(&mut self) -> wasmtime::Result<Result<(), Error>> {
        match self.commit_records().await {
            Ok(()) => Ok(Ok(())),
            Err(CommitError::Conflict) => {
                let ended = self.met_another();
                Err(self.end(ended))
            }
            Err(error) => Ok(Err(match self.told(&error) {
                Fault::StoreFull => Error::Exhausted("store".into()),
                _ => Error::Unavailable("store".into()),
            })),
        }
    }

    async fn commit_records(&mut self) -> Result<(), CommitError> {
        let exclusive = self.exclusive.take();
        if !self.transaction.has_writes() {
            return Ok(());
        }
        let transaction = self.transaction.to_commit();
        match exclusive {
            Some(exclusive) => exclusive.commit(transaction).await?,
            None => self.context.store.commit(transaction).await?,
        };
        self.has_committed = true;
        if self.delivers.as_ref().is_some_and(|key| self.transaction.has_written(key)) {
            self.delivers = None;
        }
        Ok(())
    }

    /// Opens the next transaction.
    fn begin(&mut self) -> wasmtime::Result<()> {
        match self.context.store.snapshot() {
            Ok(snapshot) => {
                let len_max = self.context.limits.transaction_len_max;
                self.transaction = OpenTransaction::new(self.context.namespace.clone(), snapshot, len_max);
                Ok(())
            }
            Err(error) => {
                log_unreadable(&error);
                Err(self.end(Ended::Fault(Fault::Store)))
            }
        }
    }

    fn met_another(&self) -> Ended {
        self.context.stats.conflicts.increment();
        if self.has_committed { Ended::Fault(Fault::Conflict) } else { Ended::Rerun }
    }

    /// The trap that ends the guest.
    pub(crate) fn end(&mut self, ended: Ended) -> wasmtime::Error {
        self.ended = Some(ended);
        EndedByHost.into()
    }

    /// Logs why the store refused, once, and says what that means for the call.
    fn told(&self, error: &CommitError) -> Fault {
        tracing::error!(plugin = %self.context.namespace, call = self.id, %error, "the store refused a call's records");
        match error {
            CommitError::StoreFull | CommitError::MemoryFull => Fault::StoreFull,
            CommitError::Conflict => Fault::Conflict,
            CommitError::NameTooLong
            | CommitError::ValueTooLarge
            | CommitError::Damaged(_)
            | CommitError::Disk(_)
            | CommitError::Closed => Fault::Store,
        }
    }
}

/// Says why there is no snapshot.
pub(crate) fn log_unreadable(error: &ReadError) {
    tracing::error!(%error, "the store cannot be read");
}
