//! The other ends: a media plane that is a channel of commands, and a plugin that writes down calls.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heliu_model::{
    Address, Attempt, Command, EgressId, EgressIntent, EgressReality, EgressStage, Event, Grant, MixerId, MixerIntent,
    MixerReality, MixerStage, Namespace, Refusal, Revision, RoomId, Status, Timestamp,
};
use heliu_plugin::{Alarm, Fault, HostLimits, PluginEvent};
use heliu_store::{Collection, Key, Store, Transaction, Value};
use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::side::{MediaSide, PluginSide};
use crate::{Config, Control, HostView};

/// Everything around one control plane.
pub(crate) struct World {
    pub(crate) view: HostView,
    pub(crate) control: Control,
    pub(crate) media: Arc<FakeMedia>,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) plugin: Arc<FakePlugin>,
}

impl World {
    /// A plugin `mix` that wants every event.
    pub(crate) fn start(store: Store) -> Self {
        Self::start_with(store, FakePlugin::new("mix", &["*"]))
    }

    pub(crate) fn start_with(store: Store, plugin: Arc<FakePlugin>) -> Self {
        let (media, commands) = FakeMedia::new();
        let (events, received) = mpsc::channel(64);
        let view = HostView::with_clock(store, config(&[]), clock());
        let control = Control::between(&view, &[plugin.clone() as Arc<dyn PluginSide>], media.clone(), received);
        Self { view, control, media, commands, events, plugin }
    }

    pub(crate) async fn command(&mut self) -> Command {
        self.commands.recv().await.expect("the loop lives")
    }
}

pub(crate) fn config(public_names: &[&str]) -> Config {
    let public_names = public_names.iter().map(|&name| name.to_owned()).collect();
    let limits = HostLimits { mixers_max: 4, mixer_pixels_per_second_max: 1_000_000, egresses_max: 4 };
    Config { public_names, limits }
}

/// One that goes with tokio's, so that a test may move it.
pub(crate) fn clock() -> Clock {
    Clock::Simulated(Instant::now(), NOON)
}

pub(crate) const NOON: Timestamp = Timestamp(1_700_000_000_000);

pub(crate) struct FakeMedia {
    commands: mpsc::UnboundedSender<Command>,
    status: Mutex<Status>,
    changes: watch::Sender<u64>,
    pub(crate) lost: AtomicU64,
}

impl FakeMedia {
    pub(crate) fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<Command>) {
        let (commands, received) = mpsc::unbounded_channel();
        let media =
            Self { commands, status: Mutex::default(), changes: watch::Sender::new(0), lost: AtomicU64::new(0) };
        (Arc::new(media), received)
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.lock().unwrap());
        self.changes.send_modify(|count| *count += 1);
    }

    /// As if a command had been carried out so far.
    pub(crate) fn show(&self, command: &Command, mixer: MixerStage, egress: EgressStage) {
        let since = NOON;
        self.change(|status| match command.clone() {
            Command::PutMixer(id, revision, intent) => {
                let reality = MixerReality { revision, intent, stage: mixer, since, failures: 0 };
                status.observed.mixers.insert(id, reality);
            }
            Command::PutEgress(id, revision, intent) => {
                let detail = String::new();
                let reality = EgressReality { revision, intent, stage: egress, since, failures: 0, detail };
                status.observed.egresses.insert(id, reality);
            }
            Command::StopMixer(id) => drop(status.observed.mixers.remove(&id)),
            Command::StopEgress(id) => drop(status.observed.egresses.remove(&id)),
            Command::PutAddress(revision, intent) => {
                status.observed.addresses.insert(intent.address.clone(), revision);
            }
            Command::StopAddress(address) => drop(status.observed.addresses.remove(&address)),
        });
    }

    pub(crate) fn run(&self, command: &Command) {
        self.show(command, MixerStage::Running, EgressStage::Running);
    }
}

impl MediaSide for FakeMedia {
    fn apply(&self, command: Command) -> BoxFuture<'_, ()> {
        drop(self.commands.send(command));
        std::future::ready(()).boxed()
    }

    fn status(&self) -> Arc<Status> {
        Arc::new(self.status.lock().unwrap().clone())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn events_lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn locate(&self, url: &str) -> Option<Address> {
        Address::parse(url.strip_prefix("rtmp://localhost:1936/")?).ok()
    }

    fn rtmp_addr(&self) -> Option<SocketAddr> {
        Some(([127, 0, 0, 1], 1936).into())
    }
}

pub(crate) struct FakePlugin {
    namespace: Namespace,
    wants: Vec<String>,
    /// What the next calls answer; when it is empty, they succeed.
    pub(crate) answers: Mutex<VecDeque<Result<(), Fault>>>,
    pub(crate) apps: Vec<String>,
    pub(crate) admits: Result<Grant, Refusal>,
    /// How often it was asked.
    pub(crate) asked: AtomicU32,
    told: mpsc::UnboundedSender<PluginEvent>,
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<PluginEvent>>,
    rung: mpsc::UnboundedSender<(Timestamp, Alarm)>,
    alarms: tokio::sync::Mutex<mpsc::UnboundedReceiver<(Timestamp, Alarm)>>,
    clock: Clock,
    /// Sets alarms again while it handles them.
    pub(crate) sets_again: Option<Store>,
}

impl FakePlugin {
    pub(crate) fn new(namespace: &str, wants: &[&str]) -> Arc<Self> {
        Arc::new(Self::plain(namespace, wants))
    }

    pub(crate) fn plain(namespace: &str, wants: &[&str]) -> Self {
        let (told, events) = mpsc::unbounded_channel();
        let (rung, alarms) = mpsc::unbounded_channel();
        Self {
            namespace: namespace.parse().unwrap(),
            wants: wants.iter().map(|&kind| kind.to_owned()).collect(),
            answers: Mutex::default(),
            apps: Vec::new(),
            admits: Err(Refusal { status: 403, reason: "no".into() }),
            asked: AtomicU32::new(0),
            told,
            events: tokio::sync::Mutex::new(events),
            rung,
            alarms: tokio::sync::Mutex::new(alarms),
            clock: clock(),
            sets_again: None,
        }
    }

    /// The next calls fail.
    pub(crate) fn fail(&self, count: usize) {
        self.answers.lock().unwrap().extend(std::iter::repeat_n(Err(Fault::Trap), count));
    }

    pub(crate) async fn event(&self) -> PluginEvent {
        self.events.lock().await.recv().await.expect("the plugin lives")
    }

    /// Events until one of this kind.
    pub(crate) async fn event_of(&self, kind: &str) -> PluginEvent {
        loop {
            let event = self.event().await;
            if event.kind == kind {
                return event;
            }
        }
    }

    /// An alarm and when it rang.
    pub(crate) async fn alarm(&self) -> (Timestamp, Alarm) {
        self.alarms.lock().await.recv().await.expect("the plugin lives")
    }

    fn answer(&self) -> Result<(), Fault> {
        self.answers.lock().unwrap().pop_front().unwrap_or(Ok(()))
    }
}

impl PluginSide for FakePlugin {
    fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    fn owns_app(&self, app: &str) -> bool {
        self.apps.iter().any(|own| own == app)
    }

    fn wants_event(&self, kind: &str) -> bool {
        self.wants.iter().any(|wanted| wanted == "*" || wanted == kind)
    }

    fn admit<'a>(&'a self, _: &'a Attempt) -> BoxFuture<'a, Result<Grant, Refusal>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        std::future::ready(self.admits.clone()).boxed()
    }

    fn handle_event<'a>(&'a self, event: &'a PluginEvent) -> BoxFuture<'a, Result<(), Fault>> {
        let answer = self.answer();
        drop(self.told.send(event.clone()));
        // Not at once, so that others could overtake if they were let.
        async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            answer
        }
        .boxed()
    }

    fn handle_alarm<'a>(&'a self, alarm: &'a Alarm) -> BoxFuture<'a, Result<(), Fault>> {
        drop(self.rung.send((self.clock.now(), alarm.clone())));
        async move {
            if let Some(store) = &self.sets_again {
                set_alarm(store, &alarm.name, NOON.0 + 90_000).await;
            }
            self.answer()
        }
        .boxed()
    }
}

pub(crate) async fn put(store: &Store, collection: Collection, name: &str, value: &impl Serialize) -> Revision {
    put_in(store, "mix", collection, name, value).await
}

pub(crate) async fn put_in(
    store: &Store,
    namespace: &str,
    collection: Collection,
    name: &str,
    value: &impl Serialize,
) -> Revision {
    let mut transaction = Transaction::default();
    let key = Key::new(&namespace.parse().unwrap(), collection, name);
    transaction.writes.insert(key, Some(Value::new(serde_json::to_vec(value).unwrap())));
    store.commit(transaction).await.unwrap()
}

pub(crate) async fn delete(store: &Store, collection: Collection, name: &str) {
    let mut transaction = Transaction::default();
    transaction.writes.insert(Key::new(&"mix".parse().unwrap(), collection, name), None);
    store.commit(transaction).await.unwrap();
}

pub(crate) async fn set_alarm(store: &Store, name: &str, due: u64) {
    let alarm = heliu_store::Alarm { due: Timestamp(due), key: Some("room".into()), payload: "why".into() };
    put(store, Collection::Alarm, name, &alarm).await;
}

pub(crate) fn room(name: &str) -> RoomId {
    format!("mix/{name}").parse().unwrap()
}

pub(crate) fn mixer_id(id: &str) -> MixerId {
    format!("mix/{id}").parse().unwrap()
}

pub(crate) fn egress_id(id: &str) -> EgressId {
    format!("mix/{id}").parse().unwrap()
}

pub(crate) fn mixer() -> MixerIntent {
    MixerIntent { room: room("r"), publication: "mix".parse().unwrap(), scene: None, sound: None }
}

pub(crate) fn egress() -> EgressIntent {
    EgressIntent {
        room: room("r"),
        audio: None,
        video: None,
        protocol: "rtmp".into(),
        url: "rtmp://h/a/b".into(),
        attempts_max: None,
    }
}
