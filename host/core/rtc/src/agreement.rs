//! All that offer and answer settled, as plain data: what a session is made from.

use crate::fingerprint::Fingerprint;
use crate::ice::Credentials;
use crate::line::MLine;

/// What both sides agreed on. All lines are bundled on one transport (RFC 9143), RTCP with RTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// In the order of the offer, refused ones too.
    pub lines: Vec<MLine>,
    /// Ours, told in the answer.
    pub local: Credentials,
    /// The peer's, from the offer.
    pub remote: Credentials,
    /// The peer's certificate is this one or nobody's.
    pub remote_fingerprint: Fingerprint,
    /// Which side of DTLS we are.
    pub dtls: DtlsRole,
}

/// Who begins DTLS (RFC 8842 §5). Mostly the peer does; ffmpeg's WHIP muxer waits for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtlsRole {
    /// The peer sends the ClientHello: its offer said `actpass` or `active`.
    Server,
    /// We send it: its offer said `passive`.
    Client,
}
