//! A worker: one thread that owns its rooms, their endpoints and their sockets.
//!
//! Each connection is a task of this thread's runtime; a task reaches into a room by
//! [`RoomCell::turn`], which never spans an `await`, so no lock is needed and none is there. A panic in
//! a turn ends that room: its endpoints are dropped, its mixers and egresses are reported as failed,
//! and the reconciler starts them anew.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heliu_codec::Pool;
use heliu_model::{
    Command, EgressId, EgressIntent, EgressStage, EndpointId, MixerId, MixerIntent, MixerStage, Revision, RoomId,
    Status, Totals,
};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::LocalSet;

use crate::director::{Director, Order};
use crate::endpoint;
use crate::jobs::Jobs;
use crate::room_shell::RoomShell;
use crate::rtc::{Rtc, RtcDoor};
use crate::sessions::Place;

/// Least time between two status snapshots.
const STATUS_EVERY: Duration = Duration::from_millis(100);
/// How often counters reach the status when nothing else happens.
const COUNTERS_EVERY: Duration = Duration::from_millis(500);
/// How often sound that waits for a picture is looked at.
const SOUND_LOOK: Duration = Duration::from_millis(10);
/// How often handshakes, reports and retransmissions of sessions are looked at.
const SESSION_LOOK: Duration = Duration::from_millis(10);
/// How often patience and stuck connections are looked at.
const TICK: Duration = Duration::from_millis(100);

/// What the tasks of one worker share.
pub struct Worker {
    /// Connects it with the others.
    pub director: Arc<Director>,
    /// Where decoders and encoders run.
    pub pool: Pool,
    /// Mixers and egresses.
    pub jobs: RefCell<Jobs>,
    /// Browsers' sessions and their socket; `None`: no WebRTC.
    pub rtc: Option<Rtc>,
    index: usize,
    rooms: RefCell<BTreeMap<RoomId, Rc<RoomCell>>>,
    endpoints: Cell<u64>,
    /// Of endpoints that are gone.
    past: Cell<Totals>,
    dirty: Notify,
    /// Rooms where sound waits for a picture.
    sounding: RefCell<Vec<Rc<RoomCell>>>,
    sound_waits: Notify,
}

/// A room and its owner's way in.
pub struct RoomCell {
    id: RoomId,
    worker: Rc<Worker>,
    /// `None` once the room is over.
    shell: RefCell<Option<RoomShell>>,
}

/// Starts the thread of worker `index`.
///
/// # Errors
/// The system gives no thread.
pub fn spawn(
    index: usize,
    inbox: mpsc::Receiver<Order>,
    director: Arc<Director>,
    pool: Pool,
    door: Option<RtcDoor>,
    status: watch::Sender<Arc<Status>>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let opened = {
        let _entered = runtime.enter();
        door.map(RtcDoor::open).transpose()?
    };
    let run = move || {
        let worker = Worker::new(index, director, pool, opened.map(Rtc::new));
        LocalSet::new().block_on(&runtime, worker.run(inbox, status));
    };
    std::thread::Builder::new().name(format!("media-{index}")).spawn(run)?;
    Ok(())
}

impl Worker {
    /// Without rooms.
    pub fn new(index: usize, director: Arc<Director>, pool: Pool, rtc: Option<Rtc>) -> Rc<Self> {
        Rc::new(Self {
            director,
            pool,
            rtc,
            jobs: RefCell::default(),
            index,
            rooms: RefCell::default(),
            endpoints: Cell::new(0),
            past: Cell::default(),
            dirty: Notify::new(),
            sounding: RefCell::default(),
            sound_waits: Notify::new(),
        })
    }

    /// Serves until it is told to stop. Inside a [`LocalSet`].
    pub async fn run(self: Rc<Self>, mut inbox: mpsc::Receiver<Order>, status: watch::Sender<Arc<Status>>) {
        tokio::task::spawn_local(self.clone().publish_status(status));
        tokio::task::spawn_local(self.clone().release_sound());
        tokio::task::spawn_local(self.clone().receive_datagrams());
        tokio::task::spawn_local(self.clone().look_at_sessions());
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(Order::Attach(client)) => endpoint::attach_client(&self, *client),
                    Some(Order::View(viewer)) => endpoint::attach_viewer(&self, *viewer),
                    Some(Order::Relay(relayed)) => endpoint::attach_relayed(&self, *relayed),
                    Some(Order::Source(sourced)) => endpoint::attach_source(&self, *sourced),
                    Some(Order::Negotiate(offer)) => endpoint::attach_session(&self, *offer),
                    Some(Order::Call(calling)) => endpoint::call_session(&self, calling),
                    Some(Order::Command(command)) => self.handle_command(command),
                    Some(Order::Stop(stopped)) => {
                        self.stop().await;
                        let _ = stopped.send(());
                        return;
                    }
                    None => return,
                },
                _ = tick.tick() => self.handle_tick(),
            }
        }
    }

    /// The room of that name; made if it is not there.
    pub fn room(self: &Rc<Self>, id: &RoomId) -> Rc<RoomCell> {
        let make = || {
            let shell = RoomShell::new(id.clone(), self.clone());
            Rc::new(RoomCell { id: id.clone(), worker: self.clone(), shell: RefCell::new(Some(shell)) })
        };
        self.rooms.borrow_mut().entry(id.clone()).or_insert_with(make).clone()
    }

    /// An id no other endpoint of this run has.
    pub fn next_endpoint(&self) -> EndpointId {
        let count = self.endpoints.get() + 1;
        self.endpoints.set(count);
        EndpointId(count << 16 | self.index as u64)
    }

    /// Keeps the sums of endpoints that go.
    pub fn note_past(&self, add: impl FnOnce(&mut Totals)) {
        let mut past = self.past.get();
        add(&mut past);
        self.past.set(past);
    }

    /// What is observed has changed: the next snapshot is due.
    pub fn note_change(&self) {
        self.dirty.notify_one();
    }

    /// Sound of that room waits for a picture.
    pub fn note_sound(&self, room: &RoomId) {
        let known = self.rooms.borrow().get(room).cloned();
        self.sounding.borrow_mut().extend(known);
        self.sound_waits.notify_one();
    }

    /// A transcoder has begun in that room.
    pub fn drive_transcoder(&self, room: &RoomId, transcoder: EndpointId, wake: Arc<Notify>) {
        if let Some(room) = self.rooms.borrow().get(room).cloned() {
            tokio::task::spawn_local(endpoint::drive_transcoder(room, transcoder, wake));
        }
    }

    async fn release_sound(self: Rc<Self>) {
        loop {
            self.sound_waits.notified().await;
            tokio::time::sleep(SOUND_LOOK).await;
            let now = Instant::now();
            for room in self.sounding.take() {
                room.turn(|shell| shell.release_sound(now));
            }
        }
    }

    async fn receive_datagrams(self: Rc<Self>) {
        let Some(rtc) = &self.rtc else { return };
        loop {
            rtc.udp.readable().await;
            // Packets that came together leave together.
            let mut rooms: Vec<Rc<RoomCell>> = Vec::new();
            rtc.udp.receive(|datagram, from| self.handle_datagram(rtc, datagram, from, &mut rooms));
            for room in rooms {
                room.turn(RoomShell::flush_packets);
            }
        }
    }

    fn handle_datagram(&self, rtc: &Rtc, datagram: &mut [u8], from: SocketAddr, rooms: &mut Vec<Rc<RoomCell>>) {
        let found = rtc.sessions.borrow_mut().find(datagram, from);
        let Some(Place { room, endpoint }) = found else { return };
        room.turn(|shell| shell.handle_datagram(endpoint, datagram, from, Instant::now()));
        if !rooms.iter().any(|known| Rc::ptr_eq(known, &room)) {
            rooms.push(room);
        }
    }

    async fn look_at_sessions(self: Rc<Self>) {
        let Some(rtc) = &self.rtc else { return };
        let mut look = tokio::time::interval(SESSION_LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            let places = rtc.sessions.borrow().places();
            for Place { room, endpoint } in places {
                room.turn(|shell| shell.handle_session_timeout(endpoint, Instant::now()));
            }
        }
    }

    fn handle_command(self: &Rc<Self>, command: Command) {
        match command {
            Command::PutMixer(id, revision, intent) => self.put_mixer(&id, revision, &intent),
            Command::StopMixer(id) => self.stop_mixer(&id),
            Command::PutEgress(id, revision, intent) => self.put_egress(id, revision, intent),
            Command::StopEgress(id) => self.jobs.borrow_mut().stop_egress(&id),
            Command::StopAddress(address) => {
                self.each_room(|shell| shell.end_players_of(&address));
            }
            // Kept by the handle: who may play is asked at the edge.
            Command::PutAddress(..) => {}
        }
        self.note_change();
    }

    fn put_mixer(self: &Rc<Self>, id: &MixerId, revision: Revision, intent: &Arc<MixerIntent>) {
        let known = self.jobs.borrow().mixer(id).map(|job| (job.reality.clone(), job.endpoint));
        if let Some((reality, endpoint)) = known
            && matches!(reality.stage, MixerStage::Starting | MixerStage::Running)
        {
            if reality.revision == revision || reality.intent.is_elsewhere(intent) {
                return;
            }
            self.room(&intent.room).turn(|shell| shell.update_mixer(endpoint, intent));
            self.jobs.borrow_mut().change_mixer(id, revision, intent.clone());
            return;
        }
        let endpoint = self.next_endpoint();
        self.director.flows.put_mixer(id.clone(), (intent.room.clone(), intent.publication.clone()));
        self.jobs.borrow_mut().start_mixer(id.clone(), revision, intent.clone(), endpoint);
        let room = self.room(&intent.room);
        let started = room.turn(|shell| shell.start_mixer(endpoint, id, intent));
        match started {
            Some(Ok(wake)) => {
                tracing::info!(room = %intent.room, mixer = %id, "mixer started");
                tokio::task::spawn_local(endpoint::drive_mixer(room, endpoint, wake));
            }
            Some(Err(detail)) => self.jobs.borrow_mut().mixer_failed(id, detail),
            // The turn itself has reported it.
            None => {}
        }
    }

    fn stop_mixer(self: &Rc<Self>, id: &MixerId) {
        let Some(job) = self.jobs.borrow_mut().remove_mixer(id) else { return };
        self.director.flows.remove_mixer(id);
        let known = self.rooms.borrow().get(&job.reality.intent.room).cloned();
        if let Some(room) = known {
            room.turn(|shell| shell.remove(job.endpoint, heliu_model::LeaveReason::Left));
        }
        tracing::info!(room = %job.reality.intent.room, mixer = %id, "mixer stopped");
    }

    fn put_egress(self: &Rc<Self>, id: EgressId, revision: Revision, intent: Arc<EgressIntent>) {
        let known = self.jobs.borrow().egress(&id).map(|job| (job.reality.clone(), job.endpoint));
        match known {
            Some((reality, _)) if reality.stage == EgressStage::Stopping => {}
            Some((reality, endpoint)) if reality.stage != EgressStage::Down => {
                if reality.revision == revision {
                    return;
                }
                if (&reality.intent.room, &reality.intent.url) != (&intent.room, &intent.url) {
                    // It comes again when the one before has left.
                    self.jobs.borrow_mut().stop_egress(&id);
                    return;
                }
                self.jobs.borrow_mut().change_egress(&id, revision, intent.clone());
                self.room(&intent.room).turn(|shell| shell.resubscribe(endpoint, &intent));
            }
            Some(_) | None => {
                let endpoint = self.next_endpoint();
                let stop = self.jobs.borrow_mut().start_egress(id.clone(), revision, intent, endpoint);
                tokio::task::spawn_local(endpoint::run_egress(self.clone(), id, endpoint, stop));
            }
        }
    }

    fn each_room(self: &Rc<Self>, mut act: impl FnMut(&mut RoomShell)) {
        let rooms: Vec<Rc<RoomCell>> = self.rooms.borrow().values().cloned().collect();
        for room in rooms {
            room.turn(&mut act);
        }
    }

    fn handle_tick(self: &Rc<Self>) {
        self.each_room(RoomShell::handle_tick);
    }

    async fn stop(self: &Rc<Self>) {
        self.jobs.borrow_mut().stop_all();
        while self.jobs.borrow().egresses_open() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.each_room(RoomShell::close);
        // What the sockets still hold is written by their tasks.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    async fn publish_status(self: Rc<Self>, sender: watch::Sender<Arc<Status>>) {
        loop {
            let status = self.status();
            let has_changed = sender.borrow().observed != status.observed;
            sender.send_replace(Arc::new(status));
            if has_changed {
                self.director.note_change();
            }
            tokio::time::sleep(STATUS_EVERY).await;
            let _ = tokio::time::timeout(COUNTERS_EVERY, self.dirty.notified()).await;
        }
    }

    fn status(self: &Rc<Self>) -> Status {
        let observed = self.jobs.borrow().observed();
        let mut status = Status { observed, totals: self.past.get(), ..Status::default() };
        self.each_room(|shell| shell.add_status(&mut status));
        if let Some(rtc) = &self.rtc {
            rtc.add_status(&mut status);
        }
        status
    }
}

impl RoomCell {
    /// Reaches into the room. `None`: the room is over.
    pub fn turn<R>(self: &Rc<Self>, act: impl FnOnce(&mut RoomShell) -> R) -> Option<R> {
        let mut slot = self.shell.borrow_mut();
        let shell = slot.as_mut()?;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let answer = act(shell);
            shell.settle();
            if let Some(rtc) = &self.worker.rtc {
                rtc.send();
            }
            (answer, shell.is_empty())
        }));
        match outcome {
            Ok((answer, is_empty)) => {
                if is_empty {
                    *slot = None;
                    self.forget();
                }
                Some(answer)
            }
            Err(_) => {
                tracing::error!(room = %self.id, "a bug ended this room; its intents start it anew");
                let shell = slot.take();
                self.forget();
                if let Some(shell) = shell {
                    shell.fail();
                }
                None
            }
        }
    }

    /// Its name.
    pub fn id(&self) -> &RoomId {
        &self.id
    }

    fn forget(self: &Rc<Self>) {
        let mut rooms = self.worker.rooms.borrow_mut();
        if rooms.get(&self.id).is_some_and(|room| Rc::ptr_eq(room, self)) {
            rooms.remove(&self.id);
        }
        self.worker.note_change();
    }
}
