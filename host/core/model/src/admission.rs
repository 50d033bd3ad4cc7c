//! May this media client publish or play here, and as whom? The words of `wit/exports.wit`,
//! interface `admission`.

use std::fmt;
use std::time::Duration;

use crate::{Address, ParticipantId, PublicationId, RoomId};

/// Which way media flows, seen from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Client sends.
    Publish,
    /// Client receives.
    Play,
}

/// One connection asking.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Of this connection, invented by the host.
    pub id: String,
    /// `rtmp`, `flv`, `whip`, `whep`, `egress` (this host's push into itself), `source` (the operator's).
    pub protocol: &'static str,
    /// Which way.
    pub direction: Direction,
    /// Host name the client asked for, with port if sent.
    pub authority: Option<String>,
    /// Where to.
    pub address: Address,
    /// Raw query of address or stream key. May hold secrets: never in a log.
    pub query: Option<String>,
    /// Of a request over HTTP, names in lower case, in order. May hold secrets: never in a log.
    pub headers: Vec<(String, String)>,
    /// Client address without port.
    pub peer: String,
}

/// Without what may hold secrets.
impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, protocol, direction, authority, address, query: _, headers: _, peer } = self;
        let mut out = f.debug_struct("Attempt");
        out.field("id", id).field("protocol", protocol).field("direction", direction).field("authority", authority);
        out.field("address", address).field("peer", peer).finish_non_exhaustive()
    }
}

/// A second publisher under an id that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takeover {
    /// The second one is refused.
    Refuse,
    /// It replaces one that has delivered nothing for two seconds; else refused.
    IfStalled,
    /// It replaces the first; viewers and mixers keep the publication.
    Replace,
}

/// Come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Room to enter; it need not exist.
    pub room: RoomId,
    /// Who this is.
    pub participant: ParticipantId,
    /// Id of the publication to make, or to play.
    pub publication: PublicationId,
    /// Sound may be sent or received.
    pub audio: bool,
    /// Pictures may be sent or received.
    pub video: bool,
    /// Publish: what if the id is taken.
    pub takeover: Takeover,
    /// Play: how long to wait for a publication that is not there; zero: "not found" at once.
    pub wait: Duration,
    /// Play: how long a viewer stays after the publisher went.
    pub hold: Duration,
    /// Publish: above it the client is cut.
    pub bitrate_kbps_max: Option<u32>,
    /// The connection ends after this.
    pub time_max: Option<Duration>,
}

/// Stay out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status; other protocols translate it.
    pub status: u16,
    /// Shown to the client where the protocol can.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempts_secrets_are_not_shown() {
        let attempt = Attempt {
            id: "c1".into(),
            protocol: "whip",
            direction: Direction::Publish,
            authority: None,
            address: Address::parse("live/a").unwrap(),
            query: Some("key=hidden".into()),
            headers: vec![("authorization".into(), "Bearer hidden".into())],
            peer: "127.0.0.1".into(),
        };
        let shown = format!("{attempt:?}");
        assert!(shown.contains("live/a") && !shown.contains("hidden"), "{shown}");
    }
}
