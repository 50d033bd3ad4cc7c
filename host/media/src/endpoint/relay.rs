//! The way of a publication from one room of this host into another, also between workers.
//!
//! Two endpoints and a bounded queue: [`RelayOut`] receives in the room of origin, [`RelayIn`] publishes
//! in the other. A full queue drops up to the next keyframe. Frames keep their spacing and are moved to
//! the other room's clock; both clocks are readings of one.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use heliu_model::{
    Attempt, EgressId, EgressStatus, EndpointId, Frame, Grant, Kind, LeaveReason, PublicationId, Traffic,
};
use heliu_room::Offer;
use tokio::sync::{Notify, mpsc};

use crate::clock::RoomClock;
use crate::endpoint::Endpoint;
use crate::worker::{RoomCell, Worker};

/// Frames between two rooms: three seconds of picture and sound.
const FRAMES_MAX: usize = 256;

/// A publication on its way into another room; what its worker gets.
pub struct Relayed {
    /// What was asked, and what was answered.
    pub attempt: Attempt,
    /// Where it goes.
    pub grant: Grant,
    /// From the room of origin.
    pub frames: mpsc::Receiver<Frame>,
    /// To who joined the rooms.
    pub news: mpsc::Sender<News>,
    /// Of the room of origin.
    pub clock: RoomClock,
}

/// What the room of origin hears from the other.
#[derive(Debug)]
pub enum News {
    /// It is a publication there.
    Published,
    /// It is none, or none any more; in words.
    Over(String),
}

/// Receives in the room of origin.
pub struct RelayOut {
    id: EgressId,
    frames: mpsc::Sender<Frame>,
    is_skipping: bool,
    has_video: bool,
    status: EgressStatus,
    delivered: Rc<Cell<u64>>,
}

/// Publishes in the other room.
pub struct RelayIn {
    over: Arc<Over>,
    reason: Rc<Cell<Option<LeaveReason>>>,
}

#[derive(Default)]
struct Over {
    is_over: AtomicBool,
    wake: Notify,
}

/// All that two rooms need to be joined.
pub struct Relay {
    /// For the room of origin.
    pub out: RelayOut,
    /// For the other room, in [`Relayed`].
    pub frames: mpsc::Receiver<Frame>,
    /// For the other room, in [`Relayed`].
    pub teller: mpsc::Sender<News>,
    /// For who joins them.
    pub news: mpsc::Receiver<News>,
    /// Frames that went over.
    pub delivered: Rc<Cell<u64>>,
}

/// Makes both ends for an egress.
pub fn relay(id: EgressId) -> Relay {
    let (sender, frames) = mpsc::channel(FRAMES_MAX);
    let (teller, news) = mpsc::channel(4);
    let delivered = Rc::new(Cell::new(0));
    let out = RelayOut {
        id,
        frames: sender,
        is_skipping: false,
        has_video: false,
        status: EgressStatus::default(),
        delivered: delivered.clone(),
    };
    Relay { out, frames, teller, news, delivered }
}

impl RelayOut {
    /// Whose it is.
    pub fn id(&self) -> &EgressId {
        &self.id
    }

    /// For people.
    pub fn status(&self) -> EgressStatus {
        let waiting = self.frames.max_capacity() - self.frames.capacity();
        EgressStatus { frames_waiting: u32::try_from(waiting).unwrap_or(u32::MAX), ..self.status.clone() }
    }

    /// What went over so far.
    pub fn traffic(&self) -> Traffic {
        let EgressStatus { bytes, frames, frames_dropped, .. } = self.status;
        Traffic { bytes, frames, frames_dropped }
    }

    /// Sends a frame on.
    pub fn deliver(&mut self, frame: &Frame) {
        let is_video = frame.kind() == Kind::Video;
        self.has_video |= is_video;
        let starts = frame.is_key && (is_video || !self.has_video);
        self.is_skipping &= !starts;
        if self.is_skipping || self.frames.try_send(frame.clone()).is_err() {
            self.is_skipping = true;
            self.status.frames_dropped += 1;
            return;
        }
        self.status.frames += 1;
        self.status.bytes += frame.data.len() as u64;
        self.delivered.set(self.delivered.get() + 1);
    }
}

impl RelayIn {
    /// Another took its place, or the host ends it.
    pub fn end(self, reason: LeaveReason) {
        self.reason.set(Some(reason));
        self.over.is_over.store(true, Ordering::Relaxed);
        self.over.wake.notify_one();
    }
}

/// Lets a relayed publication into its room and carries its frames there until either side ends.
pub fn attach_relayed(worker: &Rc<Worker>, relayed: Relayed) {
    let Relayed { attempt, grant, frames, news, clock } = relayed;
    let room = worker.room(&grant.room);
    let id = worker.next_endpoint();
    let over = Arc::new(Over::default());
    let reason = Rc::new(Cell::new(None));
    let offer = Offer {
        endpoint: id,
        publication: grant.publication.clone(),
        participant: Some(grant.participant.clone()),
        address: Some(attempt.address),
        protocol: attempt.protocol,
        audio: grant.audio,
        video: grant.video,
        peer: None,
        takeover: grant.takeover,
    };
    let endpoint = Endpoint::RelayIn(RelayIn { over: over.clone(), reason: reason.clone() });
    let published = room.turn(|shell| {
        let to = shell.clock();
        shell.publish(offer, endpoint).map(|()| to).map_err(|(error, _)| error.to_string())
    });
    let told = match published {
        Some(Ok(to)) => {
            let carry = Carry { room, id, publication: grant.publication, from: clock, to, over, reason };
            tokio::task::spawn_local(carry.run(frames, news.clone()));
            News::Published
        }
        Some(Err(detail)) => News::Over(detail),
        None => News::Over("the room is over".to_owned()),
    };
    // Nobody listens any more: then the frames' other end is gone, too.
    let _ = news.try_send(told);
}

struct Carry {
    room: Rc<RoomCell>,
    id: EndpointId,
    publication: PublicationId,
    from: RoomClock,
    to: RoomClock,
    over: Arc<Over>,
    reason: Rc<Cell<Option<LeaveReason>>>,
}

impl Carry {
    async fn run(self, mut frames: mpsc::Receiver<Frame>, news: mpsc::Sender<News>) {
        loop {
            let frame = tokio::select! {
                frame = frames.recv() => frame,
                () = self.over.wake.notified() => None,
            };
            if self.over.is_over.load(Ordering::Relaxed) {
                break;
            }
            let Some(frame) = frame else { break };
            let frame = self.moved(frame);
            if self.room.turn(|shell| shell.handle_frame(self.id, &self.publication, frame)).is_none() {
                break;
            }
        }
        self.room.turn(|shell| shell.remove(self.id, LeaveReason::Left));
        let detail = match self.reason.get() {
            Some(LeaveReason::Replaced) => "another publisher took the name",
            Some(LeaveReason::Closed) => "this host ended it",
            Some(LeaveReason::Left | LeaveReason::Lost) | None => "the room is over",
        };
        let _ = news.try_send(News::Over(detail.to_owned()));
    }

    fn moved(&self, mut frame: Frame) -> Frame {
        let offset = frame.pts.since(frame.dts);
        frame.dts = self.from.translate(frame.dts, &self.to);
        frame.pts = frame.dts + offset;
        frame
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use heliu_model::MediaTime;

    use super::*;

    #[test]
    fn a_moment_is_the_same_on_both_clocks() {
        let first = RoomClock::start();
        std::thread::sleep(Duration::from_millis(2));
        let second = RoomClock::start();
        let time = MediaTime::from_millis(5);
        let moved = first.translate(time, &second);
        assert!(moved < time);
        assert_eq!(second.translate(moved, &first), time);
    }
}
