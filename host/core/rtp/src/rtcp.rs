//! RTCP as it lies in its datagram, and as it is written (RFC 3550 §6, RFC 4585, RFC 5104).
//!
//! Reading borrows and allocates nothing; compounds and reduced sizes (RFC 5506) are taken alike.
//! Writing appends to the caller's buffer, so a compound is written piece by piece.
//!
//! Not here: when something is sent. [`crate::Receiver`] and [`crate::TwccRecorder`] know what is due.

mod block;
#[cfg(test)]
mod tests;
mod time;
mod twcc;
mod view;
mod write;

pub use block::{ReportBlock, ReportBlocks};
pub use time::{compact, ntp, round_trip};
pub(crate) use twcc::write_twcc;
pub use view::{FirEntries, Lost, Packets, Rtcp, Ssrcs, TwccView, parse};
pub use write::{
    SenderInfo, write_bye, write_cname, write_fir, write_nack, write_pli, write_receiver_report, write_sender_report,
};

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
/// RTPFB, RFC 4585 §6.2.
const TRANSPORT_FEEDBACK: u8 = 205;
/// PSFB, RFC 4585 §6.3.
const PAYLOAD_FEEDBACK: u8 = 206;

const FMT_NACK: u8 = 1;
const FMT_TWCC: u8 = 15;
const FMT_PLI: u8 = 1;
const FMT_FIR: u8 = 4;
/// Application layer feedback; REMB is one (draft-alvestrand-rmcat-remb-03 §2.2).
const FMT_APPLICATION: u8 = 15;

const BLOCK_LEN: usize = 24;
/// What a count of five bits can say.
const BLOCKS_MAX: usize = 31;
