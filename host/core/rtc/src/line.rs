//! One m-line of an agreed session as plain data: what flows there, and under which numbers.
//!
//! The table of these lines is all that an answerer keeps of offer and answer. Lines are told apart by
//! their place in the offer, which the answer keeps.
//!
//! Not here: how they are agreed on (`sdp`), and what flows (`Session`).

use heliu_model::Kind;

/// One m-line, agreed or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MLine {
    /// The identification tag (RFC 5888), at most 16 bytes where header extensions shall carry it.
    pub mid: String,
    /// Sound or pictures.
    pub kind: Kind,
    /// Which way media flows, as we see it.
    pub direction: Direction,
    /// What both sides speak. `None` on a refused line.
    pub codec: Option<Codec>,
    /// 0..=127, the offer's number.
    pub payload_type: u8,
    /// Retransmissions of `payload_type` (RFC 4588), if agreed.
    pub rtx_payload_type: Option<u8>,
    /// Of RTP timestamps, in Hz.
    pub clock_rate: u32,
    /// The chosen format's `a=fmtp` as the offer has it, without its number; may be empty.
    pub parameters: String,
    /// Header extensions that both sides know.
    pub extensions: ExtensionIds,
    /// RTCP feedback that both sides know.
    pub feedback: Feedback,
    /// Receiving: the peer's media SSRCs, if the offer names them. Sending: ours, one.
    pub ssrcs: Vec<u32>,
    /// Retransmissions' SSRCs, in the order of `ssrcs`.
    pub rtx_ssrcs: Vec<u32>,
    /// Simulcast layers that the offer announces (RFC 8851).
    pub rids: Vec<String>,
}

/// Which way media flows on a line, as we see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The peer publishes.
    Receive,
    /// The peer plays.
    Send,
    /// The line keeps its place and carries nothing: port 0, or idle in the bundle.
    Refused,
}

/// What a line carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// RFC 6184, packetization mode 1.
    H264,
    /// RFC 7587.
    Opus,
    /// RFC 7741.
    Vp8,
}

/// Numbers of header extensions (RFC 8285) on a line: 1..=14 in the one-byte form, up to 255 in the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExtensionIds {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid` (RFC 9143).
    pub mid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id` (RFC 8852).
    pub rid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id` (RFC 8852): the rid on retransmissions.
    pub repaired_rid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:ssrc-audio-level` (RFC 6464).
    pub audio_level: Option<u8>,
    /// Transport-wide sequence numbers (draft-holmer-rmcat-transport-wide-cc-extensions).
    pub twcc: Option<u8>,
    /// `urn:3gpp:video-orientation` (3GPP TS 26.114 §7.4.5).
    pub orientation: Option<u8>,
}

/// RTCP feedback on a line beyond reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Feedback {
    /// `nack` (RFC 4585): lost packets are asked for.
    pub nack: bool,
    /// `nack pli` (RFC 4585): a keyframe is asked for.
    pub pli: bool,
    /// `transport-cc`: arrival times are told.
    pub twcc: bool,
}
