//! Brings events to plugins: each to the owner of its room, in the room's order, at least once.
//!
//! One task per room that has something to tell. A plugin that fails is asked again after 1, 2 and 4 s;
//! then the event is given up and the plugin is told to look at the room anew. One that is not called
//! because it failed too often is waited for. Nothing is delivered to a
//! plugin before its `host.started`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heliu_model::{Namespace, RoomId, Timestamp};
use heliu_plugin::{Fault, PluginEvent};
use serde_json::json;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::dead_letters::{DeadLetter, DeadLetters};
use crate::lane::{Lane, RESYNC};
use crate::side::PluginSide;
use crate::stats::Stats;
use crate::wording::Words;

/// Before the second, third and fourth try.
const RETRY_AFTER: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// Events that wait in all rooms together; beyond it a room keeps one `room.resync` only.
const WAITING_MAX: usize = 100_000;

pub(crate) struct Courier {
    plugins: BTreeMap<Namespace, Recipient>,
    lanes: Mutex<BTreeMap<RoomId, Lane>>,
    waiting: AtomicUsize,
    run: String,
    told: AtomicU64,
    clock: Clock,
    stats: Arc<Stats>,
    dead_letters: Arc<DeadLetters>,
}

struct Recipient {
    plugin: Arc<dyn PluginSide>,
    /// Has its `host.started` been delivered or given up?
    is_started: watch::Sender<bool>,
}

impl Courier {
    pub(crate) fn new(
        plugins: &[Arc<dyn PluginSide>],
        run: String,
        clock: Clock,
        (stats, dead_letters): (Arc<Stats>, Arc<DeadLetters>),
    ) -> Arc<Self> {
        let recipient = |plugin: &Arc<dyn PluginSide>| {
            let recipient = Recipient { plugin: plugin.clone(), is_started: watch::Sender::new(false) };
            (plugin.namespace().clone(), recipient)
        };
        Arc::new(Self {
            plugins: plugins.iter().map(recipient).collect(),
            lanes: Mutex::default(),
            waiting: AtomicUsize::new(0),
            run,
            told: AtomicU64::new(0),
            clock,
            stats,
            dead_letters,
        })
    }

    /// Tells every plugin that the host lives, then lets all else pass.
    pub(crate) async fn start(&self) {
        let tell = async |recipient: &Recipient| {
            if recipient.plugin.wants_event("host.started") {
                let words = Words { kind: "host.started", subject: self.run.clone(), data: json!({}) };
                let event = self.event(None, words, self.clock.now());
                self.deliver(recipient, event).await;
            }
            recipient.is_started.send_replace(true);
        };
        futures_util::future::join_all(self.plugins.values().map(tell)).await;
    }

    /// Queues an event for the owner of the room, if he wants to know.
    pub(crate) fn tell(self: &Arc<Self>, room: &RoomId, words: Words, at: Timestamp) {
        let Some(recipient) = self.plugins.get(&room.namespace()) else { return };
        if !recipient.plugin.wants_event(words.kind) {
            return;
        }
        let event = self.event(Some(room), words, at);
        let resync = || self.event(Some(room), resync(), at);
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let (lane, is_idle) = match lanes.entry(room.clone()) {
            Entry::Occupied(lane) => (lane.into_mut(), false),
            Entry::Vacant(place) => (place.insert(Lane::default()), true),
        };
        let before = lane.len();
        let has_room = self.waiting.load(Ordering::Relaxed) < WAITING_MAX;
        let folded = if has_room { lane.push(event, resync) } else { lane.fold(resync()) };
        self.recount(before, lane.len());
        drop(lanes);
        self.stats.events_folded.add(folded);
        if is_idle {
            tokio::spawn(self.clone().empty(room.clone()));
        }
    }

    /// Tells the owner to look at the room anew: events of it were lost.
    pub(crate) fn resync(self: &Arc<Self>, room: &RoomId) {
        self.tell(room, resync(), self.clock.now());
    }

    /// Delivers what waits in a room until nothing does.
    async fn empty(self: Arc<Self>, room: RoomId) {
        let Some(recipient) = self.plugins.get(&room.namespace()) else { return };
        let mut is_started = recipient.is_started.subscribe();
        // The sender lives as long as `self`.
        drop(is_started.wait_for(|is_started| *is_started).await);
        while let Some(event) = self.next(&room) {
            let is_resync = event.kind == RESYNC;
            let is_taken = self.deliver(recipient, event).await;
            if !is_taken && !is_resync && recipient.plugin.wants_event(RESYNC) {
                self.put_first(&room);
            }
        }
    }

    /// The next event of a room; `None`: the lane is gone, and whoever tells next begins another.
    fn next(&self, room: &RoomId) -> Option<PluginEvent> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.get_mut(room)?;
        let before = lane.len();
        let event = lane.pop();
        self.recount(before, lane.len());
        if event.is_none() {
            lanes.remove(room);
        }
        event
    }

    fn put_first(&self, room: &RoomId) {
        let resync = self.event(Some(room), resync(), self.clock.now());
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(room.clone()).or_default();
        let before = lane.len();
        lane.push_first(resync);
        self.recount(before, lane.len());
    }

    /// False: given up.
    async fn deliver(&self, recipient: &Recipient, mut event: PluginEvent) -> bool {
        let plugin = &recipient.plugin;
        loop {
            let Err(fault) = plugin.handle_event(&event).await else {
                self.stats.delivered.add(1);
                return true;
            };
            if fault == Fault::BreakerOpen {
                // It was not asked, so it is no try.
                tokio::time::sleep(RETRY_AFTER[0]).await;
                continue;
            }
            let (kind, room, attempt) = (&event.kind, &event.room, event.attempt);
            let Some(wait) = RETRY_AFTER.get(attempt as usize - 1) else {
                self.stats.events_dead.add(1);
                tracing::error!(plugin = %plugin.namespace(), kind, room, %fault, "event given up");
                self.dead_letters.add(DeadLetter {
                    at: self.clock.now(),
                    plugin: plugin.namespace().clone(),
                    kind: event.kind,
                    room: event.room,
                    subject: event.subject,
                    attempts: attempt,
                    fault,
                });
                return false;
            };
            self.stats.retried.add(1);
            tracing::warn!(plugin = %plugin.namespace(), kind, room, attempt, %fault, "event not taken");
            tokio::time::sleep(*wait).await;
            event.attempt += 1;
        }
    }

    fn event(&self, room: Option<&RoomId>, words: Words, at: Timestamp) -> PluginEvent {
        let number = self.told.fetch_add(1, Ordering::Relaxed) + 1;
        PluginEvent {
            id: format!("{}-{number}", self.run),
            kind: words.kind.to_owned(),
            at,
            room: room.map(|room| room.local().to_owned()),
            subject: words.subject,
            attempt: 1,
            data: words.data.to_string(),
        }
    }

    fn recount(&self, before: usize, after: usize) {
        if after >= before {
            self.waiting.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.waiting.fetch_sub(before - after, Ordering::Relaxed);
        }
    }
}

fn resync() -> Words {
    Words { kind: RESYNC, subject: String::new(), data: json!({}) }
}
