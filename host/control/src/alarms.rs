//! Calls plugins when a time they set has come.
//!
//! The plugin's call deletes its alarm in its own transaction, so an alarm that was handled is gone and
//! one that was set again inside the call stays. A call that fails is repeated with growing distance;
//! after the last try the alarm is given up and deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_model::{Namespace, Revision, Timestamp};
use heliu_plugin::{Alarm, Fault};
use heliu_store::{Collection, CommitError, Key, PendingAlarm, ReadError, Store, Transaction};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::dead_letters::{DeadLetter, DeadLetters};
use crate::side::PluginSide;
use crate::stats::Stats;

/// After the first failure, the second, …
const RETRY_AFTER_MS: [u64; 8] = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000];
/// Calls at one time; the plugins have bounds of their own.
const RUNNING_MAX: usize = 32;
/// Alarms are read anew at most this often, so that ten thousand due at once are not read ten thousand times.
const READ_EVERY_MS: u64 = 50;
/// After a store that could not be read.
const READ_AGAIN_AFTER_MS: u64 = 1_000;

pub(crate) struct Alarms {
    store: Store,
    plugins: BTreeMap<Namespace, Arc<dyn PluginSide>>,
    clock: Clock,
    stats: Arc<Stats>,
    dead_letters: Arc<DeadLetters>,
    /// As read last, the next one due first; what has been handled since is taken out.
    pending: Vec<PendingAlarm>,
    read_again_at: Timestamp,
    tries: BTreeMap<Name, Try>,
    calls: JoinSet<(PendingAlarm, Result<(), Fault>)>,
    running: BTreeSet<Name>,
}

type Name = (Namespace, String);

/// How often a call failed, for alarms that wait for another one.
#[derive(Debug, Clone, Copy)]
struct Try {
    revision: Revision,
    failures: usize,
    again_at: Timestamp,
}

impl Alarms {
    pub(crate) fn new(
        store: Store,
        plugins: &[Arc<dyn PluginSide>],
        clock: Clock,
        (stats, dead_letters): (Arc<Stats>, Arc<DeadLetters>),
    ) -> Self {
        Self {
            store,
            plugins: plugins.iter().map(|plugin| (plugin.namespace().clone(), plugin.clone())).collect(),
            clock,
            stats,
            dead_letters,
            pending: Vec::new(),
            read_again_at: Timestamp(0),
            tries: BTreeMap::new(),
            calls: JoinSet::new(),
            running: BTreeSet::new(),
        }
    }

    /// For ever.
    pub(crate) async fn run(mut self) {
        let mut revisions = self.store.revisions();
        let mut is_stale = true;
        loop {
            let now = self.clock.now();
            if is_stale && self.read_again_at <= now {
                revisions.borrow_and_update();
                is_stale = !self.read(now);
            }
            let mut wake_at = self.call_due(now);
            if is_stale {
                wake_at = Some(wake_at.map_or(self.read_again_at, |wake| wake.min(self.read_again_at)));
            }
            tokio::select! {
                changed = revisions.changed(), if !is_stale => {
                    if changed.is_err() {
                        return;
                    }
                    is_stale = true;
                }
                Some(done) = self.calls.join_next() => self.finish(done).await,
                () = self.clock.nap(wake_at) => {}
            }
        }
    }

    /// False: the store cannot be read, and what was read before stays.
    fn read(&mut self, now: Timestamp) -> bool {
        match self.store.alarms() {
            Ok(pending) => self.pending = pending,
            Err(error) => {
                tracing::error!(%error, "alarms cannot be read");
                self.read_again_at = Timestamp(now.0 + READ_AGAIN_AFTER_MS);
                return false;
            }
        }
        self.read_again_at = Timestamp(now.0 + READ_EVERY_MS);
        self.pending.retain(|pending| self.plugins.contains_key(&pending.namespace));
        self.pending.sort_by_key(|pending| pending.alarm.due);
        let revisions: BTreeMap<Name, Revision> =
            self.pending.iter().map(|pending| (name(pending), pending.revision)).collect();
        self.tries.retain(|name, tried| revisions.get(name) == Some(&tried.revision));
        true
    }

    /// Calls for all alarms whose time has come; returns when the next one is due.
    fn call_due(&mut self, now: Timestamp) -> Option<Timestamp> {
        let mut next = None;
        for pending in &self.pending {
            let name = name(pending);
            if self.running.contains(&name) {
                continue;
            }
            let tried = self.tries.get(&name).filter(|tried| tried.revision == pending.revision);
            let due = tried.map_or(pending.alarm.due, |tried| tried.again_at);
            if due > now {
                next = Some(next.map_or(due, |next: Timestamp| next.min(due)));
                continue;
            }
            if self.running.len() >= RUNNING_MAX {
                // Whoever finishes makes room, and this is looked at again.
                break;
            }
            let Some(plugin) = self.plugins.get(&pending.namespace).cloned() else { continue };
            let failures = tried.map_or(0, |tried| tried.failures);
            self.running.insert(name);
            self.calls.spawn(call(plugin, pending.clone(), failures));
        }
        next
    }

    async fn finish(&mut self, done: Result<(PendingAlarm, Result<(), Fault>), tokio::task::JoinError>) {
        let Ok((pending, result)) = done else {
            // A call that panicked takes its name with it until the next start.
            tracing::error!("an alarm's call panicked");
            return;
        };
        let name = name(&pending);
        self.running.remove(&name);
        let plugin = &pending.namespace;
        let Err(fault) = result else {
            self.stats.delivered.add(1);
            self.forget(&pending).await;
            return;
        };
        let tried = self.tries.get(&name).filter(|tried| tried.revision == pending.revision);
        let failures = tried.map_or(0, |tried| tried.failures);
        if fault == Fault::BreakerOpen {
            // It was not asked, so it is no try.
            let again_at = Timestamp(self.clock.now().0 + RETRY_AFTER_MS[0]);
            self.tries.insert(name, Try { revision: pending.revision, failures, again_at });
            return;
        }
        let Some(wait) = RETRY_AFTER_MS.get(failures) else {
            self.stats.alarms_dead.add(1);
            tracing::error!(%plugin, alarm = pending.name, %fault, "alarm given up");
            self.dead_letters.add(DeadLetter {
                at: self.clock.now(),
                plugin: plugin.clone(),
                kind: "alarm".to_owned(),
                room: None,
                subject: pending.name.clone(),
                attempts: u32::try_from(failures).unwrap_or(u32::MAX).saturating_add(1),
                fault,
            });
            self.forget(&pending).await;
            return;
        };
        self.stats.retried.add(1);
        tracing::warn!(%plugin, alarm = pending.name, attempt = failures + 1, %fault, "alarm not taken");
        let again_at = Timestamp(self.clock.now().0 + wait);
        self.tries.insert(name, Try { revision: pending.revision, failures: failures + 1, again_at });
    }

    /// Takes an alarm off the list and out of the store, unless it was set again.
    async fn forget(&mut self, done: &PendingAlarm) {
        self.tries.remove(&name(done));
        match delete(&self.store, done).await {
            Ok(()) => self.pending.retain(|pending| name(pending) != name(done) || pending.revision != done.revision),
            Err(error) => {
                tracing::error!(%error, alarm = done.name, "alarm cannot be deleted");
                let again_at = Timestamp(self.clock.now().0 + RETRY_AFTER_MS[0]);
                self.tries.insert(name(done), Try { revision: done.revision, failures: 0, again_at });
            }
        }
    }
}

async fn call(
    plugin: Arc<dyn PluginSide>,
    pending: PendingAlarm,
    failures: usize,
) -> (PendingAlarm, Result<(), Fault>) {
    let alarm = Alarm {
        name: pending.name.clone(),
        key: pending.alarm.key.clone(),
        payload: pending.alarm.payload.clone(),
        due: pending.alarm.due,
        attempt: u32::try_from(failures).unwrap_or(u32::MAX).saturating_add(1),
    };
    let result = plugin.handle_alarm(&alarm).await;
    (pending, result)
}

/// Usually the plugin's call has done so already.
async fn delete(store: &Store, done: &PendingAlarm) -> Result<(), CommitError> {
    let key = Key::new(&done.namespace, Collection::Alarm, done.name.clone());
    loop {
        let snapshot = store.snapshot().map_err(unreadable)?;
        let record = snapshot.record(&key).map_err(unreadable)?;
        if record.is_none_or(|record| record.revision != done.revision) {
            return Ok(());
        }
        let mut transaction = Transaction::at(snapshot.revision());
        transaction.reads.keys.insert(key.clone());
        transaction.writes.insert(key.clone(), None);
        match store.commit(transaction).await {
            Ok(_) => return Ok(()),
            Err(CommitError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
}

fn unreadable(error: ReadError) -> CommitError {
    match error {
        ReadError::Damaged(key) => CommitError::Damaged(key),
        ReadError::Disk(cause) => CommitError::Disk(cause),
        ReadError::DamagedKey => CommitError::Closed,
    }
}

fn name(pending: &PendingAlarm) -> Name {
    (pending.namespace.clone(), pending.name.clone())
}
