//! Runs a call until it has an answer that is true, or a fault.
//!
//! Each run has a fresh instance and a snapshot of its own. A run that met another call is thrown
//! away and the next one begins, behind the last effect if there was one; the last run keeps everybody
//! else from committing, so it cannot lose.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use crate::call::{Call, Carried, Ended, Guest, log_unreadable};
use crate::context::Context;
use crate::exports::Exports;
use crate::fault::Fault;
use crate::load::new_store;
use crate::memory::Memory;
use crate::meter::Meter;
use crate::tape::Tape;
use crate::turns::Turns;

/// One kind of call.
pub(crate) trait Invocation: Sync {
    /// What the caller gets.
    type Answer: Send;

    /// The export's name, and what tells this call from others in logs.
    fn name(&self) -> (&'static str, &str);

    /// Looks at the store before the guest does; an answer ends the call without it. Not asked again
    /// after an effect.
    fn prepare(&self, _call: &mut Call) -> Option<Self::Answer> {
        None
    }

    /// Calls the export and judges its answer.
    fn invoke(
        &self,
        exports: &Exports,
        store: &mut Store<Guest>,
        instance: &Instance,
    ) -> impl Future<Output = wasmtime::Result<Outcome<Self::Answer>>> + Send;
}

/// What a guest's answer means for its transaction.
pub(crate) enum Outcome<T> {
    /// It becomes true.
    Commit(T),
    /// Nothing of it happened.
    Discard(Fault),
}

/// What a call may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// Serialization key.
    pub(crate) key: Option<&'a str>,
    /// Wall time until its turn comes.
    pub(crate) queue_max: Duration,
    /// Wall time from then on.
    pub(crate) time_max: Duration,
    /// Computing time of each run.
    pub(crate) cpu_max: Duration,
}

/// Runs the calls of one plugin.
pub(crate) struct Runner {
    pub(crate) context: Arc<Context>,
    pub(crate) turns: Arc<Turns>,
    pub(crate) linked: InstancePre<Guest>,
    pub(crate) exports: Exports,
}

/// How one run ended.
enum Run<T> {
    Answered(T, Box<Call>),
    Again(Box<Carried>),
    Failed(Fault),
}

impl Runner {
    /// Runs one call and counts how it ended.
    pub(crate) async fn run<I: Invocation>(&self, invocation: &I, terms: Terms<'_>) -> Result<I::Answer, Fault> {
        self.context.stats.calls.increment();
        let answer = self.run_until_true(invocation, terms).await;
        if let Err(fault) = &answer {
            self.context.stats.count_fault(*fault);
            let (export, id) = invocation.name();
            let fault = fault.as_str();
            tracing::warn!(plugin = %self.context.namespace, export, call = id, fault, "a call failed");
        }
        answer
    }

    async fn run_until_true<I: Invocation>(&self, invocation: &I, terms: Terms<'_>) -> Result<I::Answer, Fault> {
        let entered = timeout(terms.queue_max, self.turns.enter(terms.key)).await;
        let turn = entered.map_err(|_| Fault::Timeout)??;
        let mut carried = Carried::new(turn, Tape::new(self.context.limits.tape_len_max));
        let deadline = Instant::now() + terms.time_max;
        let runs_max = self.context.limits.runs_max.max(1);
        for run in 1..=runs_max {
            if run > 1 {
                self.count_rerun(&carried);
            }
            let is_last = run == runs_max;
            let once = self.run_once(invocation, terms.cpu_max, carried, is_last);
            // Dropping the run drops its instance and its transaction.
            match timeout_at(deadline, once).await.map_err(|_| Fault::Timeout)? {
                Run::Failed(fault) => return Err(fault),
                Run::Again(again) => carried = *again,
                // Not cut short by the deadline: whether a commit counts must not be left open.
                Run::Answered(answer, mut call) => match call.finish().await {
                    Ok(()) => return Ok(answer),
                    Err(Ended::Rerun) => carried = call.into_carried()?,
                    Err(Ended::Fault(fault)) => return Err(fault),
                },
            }
        }
        Err(Fault::Conflict)
    }

    fn count_rerun(&self, carried: &Carried) {
        let stats = &self.context.stats;
        stats.reruns.increment();
        if carried.tape.has_effects() {
            stats.replays.increment();
        }
    }

    async fn run_once<I: Invocation>(
        &self,
        invocation: &I,
        cpu_max: Duration,
        carried: Carried,
        is_last: bool,
    ) -> Run<I::Answer> {
        let mut call = match self.begin(invocation, carried, is_last).await {
            Ok(call) => call,
            Err(fault) => return Run::Failed(fault),
        };
        if !call.has_effects()
            && let Some(answer) = invocation.prepare(&mut call)
        {
            return Run::Answered(answer, Box::new(call));
        }
        let meter = Meter::new(cpu_max);
        let limits = &self.context.limits;
        let guest = Guest::serving(Memory::new(limits.memory_len_max), call);
        let mut store = new_store(self.linked.engine(), guest, &meter);
        store.set_hostcall_fuel(limits.host_call_len_max);
        let answered = meter.charge(self.instantiate_and_invoke(invocation, &mut store)).await;
        let was_refused_memory = store.data().memory.was_refused();
        let call = store.into_data().into_call().expect("it was made to serve a call");
        match answered {
            Ok(Outcome::Commit(_)) if call.is_playing() => Run::Failed(Fault::AnotherWay),
            Ok(Outcome::Commit(answer)) => Run::Answered(answer, Box::new(call)),
            Ok(Outcome::Discard(fault)) => Run::Failed(fault),
            Err(error) => match call.ended() {
                Some(Ended::Rerun) => {
                    call.into_carried().map_or_else(Run::Failed, |carried| Run::Again(Box::new(carried)))
                }
                Some(Ended::Fault(fault)) => Run::Failed(fault),
                None if meter.is_used_up() => Run::Failed(Fault::Cpu),
                None if was_refused_memory => Run::Failed(Fault::Memory),
                None if error.is::<wasmtime::PoolConcurrencyLimitError>() => Run::Failed(Fault::TooManyCalls),
                None => {
                    let (export, id) = invocation.name();
                    tracing::error!(plugin = %self.context.namespace, export, call = id, ?error, "a plugin trapped");
                    Run::Failed(Fault::Trap)
                }
            },
        }
    }

    async fn begin<I: Invocation>(&self, invocation: &I, carried: Carried, is_last: bool) -> Result<Call, Fault> {
        let exclusive = if is_last { Some(self.context.store.exclusive().await) } else { None };
        let snapshot = match &exclusive {
            Some(exclusive) => exclusive.snapshot(),
            None => self.context.store.snapshot(),
        };
        let snapshot = snapshot.map_err(|error| {
            log_unreadable(&error);
            Fault::Store
        })?;
        let id = invocation.name().1.to_owned();
        Ok(Call::new(Arc::clone(&self.context), id, carried, snapshot, exclusive))
    }

    async fn instantiate_and_invoke<I: Invocation>(
        &self,
        invocation: &I,
        store: &mut Store<Guest>,
    ) -> wasmtime::Result<Outcome<I::Answer>> {
        let instance = self.linked.instantiate_async(&mut *store).await?;
        invocation.invoke(&self.exports, store, &instance).await
    }
}
