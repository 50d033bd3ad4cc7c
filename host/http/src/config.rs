//! What the edge listens on, and how much of it strangers can take.

use std::net::SocketAddr;
use std::time::Duration;

use crate::IceServer;

/// Read once at start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// One listener each; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Connections of all listeners together, those apart that have become a viewer's. Above it a
    /// connection is closed at once, and counted.
    pub connections_max: usize,
    /// The same of one client: no stranger alone shuts the door. Behind a proxy all clients are one.
    pub connections_per_peer_max: usize,
    /// Bytes of one request's head; above it the answer is 431.
    pub head_len_max: usize,
    /// From the first byte of a connection, or the end of the former answer, to the end of a head. It
    /// is also how long an idle connection is kept.
    pub head_time_max: Duration,
    /// From a request's head to the end of its body; above it the answer is 408.
    pub body_time_max: Duration,
    /// How long an answer waits for its next byte to leave; then the connection is cut.
    pub write_time_max: Duration,
    /// Told to every client of WHIP and WHEP with its answer.
    pub ice_servers: Vec<IceServer>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            connections_max: 4096,
            connections_per_peer_max: 512,
            head_len_max: 64 * 1024,
            head_time_max: Duration::from_secs(10),
            body_time_max: Duration::from_secs(10),
            // Longer than the media plane has patience with a viewer, so that it is the one to say so.
            write_time_max: Duration::from_secs(18),
            ice_servers: Vec::new(),
        }
    }
}
