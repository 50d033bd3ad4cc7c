//! `[webrtc]`: where browsers send and receive media.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;

use super::Secret;

/// UDP, and what clients are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct WebRtc {
    /// Address and port of the first worker; each next one has the next port. Port 0 takes free ones.
    pub udp: SocketAddr,
    /// Addresses told to clients instead of `udp`'s own, where a gateway stands between.
    #[serde(default)]
    pub announce: Vec<IpAddr>,
    /// A client of which nothing is heard for so long has left, in milliseconds; 65 535 at most.
    #[serde(default = "consent_ms")]
    pub consent_ms: u16,
    /// STUN and TURN servers that clients are told of.
    #[serde(default)]
    pub ice_servers: Vec<IceServer>,
}

/// A STUN or TURN server of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct IceServer {
    /// `stun:host:port`, or with `stuns`, `turn`, `turns`.
    pub url: String,
    /// For TURN, together with `credential`.
    pub username: Option<String>,
    /// For TURN: the password. Told to every client.
    pub credential: Option<Secret>,
}

fn consent_ms() -> u16 {
    15_000
}
