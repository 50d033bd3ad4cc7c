//! Our RTMP client that pushes a publication elsewhere: what the room sees of it.

use std::rc::Rc;
use std::time::Instant;

use heliu_model::{EgressId, EgressStatus, Traffic};
use heliu_room::Delivery;

use crate::endpoint::wire::{Shared, Wire};
use crate::queue::SendQueue;

/// The room's end of a push; its connection is driven by `egress`.
pub struct Push {
    id: EgressId,
    queue: Rc<SendQueue>,
    wire: Wire,
    stream: u32,
}

impl Push {
    /// `stream`: the message stream id that the target gave.
    pub fn new(id: EgressId, queue: Rc<SendQueue>, stream: u32) -> Self {
        Self { id, queue, wire: Wire::new(true), stream }
    }

    /// Whose it is.
    pub fn id(&self) -> &EgressId {
        &self.id
    }

    /// Sends a frame.
    pub fn deliver(&mut self, delivery: Delivery<'_>, shared: &Shared) {
        self.wire.send(delivery, shared, &self.queue, self.stream);
    }

    /// Lets sound go that has waited long enough for a picture. True: some waits still.
    pub fn release_sound(&self, now: Instant) -> bool {
        self.queue.release_sound(now)
    }

    /// The host ends it.
    pub fn end(self) {
        self.queue.finish();
    }

    /// Does its target not read?
    pub fn is_over(&self, now: Instant) -> bool {
        self.queue.is_stuck(now)
    }

    /// For people.
    pub fn status(&self) -> EgressStatus {
        let counts = self.queue.counts();
        EgressStatus {
            bytes: counts.bytes,
            frames: counts.frames,
            frames_dropped: counts.frames_dropped,
            queue_bytes: self.queue.waiting_bytes(),
            frames_waiting: 0,
        }
    }

    /// What was sent so far.
    pub fn traffic(&self) -> Traffic {
        self.queue.counts().into()
    }
}
