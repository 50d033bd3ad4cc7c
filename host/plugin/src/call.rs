//! One run of one call, as its imports see it.
//!
//! A run has one open transaction at a time. An *effect* commits it, acts, and opens the next. If a
//! commit meets another call the run is over and the call runs again in a fresh instance; what an
//! earlier effect has made true stays, and the guest is brought there by its [`Tape`].

use std::sync::Arc;
use std::time::Duration;

use heliu_model::Noun;
use heliu_store::{Collection, CommitError, Exclusive, Key, ReadError, Snapshot};

use crate::bindings::types::Error;
use crate::context::Context;
use crate::fault::Fault;
use crate::limit::Limit;
use crate::memory::Memory;
use crate::tape::{Answer, Question, Tape, TookAnotherWay};
use crate::transaction::OpenTransaction;
use crate::turns::Turn;

/// What a wasmtime store holds.
pub(crate) struct Guest {
    pub(crate) memory: Memory,
    state: State,
}

enum State {
    /// Asked what it is, or at rest; every import traps.
    Idle,
    /// Serving a call.
    Serving(Box<Call>),
}

/// One run.
pub(crate) struct Call {
    pub(crate) context: Arc<Context>,
    pub(crate) transaction: OpenTransaction,
    /// Names it in logs.
    pub(crate) id: String,
    carried: Carried,
    commits: Commits,
    /// A transaction began while the import that is answered ran: an effect.
    has_begun: bool,
    has_said_last_words: bool,
    ended: Option<Ended>,
}

/// What the runs of one call hand on.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) turn: Turn,
    pub(crate) tape: Tape,
    /// Deleted by the last commit if it is as it was, unless the guest wrote it itself.
    delivers: Option<Delivery>,
}

/// A record that is delivered: an alarm.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) key: Key,
    pub(crate) bytes: Vec<u8>,
}

/// How the transactions of a run end.
enum Commits {
    /// Beside others: one may be lost.
    Beside,
    /// Alone, so that none is lost: the last run. `None` between two transactions.
    Alone(Option<Exclusive>),
}

/// Why the host ended a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It met another call: run it again.
    Rerun,
    /// There is no going on.
    Fault(Fault),
}

/// A guest calls an import while it is asked what it is.
#[derive(Debug, thiserror::Error)]
#[error("`describe` called an import; it must answer from what the plugin is")]
struct CalledOutsideCall;

/// The trap behind [`Ended`].
#[derive(Debug, thiserror::Error)]
#[error("the host ended the call")]
struct EndedByHost;

impl Guest {
    /// One without a call: its imports trap.
    pub(crate) fn idle(memory: Memory) -> Self {
        Self { memory, state: State::Idle }
    }

    /// The call, for an import.
    pub(crate) fn call(&mut self) -> wasmtime::Result<&mut Call> {
        match &mut self.state {
            State::Serving(call) => Ok(call),
            State::Idle => Err(CalledOutsideCall.into()),
        }
    }

    /// Answers an import: as in an earlier run, or live.
    pub(crate) fn answer<A: Answer>(
        &mut self,
        question: Question,
        live: impl FnOnce(&mut Call) -> A,
    ) -> wasmtime::Result<A> {
        let call = self.call()?;
        if let Some(played) = call.recall(question)? {
            return Ok(played);
        }
        let answer = live(call);
        call.remember(question, &answer);
        Ok(answer)
    }

    /// Serves the next call.
    pub(crate) fn serve(&mut self, call: Call) {
        self.state = State::Serving(Box::new(call));
    }

    /// The call, when the guest is done with it.
    pub(crate) fn end_call(&mut self) -> Option<Call> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Serving(call) => Some(*call),
            State::Idle => None,
        }
    }
}

impl Carried {
    /// Of a call that did not run yet.
    pub(crate) fn new(turn: Turn, tape: Tape) -> Self {
        Self { turn, tape, delivers: None }
    }
}

impl Call {
    /// A run that begins with a transaction at `snapshot`; with `exclusive`, nobody commits beside it.
    pub(crate) fn new(
        context: Arc<Context>,
        id: String,
        carried: Carried,
        snapshot: Snapshot,
        exclusive: Option<Exclusive>,
    ) -> Self {
        let transaction = OpenTransaction::new(context.namespace.clone(), snapshot, context.limits.transaction_len_max);
        let commits = exclusive.map_or(Commits::Beside, |exclusive| Commits::Alone(Some(exclusive)));
        Self { context, transaction, id, carried, commits, has_begun: false, has_said_last_words: false, ended: None }
    }

    /// Deletes this record with the last commit, unless the guest writes it or somebody else did.
    pub(crate) fn deliver(&mut self, delivery: Delivery) {
        self.carried.delivers = Some(delivery);
    }

    /// Did an effect of this or an earlier run happen?
    pub(crate) fn has_effects(&self) -> bool {
        self.carried.tape.has_effects()
    }

    /// Are there recorded answers left that the guest did not ask for?
    pub(crate) fn is_playing(&self) -> bool {
        self.carried.tape.is_playing()
    }

    /// Why the host ended it, if it did.
    pub(crate) fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// For the next run.
    ///
    /// # Errors
    /// An effect has happened, and what was asked before it was too much to keep.
    pub(crate) fn into_carried(self) -> Result<Carried, Fault> {
        let Carried { turn, tape, delivers } = self.carried;
        let tape = tape.rewound().ok_or(Fault::Conflict)?;
        Ok(Carried { turn, tape, delivers })
    }

    /// The answer of an earlier run; `None`: this question is asked for the first time.
    pub(crate) fn recall<A: Answer>(&mut self, question: Question) -> wasmtime::Result<Option<A>> {
        let played = self.carried.tape.play(question);
        played.map_err(|TookAnotherWay| self.end(Ended::Fault(Fault::AnotherWay)))
    }

    /// Remembers an answer for runs to come, and counts the limit it tells of.
    pub(crate) fn remember<A: Answer>(&mut self, question: Question, answer: &A) {
        if let Some(limit) = answer.refusal().and_then(Limit::behind) {
            self.context.stats.count_limit(limit);
        }
        if !self.carried.tape.record(question, answer) {
            self.context.stats.count_limit(Limit::Replay);
        }
        if std::mem::take(&mut self.has_begun) {
            self.carried.tape.mark_effect();
        }
    }

    /// Records a value; refused when the plugin has written too much to the disk lately.
    pub(crate) fn put(
        &mut self,
        collection: Collection,
        name: &str,
        bytes: Vec<u8>,
        ttl_s: Option<u32>,
    ) -> Result<(), Error> {
        let key = Key::new(&self.context.namespace, collection, name);
        if !key.is_volatile() && !self.context.writes.has_some() {
            return Err(Error::Exhausted("writes".into()));
        }
        self.transaction.put(collection, name, bytes, ttl_s)
    }

    /// May the guest say why it fails? Once is enough.
    pub(crate) fn take_last_words(&mut self) -> bool {
        !std::mem::replace(&mut self.has_said_last_words, true)
    }

    /// The effect `transaction.commit`.
    pub(crate) async fn commit(&mut self) -> wasmtime::Result<Result<(), Error>> {
        let committed = self.commit_so_far().await?;
        if committed.is_ok() {
            self.begin().await?;
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
        let found = self.carried.turn.away(waiting).await;
        self.begin().await?;
        Ok(found.ok_or_else(|| Error::Exhausted("waiting".into())))
    }

    /// Makes the last transaction true, as the guest's answer asks.
    pub(crate) async fn finish(&mut self) -> Result<(), Ended> {
        self.delete_delivered().map_err(|error| {
            tracing::error!(plugin = %self.context.namespace, call = self.id, ?error, "an alarm cannot be deleted");
            Ended::Fault(Fault::Store)
        })?;
        match self.commit_records().await {
            Ok(()) => Ok(()),
            Err(CommitError::Conflict) => Err(self.met_another()),
            Err(error) => Err(Ended::Fault(self.told(&error))),
        }
    }

    /// One that was set again since it was delivered stays.
    fn delete_delivered(&mut self) -> Result<(), Error> {
        let Some(Delivery { key, bytes }) = &self.carried.delivers else { return Ok(()) };
        if self.transaction.has_written(key) || self.transaction.get(key.collection, &key.name)?.as_ref() != Some(bytes)
        {
            return Ok(());
        }
        self.transaction.delete(key.collection, &key.name)
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
        let exclusive = match &mut self.commits {
            Commits::Beside => None,
            Commits::Alone(exclusive) => exclusive.take(),
        };
        if !self.transaction.has_writes() {
            return Ok(());
        }
        let transaction = self.transaction.to_commit();
        let written =
            transaction.writes.keys().chain(transaction.totals.keys()).filter(|key| !key.is_volatile()).count();
        match exclusive {
            Some(exclusive) => exclusive.commit(transaction).await?,
            None => self.context.store.commit(transaction).await?,
        };
        self.context.writes.take_all(u32::try_from(written).unwrap_or(u32::MAX));
        let delivers = &mut self.carried.delivers;
        if delivers.as_ref().is_some_and(|delivery| self.transaction.has_written(&delivery.key)) {
            *delivers = None;
        }
        Ok(())
    }

    /// Opens the next transaction.
    async fn begin(&mut self) -> wasmtime::Result<()> {
        let snapshot = match &mut self.commits {
            Commits::Beside => self.context.store.snapshot(),
            Commits::Alone(exclusive) => exclusive.insert(self.context.store.exclusive().await).snapshot(),
        };
        match snapshot {
            Ok(snapshot) => {
                self.has_begun = true;
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
        Ended::Rerun
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
