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
}
