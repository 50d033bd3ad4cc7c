//! Counts received bytes and says when to acknowledge them (RTMP 1.0 §5.4.3).

use bytes::Bytes;

use crate::chunk_writer::control;
use crate::message;

/// One direction of a connection.
#[derive(Debug)]
pub struct Acknowledgement {
    received: u64,
    acknowledged: u64,
    window: u64,
}

impl Acknowledgement {
    /// `window`: bytes until the other side wants to hear of them; it may say otherwise.
    pub fn every(window: u64) -> Self {
        Self { received: 0, acknowledged: 0, window }
    }

    /// Counts bytes; the answer is the message that is due.
    pub fn count(&mut self, len: usize) -> Option<Bytes> {
        self.received += len as u64;
        if self.received - self.acknowledged < self.window {
            return None;
        }
        self.acknowledged = self.received;
        // The count wraps on the wire.
        let count = (self.received & u64::from(u32::MAX)) as u32;
        Some(control(message::ACKNOWLEDGEMENT, &count.to_be_bytes()))
    }

    /// The other side's wish, a message of kind [`message::WINDOW_SIZE`].
    pub fn set_window(&mut self, body: &[u8]) {
        if let Some(four) = body.first_chunk::<4>() {
            self.window = u64::from(u32::from_be_bytes(*four)).clamp(1 << 10, 1 << 31);
        }
    }
}
