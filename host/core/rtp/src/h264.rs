//! H.264 in RTP payloads (RFC 6184, packetization mode 1).
//!
//! Not here: mode 2 (interleaved), which WebRTC never negotiates.

/// Several NAL units in one packet (§5.7.1).
pub(crate) const STAP_A: u8 = 24;
/// A fragment of a NAL unit (§5.8).
pub(crate) const FU_A: u8 = 28;
/// In the second byte of a fragment: the first one.
pub(crate) const FU_START: u8 = 0x80;
