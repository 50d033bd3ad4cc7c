//! What this side has to say in an answer.

use std::net::SocketAddr;

use crate::fingerprint::Fingerprint;
use crate::ice::Credentials;
use crate::line::Codec;

/// Under which an offer is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What may flow.
    pub wish: Wish,
    /// Ours, fresh for each session.
    pub local: Credentials,
    /// Of our certificate.
    pub fingerprint: Fingerprint,
    /// Where we are reached, the best first.
    pub candidates: Vec<SocketAddr>,
    /// Of the `o=` line: below 2⁶³, not used twice (RFC 8829 §5.2.1).
    pub session_id: u64,
}

/// Which way media flows, and what of it is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// The peer publishes; what it may not keeps its place and stays idle.
    Publish {
        /// Sound may come.
        audio: bool,
        /// Pictures may come.
        video: bool,
    },
    /// The peer plays; what there is not keeps its place and stays idle.
    Play {
        /// Sound that goes out.
        audio: Option<Outgoing>,
        /// Pictures that go out.
        video: Option<Outgoing>,
        /// One name for what belongs together in time, here and in RTCP: a token of at most 64 bytes.
        cname: String,
    },
}

/// One track on its way to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing {
    /// What it is sent as; the peer must take that.
    pub codec: Codec,
    /// Ours.
    pub ssrc: u32,
    /// Ours for retransmissions, used if the peer takes them.
    pub rtx_ssrc: u32,
}
