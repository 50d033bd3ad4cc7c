//! What a browser and the media plane agree on, seen from the edge: an offer becomes a session, which is
//! asked to go on elsewhere, or to end. Plain data; the protocols that carry it (WHIP, WHEP, a
//! personality's own signalling) are not here.

use std::fmt;

use heliu_model::{Address, Direction, Refusal};

/// Who wants to publish or play what.
#[derive(Clone, PartialEq, Eq)]
pub struct OfferRequest {
    /// Which way media flows, seen from the client.
    pub direction: Direction,
    /// As admission names it: `whip` or `whep`.
    pub protocol: &'static str,
    /// Where to.
    pub address: Address,
    /// Raw query of the URL. May hold secrets: never in a log.
    pub query: Option<String>,
    /// Host name the client asked for, with port if sent.
    pub authority: Option<String>,
    /// Client address without port.
    pub peer: String,
    /// Headers of the request, names in lower case, in order. May hold secrets: never in a log.
    pub headers: Vec<(String, String)>,
    /// The offer (RFC 8866).
    pub sdp: String,
}

/// A session that waits for its client's first packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// By which it is found again.
    pub session: SessionId,
    /// Names the ICE credentials in force (RFC 9725 §4.3.1), without quotes.
    pub etag: String,
    /// The answer.
    pub sdp: String,
}

/// What a client sends while its session lives (RFC 9725 §4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trickle {
    /// The ETag that the client believes in force, without quotes; `None`: `*`, which begins ICE anew.
    pub etag: Option<String>,
    /// `application/trickle-ice-sdpfrag` (RFC 8840).
    pub fragment: String,
}

/// What becomes of a [`Trickle`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trickled {
    /// Candidates were taken note of.
    Noted,
    /// ICE begins anew with what this fragment says.
    Restarted {
        /// The new ETag, without quotes.
        etag: String,
        /// `application/trickle-ice-sdpfrag`.
        fragment: String,
    },
}

/// 128 random bits: who knows them may end the session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId([u8; 16]);

/// Why there is no session, or nothing became of what was asked of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NegotiationError {
    /// The text is no offer, or no fragment; in words.
    #[error("{0}")]
    Garbage(String),
    /// It is one, and cannot be met; in words.
    #[error("{0}")]
    Unmet(String),
    /// Admission says no.
    #[error("{} {}", .0.status, .0.reason)]
    Refused(Refusal),
    /// Nothing is published there, or there is no such session.
    #[error("not found")]
    NotFound,
    /// Another publishes there.
    #[error("somebody publishes there")]
    Taken,
    /// The client's idea of the session is out of date.
    #[error("the session's ICE credentials are others by now")]
    Stale,
    /// This host holds as many sessions as it may.
    #[error("too many sessions")]
    Full,
    /// This host has no WebRTC, or stops.
    #[error("no WebRTC here")]
    Unavailable,
}

impl SessionId {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the system has random numbers");
        Self(bytes)
    }

    /// From 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        (digits.len() == 32).then(|| Self(bytes.try_into().expect("half of 32")))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Its first bytes: enough to find it in a log, not enough to end it.
impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}…", self.0[0], self.0[1])
    }
}

impl fmt::Debug for OfferRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfferRequest").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_by_what_it_is_called() {
        let id = SessionId::random();
        assert_eq!(SessionId::parse(&id.to_string()), Some(id));
        assert!(!format!("{id:?}").contains(&id.to_string()));
        for wrong in ["", "00", &"0".repeat(31), &"0".repeat(33), &"g".repeat(32), &"é".repeat(16)] {
            assert_eq!(SessionId::parse(wrong), None, "{wrong}");
        }
    }
}
