//! Instances of one plugin: made for a call, and kept for the next one if the operator lets them.
//!
//! A kept instance serves calls of its own plugin only, one after another. It is thrown away after any
//! fault, after many calls, when its memory has grown large, and when nobody needed it for a while. A run
//! after a conflict always gets a fresh one. A guest may not count on either.
//!
//! Not here: what a call is ([`crate::call`]), and when one runs again ([`crate::run`]).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use crate::bindings::exported::{admission, events, requests};
use crate::call::{Call, Guest};
use crate::config::Reuse;
use crate::context::Context;
use crate::exports::Exports;
use crate::limit::Limit;
use crate::load::new_store;
use crate::memory::Memory;
use crate::meter::Meter;
use crate::run::{Invocation, Outcome};

/// Calls of one instance; whatever a guest leaks is gone after them.
const CALLS_MAX: u32 = 1_000;
const IDLE_MAX: Duration = Duration::from_secs(10);

/// The instances of one plugin that are at rest, and the means to make more.
pub(crate) struct Instances {
    context: Arc<Context>,
    linked: InstancePre<Guest>,
    exports: Exports,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    /// The one used last at the back.
    idle: VecDeque<Idle>,
    is_swept: bool,
}

struct Idle {
    living: Living,
    since: Instant,
}

/// One instance and its exports, as far as they were looked up.
pub(crate) struct Living {
    store: Store<Guest>,
    instance: Instance,
    meter: Meter,
    exports: Exports,
    requests: Option<requests::Guest>,
    admission: Option<admission::Guest>,
    events: Option<events::Guest>,
    calls: u32,
}

/// The component lacks an export.
#[derive(Debug, thiserror::Error)]
#[error("the plugin does not export what was called")]
pub(crate) struct NotExported;

/// A guest was ended by the engine.
pub(crate) struct Dead {
    pub(crate) error: wasmtime::Error,
    /// It had met this ceiling of memory.
    pub(crate) refused: Option<Limit>,
    /// It had used up its computing time.
    pub(crate) is_used_up: bool,
}

impl Instances {
    /// None yet.
    pub(crate) fn new(context: Arc<Context>, linked: InstancePre<Guest>, exports: Exports) -> Arc<Self> {
        Arc::new(Self { context, linked, exports, shelf: Mutex::default() })
    }

    /// One at rest, with computing time for another call; `None`: make one.
    pub(crate) fn rested(&self, cpu_max: Duration) -> Option<Living> {
        let living = self.shelf().idle.pop_back()?.living;
        living.meter.restart(cpu_max);
        Some(living)
    }

    /// Makes one.
    pub(crate) async fn fresh(&self, cpu_max: Duration) -> Result<Living, Dead> {
        let limits = &self.context.limits;
        let meter = Meter::new(cpu_max, Arc::clone(&self.context.spending));
        let memory = Memory::new(limits.memory_len_max, Arc::clone(&self.context.memory));
        let mut store = new_store(self.linked.engine(), Guest::idle(memory), &meter);
        store.set_hostcall_fuel(limits.host_call_len_max);
        let instance = meter.charge(self.linked.instantiate_async(&mut store)).await;
        let instance = instance.map_err(|error| Dead::of(error, &store, &meter))?;
        self.context.stats.instances.increment();
        Ok(Living {
            store,
            instance,
            meter,
            exports: self.exports.clone(),
            requests: None,
            admission: None,
            events: None,
            calls: 0,
        })
    }

    /// Keeps one whose call went well, if it is to be kept.
    pub(crate) fn rest(self: &Arc<Self>, mut living: Living) {
        let limits = &self.context.limits;
        living.calls += 1;
        let is_small = living.store.data().memory.held() <= limits.memory_len_max / 2;
        if limits.reuse == Reuse::Fresh || living.calls >= CALLS_MAX || !is_small {
            return;
        }
        let mut shelf = self.shelf();
        if shelf.idle.len() >= limits.idle_max {
            return;
        }
        shelf.idle.push_back(Idle { living, since: Instant::now() });
        if !std::mem::replace(&mut shelf.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Throws away who rested too long. False: nobody is left, and nobody will look again.
    fn sweep(&self) -> bool {
        let mut shelf = self.shelf();
        while shelf.idle.front().is_some_and(|idle| idle.since.elapsed() >= IDLE_MAX) {
            shelf.idle.pop_front();
        }
        shelf.is_swept = !shelf.idle.is_empty();
        shelf.is_swept
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dead {
    fn of(error: wasmtime::Error, store: &Store<Guest>, meter: &Meter) -> Self {
        Self { error, refused: store.data().memory.refused(), is_used_up: meter.is_used_up() }
    }
}

async fn sweep(instances: Weak<Instances>) {
    loop {
        tokio::time::sleep(IDLE_MAX / 2).await;
        let Some(instances) = instances.upgrade() else { return };
        if !instances.sweep() {
            return;
        }
    }
}

impl Living {
    /// Lets it serve a call, and takes the call back when the guest is done with it.
    pub(crate) async fn serve<I: Invocation>(
        &mut self,
        call: Call,
        invocation: &I,
    ) -> (Call, Result<Outcome<I::Answer>, Dead>) {
        self.store.set_epoch_deadline(1);
        self.store.data_mut().serve(call);
        let meter = self.meter.clone();
        let answered = meter.charge(invocation.invoke(self)).await;
        let call = self.store.data_mut().end_call().expect("it was given a call and nobody else takes it");
        (call, answered.map_err(|error| Dead::of(error, &self.store, &self.meter)))
    }

    /// The call it serves.
    pub(crate) fn call(&mut self) -> wasmtime::Result<&mut Call> {
        self.store.data_mut().call()
    }

    pub(crate) fn requests(&mut self) -> wasmtime::Result<(&requests::Guest, &mut Store<Guest>)> {
        let Self { store, instance, exports, requests, .. } = self;
        let found = match requests {
            Some(found) => found,
            None => requests.insert(exports.requests(store, instance)?),
        };
        Ok((found, store))
    }

    pub(crate) fn admission(&mut self) -> wasmtime::Result<(&admission::Guest, &mut Store<Guest>)> {
        let Self { store, instance, exports, admission, .. } = self;
        let found = match admission {
            Some(found) => found,
            None => admission.insert(exports.admission(store, instance)?.ok_or(NotExported)?),
        };
        Ok((found, store))
    }

    pub(crate) fn events(&mut self) -> wasmtime::Result<(&events::Guest, &mut Store<Guest>)> {
        let Self { store, instance, exports, events, .. } = self;
        let found = match events {
            Some(found) => found,
            None => events.insert(exports.events(store, instance)?.ok_or(NotExported)?),
        };
        Ok((found, store))
    }
}
