//! A room with its endpoints: drives `heliu_room::Room` and carries out what it says.
//!
//! Rules about one kind of endpoint live in that endpoint's file; here is only the order in which the
//! room and its endpoints are driven.

mod browsers;
mod transcoders;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use heliu_model::{
    Address, EgressIntent, EndpointId, Event, EventKind, Frame, Kind, LeaveReason, MediaTime, MixerId, MixerIntent,
    Players, PublicationId, PublicationStatus, RoomId, RoomStatus, Status,
};
use heliu_room::{
    AcceptedAudio, Accepts, Delivery, Offer, PacketDelivery, Patience, Room, RoomEvent, Sink, View, Wish,
};
use tokio::sync::Notify;

use crate::clock::{RoomClock, wall};
use crate::endpoint::{Endpoint, MixerEndpoint, Next, Polled, Shared};
use crate::worker::Worker;

/// Hands out what the room gives.
struct Hands<'a> {
    endpoints: &'a mut BTreeMap<EndpointId, Endpoint>,
    worker: &'a Worker,
    clock: &'a RoomClock,
    /// Of the frame handed out last: many get the same one after the other.
    shared: Shared,
    last: Option<FrameKey>,
}

/// Time and bytes tell a frame from any other of its publication and of what is made of it.
type FrameKey = (MediaTime, *const u8, usize);

/// One room, owned by one worker.
pub struct RoomShell {
    id: RoomId,
    clock: RoomClock,
    room: Room,
    endpoints: BTreeMap<EndpointId, Endpoint>,
    worker: Rc<Worker>,
    /// It is in its worker's list of rooms where some does.
    sound_waits: bool,
    /// Whose packets have come and were not handed on.
    unflushed: Vec<PublicationId>,
}

impl RoomShell {
    /// Empty, its clock at zero.
    pub fn new(id: RoomId, worker: Rc<Worker>) -> Self {
        Self {
            id,
            clock: RoomClock::start(),
            room: Room::new(worker.director.gops.clone()),
            endpoints: BTreeMap::new(),
            worker,
            sound_waits: false,
            unflushed: Vec::new(),
        }
    }

    /// Its time.
    pub fn clock(&self) -> RoomClock {
        self.clock
    }

    /// Nobody is here, and nobody waits.
    pub fn is_empty(&self) -> bool {
        self.endpoints.is_empty() && self.room.is_empty()
    }

    /// Lets an endpoint in that publishes.
    ///
    /// # Errors
    /// The room refuses; the endpoint is handed back.
    pub fn publish(&mut self, offer: Offer, endpoint: Endpoint) -> Result<(), (heliu_room::Error, Endpoint)> {
        let id = offer.endpoint;
        if let Err(error) = self.room.publish(offer, self.clock.now()) {
            return Err((error, endpoint));
        }
        self.endpoints.insert(id, endpoint);
        Ok(())
    }

    /// Lets an endpoint in that receives.
    ///
    /// # Errors
    /// Nothing is there, and it does not wait; the endpoint is handed back.
    pub fn play(&mut self, wish: Wish, endpoint: Endpoint) -> Result<(), (heliu_room::Error, Endpoint)> {
        let id = wish.endpoint;
        self.endpoints.insert(id, endpoint);
        let Err(error) = self.subscribe(wish) else { return Ok(()) };
        let endpoint = self.endpoints.remove(&id).expect("inserted above");
        Err((error, endpoint))
    }

    /// An endpoint of this room.
    pub fn endpoint(&mut self, id: EndpointId) -> Option<&mut Endpoint> {
        self.endpoints.get_mut(&id)
    }

    /// Bytes of an RTMP client (none: only what its session still holds).
    pub fn handle_client(&mut self, id: EndpointId, bytes: &[u8]) -> Next {
        match self.endpoints.get_mut(&id) {
            Some(Endpoint::Publisher(publisher)) => publisher.handle_bytes(bytes),
            Some(Endpoint::Player(player)) => return player.handle_bytes(bytes),
            Some(_) | None => return Next::Close(LeaveReason::Closed),
        }
        let now = self.clock.now();
        loop {
            let Some(Endpoint::Publisher(publisher)) = self.endpoints.get_mut(&id) else {
                return Next::Close(LeaveReason::Closed);
            };
            match publisher.poll(now) {
                Polled::Frame(frame) => {
                    let publication = publisher.publication().clone();
                    self.handle_frame(id, &publication, frame);
                }
                Polled::Next(next) => return next,
            }
        }
    }

    /// An endpoint that is here publishes a frame.
    pub fn handle_frame(&mut self, from: EndpointId, publication: &PublicationId, frame: Frame) {
        let Self { room, endpoints, clock, worker, .. } = self;
        let is_sound = frame.kind() == Kind::Audio;
        room.handle_frame(from, publication, frame, clock.now(), wall(), &mut Hands::new(endpoints, worker, clock));
        self.note_sound(is_sound);
    }

    fn note_sound(&mut self, is_sound: bool) {
        if is_sound && !std::mem::replace(&mut self.sound_waits, true) {
            self.worker.note_sound(&self.id);
        }
    }

    /// Lets sound go that has waited long enough for a picture.
    pub fn release_sound(&mut self, now: Instant) {
        // Every one is asked; none is passed over because another has said yes.
        self.sound_waits = self.endpoints.values().fold(false, |waits, endpoint| endpoint.release_sound(now) | waits);
        if self.sound_waits {
            self.worker.note_sound(&self.id);
        }
    }

    /// Takes an endpoint out, with all it publishes and receives.
    pub fn remove(&mut self, id: EndpointId, reason: LeaveReason) -> Option<Endpoint> {
        let endpoint = self.take_out(id)?;
        self.room.unsubscribe(id, None);
        self.room.unpublish(id, reason, self.clock.now());
        Some(endpoint)
    }

    /// A mixer begins here. The answer wakes its task.
    ///
    /// # Errors
    /// In words: no encoder, or its publication's id is taken.
    pub fn start_mixer(
        &mut self,
        id: EndpointId,
        mixer: &MixerId,
        intent: &Arc<MixerIntent>,
    ) -> Result<Arc<Notify>, String> {
        let (endpoint, wake) = MixerEndpoint::new(mixer.clone(), intent, self.clock, &self.worker.pool)?;
        let offer = endpoint.offer(id);
        self.publish(offer, Endpoint::Mixer(Box::new(endpoint))).map_err(|(error, _)| error.to_string())?;
        for input in self.room.status().publications {
            self.add_input(id, &input);
        }
        Ok(wake)
    }

    /// A running mixer follows another wish.
    pub fn update_mixer(&mut self, id: EndpointId, intent: &Arc<MixerIntent>) {
        let Some(Endpoint::Mixer(mixer)) = self.endpoints.get_mut(&id) else { return };
        if let Err(detail) = mixer.update(intent, &self.worker.pool) {
            self.fail_mixer(id, detail);
        }
    }

    /// Lets a mixer do what is due; its frames go to the room. `None`: it is gone. Else when to come again.
    pub fn drive_mixer(&mut self, id: EndpointId) -> Option<Instant> {
        let Some(Endpoint::Mixer(mixer)) = self.endpoints.get_mut(&id) else { return None };
        let driven = mixer.drive(self.clock.now());
        let publication = mixer.publication().clone();
        let next = self.clock.instant(mixer.poll_timeout());
        match driven {
            Ok(frames) => {
                if !frames.is_empty() {
                    self.note_mixer_runs(id);
                }
                for frame in frames {
                    self.handle_frame(id, &publication, frame);
                }
                self.refresh_inputs(id);
                Some(next)
            }
            Err(detail) => {
                self.fail_mixer(id, detail);
                None
            }
        }
    }

    /// Lets a source do what is due; its frames go to the room. `None`: it is gone. Else when to come again.
    pub fn drive_source(&mut self, id: EndpointId) -> Option<Instant> {
        let Some(Endpoint::Source(source)) = self.endpoints.get_mut(&id) else { return None };
        let driven = source.drive(self.clock.now());
        let publication = source.publication().clone();
        let next = self.clock.instant(source.poll_timeout());
        match driven {
            Ok(frames) => {
                frames.into_iter().for_each(|frame| self.handle_frame(id, &publication, frame));
                Some(next)
            }
            Err(why) => {
                if let Some(Endpoint::Source(source)) = self.remove(id, LeaveReason::Closed) {
                    source.end(why);
                }
                None
            }
        }
    }

    /// Connects an egress that is ready with what it takes.
    pub fn start_egress(&mut self, id: EndpointId, endpoint: Endpoint, intent: &EgressIntent) {
        self.endpoints.insert(id, endpoint);
        self.resubscribe(id, intent);
    }

    /// An egress takes other sources.
    pub fn resubscribe(&mut self, id: EndpointId, intent: &EgressIntent) {
        self.room.unsubscribe(id, None);
        // The other room makes of it what its own receivers need.
        let audio = match self.endpoints.get(&id) {
            Some(Endpoint::RelayOut(_)) => AcceptedAudio::Any,
            Some(_) | None => AcceptedAudio::Aac,
        };
        let accepts = Accepts { audio, ..Accepts::default() };
        let wish = |publication: &PublicationId, audio: bool, video: bool| Wish {
            endpoint: id,
            publication: publication.clone(),
            audio,
            video,
            accepts,
            is_sound_early: false,
            wait: Patience::Forever,
            hold: Patience::Forever,
            is_viewer: false,
            view: View::Frames,
        };
        let audio = intent.audio.as_ref().map(|source| &source.publication);
        let video = intent.video.as_ref().map(|source| &source.publication);
        let wishes = match (audio, video) {
            (Some(audio), Some(video)) if audio == video => vec![wish(audio, true, true)],
            _ => [audio.map(|id| wish(id, true, false)), video.map(|id| wish(id, false, true))]
                .into_iter()
                .flatten()
                .collect(),
        };
        for wish in wishes {
            // Waits for ever, so it is never refused.
            let _ = self.subscribe(wish);
        }
    }

    /// Ends the players who came by this public name.
    pub fn end_players_of(&mut self, address: &Address) {
        let is_its = |endpoint: &Endpoint| endpoint.plays(address);
        let ids: Vec<EndpointId> =
            self.endpoints.iter().filter(|(_, endpoint)| is_its(endpoint)).map(|(id, _)| *id).collect();
        for id in ids {
            self.end(id, LeaveReason::Closed);
        }
    }

    /// Patience, stuck connections, grants that run out.
    pub fn handle_tick(&mut self) {
        let now = self.clock.now();
        if self.room.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.room.handle_timeout(now);
        }
        let instant = Instant::now();
        let over: Vec<EndpointId> =
            self.endpoints.iter().filter(|(_, endpoint)| endpoint.is_over(instant)).map(|(id, _)| *id).collect();
        for id in over {
            tracing::info!(room = %self.id, endpoint = %id, "connection cut");
            self.worker.note_past(|past| past.cut += 1);
            self.end(id, LeaveReason::Closed);
        }
    }

    /// Carries out what the room says until it is silent. Called after every turn.
    pub fn settle(&mut self) {
        while let Some(event) = self.room.poll_event() {
            match event {
                RoomEvent::Happened(kind) => self.handle_happened(kind),
                RoomEvent::Replaced(id) => {
                    if let Some(endpoint) = self.take_out(id) {
                        endpoint.end(LeaveReason::Replaced);
                    }
                }
                RoomEvent::Ended(id, publication) => self.handle_ended(id, &publication),
                RoomEvent::KeyframeWanted(id, publication) => self.ask_for_keyframe(id, &publication, Instant::now()),
                RoomEvent::RenditionWanted(publication, rendition) => self.start_transcoder(&publication, rendition),
                RoomEvent::RenditionUnwanted(publication, rendition) => self.stop_transcoder(&publication, rendition),
                RoomEvent::NotFound(id, _) => {
                    if let Some(endpoint) = self.remove(id, LeaveReason::Closed) {
                        endpoint.not_found();
                    }
                }
            }
        }
    }

    /// Ends everybody who is not there by order.
    pub fn close(&mut self) {
        let ids: Vec<EndpointId> = self.endpoints.keys().copied().collect();
        for id in ids {
            self.end(id, LeaveReason::Closed);
        }
    }

    /// A bug ended the room: its jobs are reported, its connections cut.
    pub fn fail(self) {
        let mut jobs = self.worker.jobs.borrow_mut();
        for (id, endpoint) in self.endpoints {
            if let Endpoint::Mixer(mixer) = &endpoint {
                jobs.mixer_failed(mixer.id(), "a bug ended the room".to_owned());
            }
            tracing::warn!(room = %self.id, endpoint = %id, "endpoint lost with its room");
            self.worker.note_past(|past| endpoint.add_totals(past));
            endpoint.end(LeaveReason::Closed);
        }
        self.worker.note_change();
    }

    /// Adds what is here to a snapshot.
    pub fn add_status(&mut self, status: &mut Status) {
        let mut players: BTreeMap<&Address, Players> = BTreeMap::new();
        let mut sources = BTreeMap::new();
        for endpoint in self.endpoints.values() {
            endpoint.add_status(status);
            endpoint.add_totals(&mut status.totals);
            if let Some((address, share)) = endpoint.player() {
                *players.entry(address).or_default() += share;
            }
            if let Endpoint::Source(source) = endpoint {
                sources.insert(source.publication().clone(), source.status());
            }
        }
        let players = players.into_iter().map(|(address, players)| (address.clone(), players)).collect();
        status.rooms.insert(self.id.clone(), RoomStatus { players, sources, ..self.room.status() });
    }

    /// What it has done stays in the sums.
    fn take_out(&mut self, id: EndpointId) -> Option<Endpoint> {
        let mut endpoint = self.endpoints.remove(&id)?;
        self.worker.note_past(|past| endpoint.add_totals(past));
        if let (Endpoint::WebRtc(webrtc), Some(rtc)) = (&mut endpoint, &self.worker.rtc) {
            webrtc.say_goodbye(Instant::now(), &mut rtc.slab.borrow_mut());
            rtc.sessions.borrow_mut().remove(id);
        }
        Some(endpoint)
    }

    fn subscribe(&mut self, wish: Wish) -> Result<(), heliu_room::Error> {
        let Self { room, endpoints, clock, worker, .. } = self;
        room.subscribe(wish, clock.now(), &mut Hands::new(endpoints, worker, clock))
    }

    fn end(&mut self, id: EndpointId, reason: LeaveReason) {
        if let Some(endpoint) = self.remove(id, reason) {
            endpoint.end(reason);
        }
    }

    fn handle_happened(&mut self, kind: EventKind) {
        if let EventKind::PublicationStarted(status) | EventKind::PublicationChanged(status) = &kind {
            let mixers: Vec<EndpointId> = self.mixers().collect();
            mixers.into_iter().for_each(|mixer| self.add_input(mixer, status));
        }
        self.worker.director.raise(Event { room: self.id.clone(), at: wall(), kind });
        self.worker.note_change();
    }

    fn handle_ended(&mut self, id: EndpointId, publication: &PublicationId) {
        match self.endpoints.get_mut(&id) {
            Some(Endpoint::Mixer(mixer)) => mixer.remove_input(publication),
            Some(_) => self.end(id, LeaveReason::Left),
            None => {}
        }
    }

    fn mixers(&self) -> impl Iterator<Item = EndpointId> {
        self.endpoints.iter().filter(|(_, endpoint)| matches!(endpoint, Endpoint::Mixer(_))).map(|(id, _)| *id)
    }

    /// A publication of a participant is mixed; what became known of it later is told again.
    fn add_input(&mut self, mixer_id: EndpointId, status: &PublicationStatus) {
        let Some(Endpoint::Mixer(mixer)) = self.endpoints.get_mut(&mixer_id) else { return };
        let Some(participant) = &status.participant else { return };
        let has_video = status.tracks.iter().any(|track| track.kind == Kind::Video);
        if mixer.add_input(&status.id, participant, has_video, self.clock.now()) {
            self.subscribe_mixer(mixer_id, &status.id);
        }
    }

    /// Inputs that came into sight after they had been left undecoded start again at a keyframe.
    fn refresh_inputs(&mut self, mixer_id: EndpointId) {
        let Some(Endpoint::Mixer(mixer)) = self.endpoints.get_mut(&mixer_id) else { return };
        for publication in mixer.inputs_to_refresh() {
            self.room.unsubscribe(mixer_id, Some(&publication));
            self.subscribe_mixer(mixer_id, &publication);
        }
    }

    fn subscribe_mixer(&mut self, mixer: EndpointId, publication: &PublicationId) {
        let wish = Wish {
            endpoint: mixer,
            publication: publication.clone(),
            audio: true,
            video: true,
            accepts: Accepts::default(),
            is_sound_early: true,
            wait: Patience::No,
            hold: Patience::No,
            is_viewer: false,
            view: View::Frames,
        };
        // It has started; if it ends meanwhile, that is told by its own event.
        let _ = self.subscribe(wish);
    }

    fn note_mixer_runs(&mut self, id: EndpointId) {
        let Some(Endpoint::Mixer(mixer)) = self.endpoints.get_mut(&id) else { return };
        if mixer.note_first_output() {
            self.worker.jobs.borrow_mut().mixer_runs(mixer.id());
            self.worker.note_change();
        }
    }

    fn fail_mixer(&mut self, id: EndpointId, detail: String) {
        if let Some(Endpoint::Mixer(mixer)) = self.remove(id, LeaveReason::Closed) {
            tracing::warn!(room = %self.id, mixer = %mixer.id(), cause = %detail, "mixer failed");
            self.worker.jobs.borrow_mut().mixer_failed(mixer.id(), detail);
            self.worker.note_change();
        }
    }
}

impl<'a> Hands<'a> {
    fn new(endpoints: &'a mut BTreeMap<EndpointId, Endpoint>, worker: &'a Worker, clock: &'a RoomClock) -> Self {
        Self { endpoints, worker, clock, shared: Shared::default(), last: None }
    }

    /// What follows is this frame's.
    fn turn_to(&mut self, frame: &Frame) {
        let key = (frame.dts, frame.data.as_ptr(), frame.data.len());
        if self.last.replace(key) != Some(key) {
            self.shared = Shared::default();
        }
    }
}

impl Sink for Hands<'_> {
    fn handle_frame(&mut self, delivery: Delivery<'_>) {
        self.turn_to(delivery.frame);
        if let Some(endpoint) = self.endpoints.get_mut(&delivery.endpoint) {
            endpoint.deliver(delivery, &mut self.shared);
        }
    }

    fn handle_packets(&mut self, delivery: PacketDelivery<'_>) {
        let endpoint = self.endpoints.get_mut(&delivery.endpoint);
        if let (Some(Endpoint::WebRtc(webrtc)), Some(rtc)) = (endpoint, &self.worker.rtc) {
            webrtc.deliver(&delivery, *self.clock, &mut rtc.slab.borrow_mut());
        }
    }
}
