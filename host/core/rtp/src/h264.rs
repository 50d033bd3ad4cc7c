//! H.264 in RTP payloads (RFC 6184, packetization mode 1): single NAL units, STAP-A, FU-A.
//!
//! Not here: mode 2 (interleaved), which WebRTC never negotiates.

mod depacketizer;
mod fragments;

pub(crate) use depacketizer::{AccessUnit, Depacketizer};
pub(crate) use fragments::{aggregate, payloads};

/// Several NAL units in one packet (§5.7.1).
pub(crate) const STAP_A: u8 = 24;
/// The aggregations that nobody sends: STAP-B, MTAP16, MTAP24.
const INTERLEAVED: std::ops::RangeInclusive<u8> = 25..=27;
/// A fragment of a NAL unit (§5.8).
pub(crate) const FU_A: u8 = 28;
/// A fragment with a decoding order number.
const FU_B: u8 = 29;
/// In the second byte of a fragment: the first one.
pub(crate) const FU_START: u8 = 0x80;
/// In the second byte of a fragment: the last one.
const FU_END: u8 = 0x40;
/// `forbidden_zero_bit` and `nal_ref_idc` of a NAL unit's header.
const REFERENCE: u8 = 0xE0;
