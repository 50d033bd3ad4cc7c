//! A viewer of an FLV stream whose connection is the edge's.
//!
//! Tags are muxed once for all viewers of a publication and carry the room's own milliseconds. What a
//! file begins with names its tracks, and players wait for each that is named; so the first frames of a
//! young publication are held until both its tracks are known, or the second is not to be expected.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use heliu_container::flv::{self, TagKind};
use heliu_model::{Address, Direction, Frame, Kind, LeaveReason, Traffic};
use heliu_room::{AcceptedAudio, Accepts, Delivery, Error, Formats, View, Wish};

use crate::endpoint::Endpoint;
use crate::endpoint::announced::Announced;
use crate::endpoint::client::patience;
use crate::endpoint::wire::{Shared, metadata, wire_ms};
use crate::outbox::Outbox;
use crate::viewing::Viewer;
use crate::worker::{RoomCell, Worker};

/// Frames held at most: a second of 120 pictures with their sound.
const HELD_MAX: usize = 256;

/// The room's end of it.
pub struct FlvViewer {
    outbox: Arc<Outbox>,
    address: Address,
    announced: Announced,
    held: Vec<Frame>,
    audio: bool,
    video: bool,
    until: Option<Instant>,
}

impl FlvViewer {
    /// By which name it came.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Bytes that wait for it.
    pub fn waiting_bytes(&self) -> u64 {
        self.outbox.waiting_bytes()
    }

    /// What it took so far.
    pub fn traffic(&self) -> Traffic {
        self.outbox.traffic()
    }

    /// Sends a frame.
    pub fn deliver(&mut self, delivery: Delivery<'_>, shared: &Shared) {
        let Delivery { frame, formats, .. } = delivery;
        if !self.announced.has_begun() && self.may_grow(formats) && self.held.len() < HELD_MAX {
            self.held.push(frame.clone());
            return;
        }
        for held in std::mem::take(&mut self.held) {
            self.send(&held, formats, &Shared::default());
        }
        self.send(frame, formats, shared);
    }

    /// Lets sound go that has waited long enough for a picture. True: some waits still.
    pub fn release_sound(&self, now: Instant) -> bool {
        self.outbox.release_sound(now)
    }

    /// The host ends it, or what it received has ended. Who does not read anyway is not waited for.
    pub fn end(self) {
        if self.outbox.is_stuck(Instant::now()) { self.outbox.cut() } else { self.outbox.finish() }
    }

    /// Has its grant run out, or does it not read?
    pub fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now) || self.outbox.is_stuck(now)
    }

    fn may_grow(&self, formats: &Formats) -> bool {
        let lacks_audio = self.audio && formats.audio.is_none();
        let lacks_video = self.video && formats.video.is_none();
        formats.may_grow && (lacks_audio || lacks_video)
    }

    fn send(&mut self, frame: &Frame, formats: &Formats, shared: &Shared) {
        if !flv::carries(&frame.format) || !self.outbox.admits(frame) {
            return;
        }
        let due = self.announced.take_due(frame);
        let start = due.start.then(|| self.start(formats));
        let header = if due.format { flv::sequence_header(&frame.format) } else { None };
        let format = header.map(|header| tag(frame, &[&header]));
        let body = || Some(tag(frame, &[flv::frame_prefix(frame)?.as_ref(), &frame.data]));
        let bytes = shared.flv_bytes(body);
        self.outbox.push(frame.kind(), start.into_iter().flatten().chain(format).chain(bytes));
    }

    fn start(&self, formats: &Formats) -> [Bytes; 2] {
        let audio = formats.audio.clone().filter(|format| self.audio && flv::carries(format));
        let video = formats.video.clone().filter(|format| self.video && flv::carries(format));
        let formats = Formats { audio, video, may_grow: false };
        let header = flv::file_header(formats.audio.is_some(), formats.video.is_some());
        [header, flv::tag(TagKind::Script, 0, &[&metadata(&formats).script_data()])]
    }
}

/// Lets a granted viewer into its room.
pub fn attach_viewer(worker: &Rc<Worker>, viewer: Viewer) {
    let Viewer { attempt, grant, outbox } = viewer;
    debug_assert_eq!(attempt.direction, Direction::Play);
    let room = worker.room(&grant.room);
    let id = worker.next_endpoint();
    let address = attempt.address;
    let endpoint = FlvViewer {
        outbox: outbox.clone(),
        address: address.clone(),
        announced: Announced::default(),
        held: Vec::new(),
        audio: grant.audio,
        video: grant.video,
        until: grant.time_max.map(|span| Instant::now() + span),
    };
    let wish = Wish {
        endpoint: id,
        publication: grant.publication,
        audio: grant.audio,
        video: grant.video,
        accepts: Accepts { audio: AcceptedAudio::Aac, ..Accepts::default() },
        is_sound_early: false,
        wait: patience(grant.wait),
        hold: patience(grant.hold),
        is_viewer: true,
        view: View::Frames,
    };
    match room.turn(|shell| shell.play(wish, Endpoint::FlvViewer(Box::new(endpoint)))) {
        Some(Ok(())) => tracing::debug!(room = %room.id(), endpoint = %id, %address, "flv viewer is in"),
        Some(Err((Error::NotFound | Error::Taken | Error::Full(_), _))) => return outbox.finish(),
        None => return outbox.cut(),
    }
    tokio::task::spawn_local(remove_when_left(room, id, outbox));
}

async fn remove_when_left(room: Rc<RoomCell>, id: heliu_model::EndpointId, outbox: Arc<Outbox>) {
    outbox.until_left().await;
    room.turn(|shell| shell.remove(id, LeaveReason::Left));
}

fn tag(frame: &Frame, parts: &[&[u8]]) -> Bytes {
    let kind = match frame.kind() {
        Kind::Audio => TagKind::Audio,
        Kind::Video => TagKind::Video,
    };
    flv::tag(kind, wire_ms(frame.dts), parts)
}
