//! An RTMP client that receives.

use std::rc::Rc;
use std::time::Instant;

use heliu_model::{Address, LeaveReason, Traffic};
use heliu_room::Delivery;
use heliu_rtmp::{ServerEvent, ServerSession};

use crate::endpoint::client::{Next, flush};
use crate::endpoint::wire::{PLAYER_STREAM, Shared, Wire};
use crate::queue::SendQueue;

/// An RTMP player. It is accepted with the first frame: until then "not found" can still be said.
pub struct Player {
    session: ServerSession,
    queue: Rc<SendQueue>,
    address: Address,
    wire: Wire,
    is_accepted: bool,
    until: Option<Instant>,
}

impl Player {
    /// `until`: its grant ends then.
    pub fn new(session: ServerSession, queue: Rc<SendQueue>, address: Address, until: Option<Instant>) -> Self {
        Self { session, queue, address, wire: Wire::new(false), is_accepted: false, until }
    }

    /// By which name it came.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Bytes that wait for it.
    pub fn waiting_bytes(&self) -> u64 {
        self.queue.waiting_bytes()
    }

    /// What was sent so far.
    pub fn traffic(&self) -> Traffic {
        self.queue.counts().into()
    }

    /// Sends a frame.
    pub fn deliver(&mut self, delivery: Delivery<'_>, shared: &Shared) {
        if !self.is_accepted {
            self.is_accepted = true;
            self.session.accept_play();
            flush(&mut self.session, &self.queue);
        }
        self.wire.send(delivery, shared, &self.queue, PLAYER_STREAM);
    }

    /// Lets sound go that has waited long enough for a picture. True: some waits still.
    pub fn release_sound(&self, now: Instant) -> bool {
        self.queue.release_sound(now)
    }

    /// Takes what the socket gave.
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> Next {
        if let Err(error) = self.session.handle_bytes(bytes) {
            tracing::debug!(address = %self.address, cause = %error, "player is malformed");
            return Next::Close(LeaveReason::Closed);
        }
        flush(&mut self.session, &self.queue);
        while let Some(event) = self.session.poll_event() {
            if matches!(event, ServerEvent::Ended) {
                return Next::Close(LeaveReason::Left);
            }
        }
        Next::Read
    }

    /// Tells the client that the stream has ended.
    pub fn end(mut self) {
        self.session.end_play();
        flush(&mut self.session, &self.queue);
        self.queue.finish();
    }

    /// Tells the client that there is no such stream.
    pub fn not_found(mut self) {
        self.session.refuse_play_not_found("no such stream");
        flush(&mut self.session, &self.queue);
        self.queue.finish();
    }

    /// Has its grant run out, or does it not read?
    pub fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now) || self.queue.is_stuck(now)
    }
}
