//! RTP and RTCP as plain values: headers, sequence arithmetic, payload formats, and the two ways between
//! packets and frames. No sockets, no encryption, no SDP.
//!
//! In: [`RtpView`] looks at a packet, [`Receiver`] places it and asks for what is missing, [`Ring`] keeps it
//! for all who get it as it is, [`FrameAssembler`] makes frames for all others, on the room's time by
//! [`SenderClock`]. Out: [`Packetizer`] fills the ring from frames, [`write_header`] begins a packet for
//! one receiver.
//!
//! Everything here meets bytes of strangers: it never panics, holds no more than its bounds say, and
//! counts what it drops ([`Discard`]).

#![forbid(unsafe_code)]

mod assembler;
mod b_pictures;
mod clock;
mod codec;
mod decode_times;
mod discard;
pub mod extension;
mod h264;
mod header;
mod packetizer;
mod receiver;
mod ring;
pub mod rtcp;
#[cfg(test)]
mod samples;
mod twcc;
mod unroller;
mod view;

pub use assembler::{AssemblerStats, FrameAssembler, WAIT_DEFAULT};
pub use b_pictures::{BPictureJudge, BPictures, is_reference};
pub use clock::{ClockStats, SenderClock};
pub use codec::{Codec, starts_keyframe};
pub use discard::{Discard, Discards};
pub use header::{HeaderFields, write_header, write_padding};
pub use packetizer::{Packetizer, rtp_timestamp};
pub use receiver::{Arrival, Receiver};
pub use ring::{Meta, Ring};
pub use twcc::TwccRecorder;
pub use unroller::{SequenceUnroller, TimestampUnroller};
pub use view::{DATAGRAM_LEN_MAX, PAYLOAD_LEN_MAX, RtpView, header_len, is_rtcp};
