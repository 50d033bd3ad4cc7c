//! What a session tells its owner.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::discard::Discard;
use crate::dtls::Failure;

/// An owner fetches events after each datagram; one compound of RTCP makes a few hundred at most.
const EVENTS_MAX: usize = 1_024;

/// Something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// This address is the peer's: its datagrams are for this session.
    Validated(SocketAddr),
    /// This address is the peer's no more.
    Forgotten(SocketAddr),
    /// Everything is sent to this address from now on.
    Selected(SocketAddr),
    /// There are keys: media flows.
    Connected,
    /// What a stream's timestamps mean on its sender's clock.
    SenderReport {
        /// Of the agreement.
        line: usize,
        /// The stream.
        ssrc: u32,
        /// 32.32 seconds; nobody's wall clock, good for differences within a session.
        ntp: u64,
        /// The same moment in the stream's timestamps.
        rtp: u32,
    },
    /// The peer cannot go on without a keyframe.
    KeyframeWanted {
        /// A line that sends.
        line: usize,
    },
    /// The peer asks for a packet again: [`crate::Session::seal_retransmission`].
    Retransmit {
        /// A line that sends.
        line: usize,
        /// As it was sealed.
        sequence: u16,
    },
    /// The session is over; there are no further events.
    Closed(CloseReason),
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer said goodbye.
    Goodbye,
    /// The peer's checks stopped coming.
    Consent,
    /// The peer did not connect in time.
    Late,
    /// There are no keys.
    Handshake(Failure),
}

/// Events that were not fetched.
#[derive(Debug, Default)]
pub struct Events(VecDeque<Event>);

impl Events {
    /// # Errors
    /// There are too many; this one is lost. Those that change who is who never are: each takes a check or a
    /// handshake, and there is room for them.
    pub fn push(&mut self, event: Event) -> Result<(), Discard> {
        let is_request = matches!(event, Event::Retransmit { .. } | Event::SenderReport { .. });
        let max = if is_request { EVENTS_MAX } else { 2 * EVENTS_MAX };
        if self.0.len() >= max {
            return Err(Discard::EventsFull);
        }
        self.0.push_back(event);
        Ok(())
    }

    pub fn poll(&mut self) -> Option<Event> {
        self.0.pop_front()
    }
}
