//! Runs a call until it has an answer that is true, or a fault.
//!
//! Each run has an instance for itself and a snapshot of its own. A run that met another call is thrown
//! away and the next one begins, behind the last effect if there was one; the last run keeps everybody
//! else from committing, so it cannot lose.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{self, Duration};

use tokio::time::{Instant, timeout, timeout_at};
use wasmtime::component::InstancePre;

use crate::breaker::{Breaker, End, Pass, Turned};
use crate::call::{Call, Carried, Ended, Guest, log_unreadable};
use crate::context::Context;
use crate::exports::Exports;
use crate::fault::Fault;
use crate::instances::{Dead, Instances, Living, NotExported};
use crate::limit::Limit;
use crate::stats::{Moment, StatsSnapshot};
use crate::tape::Tape;
use crate::turns::{Turn, Turns};

/// In the engine's words; its type is private.
const TOO_MUCH_AT_ONCE: &str = "fuel allocated for hostcalls has been exhausted";

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
    fn invoke(&self, living: &mut Living) -> impl Future<Output = wasmtime::Result<Outcome<Self::Answer>>> + Send;
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
    turns: Arc<Turns>,
    instances: Arc<Instances>,
    breaker: Arc<Mutex<Breaker>>,
}

/// How one run ended.
enum Run<T> {
    Answered(T, Box<Call>),
    Again(Box<Carried>),
    Failed(Fault),
}

/// Which of a call's runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    First,
    Further,
    Last,
}

/// A call the breaker let through; dropping it says how it ended.
struct Passed<'a> {
    runner: &'a Runner,
    pass: Pass,
    end: End,
}

impl Runner {
    /// Nothing has happened yet.
    pub(crate) fn new(context: Arc<Context>, turns: Arc<Turns>, linked: InstancePre<Guest>, exports: Exports) -> Self {
        let instances = Instances::new(Arc::clone(&context), linked, exports);
        Self { context, turns, instances, breaker: Arc::new(Mutex::new(Breaker::new())) }
    }

    /// The same plugin's with another component: what counts, queues and limits goes on; no instance
    /// does.
    pub(crate) fn succeeded_by(&self, linked: InstancePre<Guest>, exports: Exports) -> Self {
        let (context, turns, breaker) = (&self.context, &self.turns, &self.breaker);
        let instances = Instances::new(Arc::clone(context), linked, exports);
        Self { context: Arc::clone(context), turns: Arc::clone(turns), instances, breaker: Arc::clone(breaker) }
    }

    /// What happened so far.
    pub(crate) fn stats(&self) -> StatsSnapshot {
        self.context.stats.snapshot(&Moment {
            cpu: self.context.spending.spent(),
            is_breaker_open: self.with_breaker(|breaker| breaker.is_open()),
            memory_len: self.context.memory.held(),
            crowd: self.turns.crowd(),
        })
    }

    /// Runs one call and counts how it ended.
    pub(crate) async fn run<I: Invocation>(&self, invocation: &I, terms: Terms<'_>) -> Result<I::Answer, Fault> {
        self.context.stats.calls.increment();
        let answer = self.run_if_let_through(invocation, terms).await;
        if let Err(fault) = &answer {
            self.note_fault(*fault, invocation.name());
        }
        answer
    }

    fn note_fault(&self, fault: Fault, (export, id): (&str, &str)) {
        let stats = &self.context.stats;
        stats.count_fault(fault);
        match fault {
            Fault::Cpu => stats.count_limit(Limit::Cpu),
            Fault::Timeout => stats.count_limit(Limit::Time),
            Fault::ResponseTooLarge => stats.count_limit(Limit::Response),
            Fault::HostCall => stats.count_limit(Limit::HostCall),
            Fault::StoreFull => stats.count_limit(Limit::Store),
            Fault::Trap
            | Fault::Memory
            | Fault::Refused
            | Fault::BadResponse
            | Fault::TooManyCalls
            | Fault::BreakerOpen
            | Fault::Conflict
            | Fault::AnotherWay
            | Fault::Store
            | Fault::NotExported => {}
        }
        let (plugin, fault) = (&self.context.namespace, fault.as_str());
        if [Fault::BreakerOpen.as_str(), Fault::TooManyCalls.as_str()].contains(&fault) {
            // As many as there are strangers; the breaker has its own line, both have counters.
            tracing::debug!(%plugin, export, call = id, fault, "a call failed");
        } else {
            tracing::warn!(%plugin, export, call = id, fault, "a call failed");
        }
    }

    async fn run_if_let_through<I: Invocation>(&self, invocation: &I, terms: Terms<'_>) -> Result<I::Answer, Fault> {
        let pass = self.with_breaker(|breaker| breaker.pass(time::Instant::now())).ok_or(Fault::BreakerOpen)?;
        let mut passed = Passed { runner: self, pass, end: End::Unknown };
        let entered = timeout(terms.queue_max, self.enter(terms.key)).await;
        let turn = entered.map_err(|_| Fault::Timeout)??;
        let answer = self.run_until_true(invocation, terms, turn).await;
        passed.end = match &answer {
            Err(fault) if fault.is_the_plugins() => End::Fault,
            Err(_) => End::Unknown,
            Ok(_) => End::Good,
        };
        answer
    }

    /// Waits for a turn, then for the plugin's share of computing.
    async fn enter(&self, key: Option<&str>) -> Result<Turn, Fault> {
        let stats = &self.context.stats;
        let entered = self.turns.enter(key).await;
        let turn = entered.map_err(|limit| {
            stats.count_limit(limit);
            Fault::TooManyCalls
        })?;
        let mut has_waited = false;
        while let Some(wait) = self.context.spending.wait() {
            if !std::mem::replace(&mut has_waited, true) {
                stats.count_limit(Limit::CpuShare);
            }
            tokio::time::sleep(wait).await;
        }
        Ok(turn)
    }

    async fn run_until_true<I: Invocation>(
        &self,
        invocation: &I,
        terms: Terms<'_>,
        turn: Turn,
    ) -> Result<I::Answer, Fault> {
        let mut carried = Carried::new(turn, Tape::new(self.context.limits.tape_len_max));
        let deadline = Instant::now() + terms.time_max;
        let runs_max = self.context.limits.runs_max.max(1);
        for run in 1..=runs_max {
            if run > 1 {
                self.count_rerun(&carried);
            }
            let which = match run {
                _ if run == runs_max => Which::Last,
                1 => Which::First,
                _ => Which::Further,
            };
            let once = self.run_once(invocation, terms.cpu_max, carried, which);
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
        which: Which,
    ) -> Run<I::Answer> {
        let mut call = match self.begin(invocation, carried, which).await {
            Ok(call) => call,
            Err(fault) => return Run::Failed(fault),
        };
        if !call.has_effects()
            && let Some(answer) = invocation.prepare(&mut call)
        {
            return Run::Answered(answer, Box::new(call));
        }
        let living = match which {
            Which::First => self.instances.rested(cpu_max),
            Which::Further | Which::Last => None,
        };
        let mut living = match living {
            Some(living) => living,
            None => match self.instances.fresh(cpu_max).await {
                Ok(living) => living,
                Err(dead) => return Run::Failed(self.cause(invocation, &dead)),
            },
        };
        let (call, answered) = living.serve(call, invocation).await;
        match answered {
            Ok(Outcome::Commit(_)) if call.is_playing() => Run::Failed(Fault::AnotherWay),
            Ok(Outcome::Commit(answer)) => {
                self.instances.rest(living);
                Run::Answered(answer, Box::new(call))
            }
            Ok(Outcome::Discard(fault)) => Run::Failed(fault),
            Err(dead) => match call.ended() {
                Some(Ended::Rerun) => call.into_carried().map_or_else(Run::Failed, |again| Run::Again(Box::new(again))),
                Some(Ended::Fault(fault)) => Run::Failed(fault),
                None => Run::Failed(self.cause(invocation, &dead)),
            },
        }
    }

    /// Why a guest was ended by the engine.
    fn cause<I: Invocation>(&self, invocation: &I, dead: &Dead) -> Fault {
        let Dead { error, refused, is_used_up } = dead;
        if *is_used_up {
            return Fault::Cpu;
        }
        if let Some(limit) = refused {
            self.context.stats.count_limit(*limit);
            return Fault::Memory;
        }
        if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            self.context.stats.count_limit(Limit::Queued);
            return Fault::TooManyCalls;
        }
        if error.is::<NotExported>() {
            return Fault::NotExported;
        }
        if error.chain().any(|cause| cause.to_string().contains(TOO_MUCH_AT_ONCE)) {
            return Fault::HostCall;
        }
        let (export, id) = invocation.name();
        tracing::error!(plugin = %self.context.namespace, export, call = id, ?error, "a plugin trapped");
        Fault::Trap
    }

    async fn begin<I: Invocation>(&self, invocation: &I, carried: Carried, which: Which) -> Result<Call, Fault> {
        let is_last = which == Which::Last;
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

    fn with_breaker<T>(&self, act: impl FnOnce(&mut Breaker) -> T) -> T {
        act(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Passed<'_> {
    fn drop(&mut self) {
        let turned = self.runner.with_breaker(|breaker| breaker.settle(self.pass, self.end, time::Instant::now()));
        let context = &self.runner.context;
        let plugin = &context.namespace;
        match turned {
            Some(Turned::Open(wait)) => {
                context.stats.breaker_opened.increment();
                tracing::error!(%plugin, wait_s = wait.as_secs(), "a plugin fails again and again and is not called");
            }
            Some(Turned::Closed) => tracing::info!(%plugin, "a plugin works again"),
            None => {}
        }
    }
}
