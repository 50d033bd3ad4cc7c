//! FLV audio and video tag bodies, which RTMP's audio and video messages are too (Adobe Flash Video File
//! Format 10.1, annex E.4.2 and E.4.3).
//!
//! [`FlvReader`] turns the bodies of one publisher into frames, [`sequence_header`] and [`frame_prefix`]
//! turn frames into bodies, [`file_header`] and [`tag`] put bodies into a file or an endless stream.
//!
//! [`TagReader`] finds the bodies in a file.
//!
//! Not here: `onMetaData`, codecs beside H.264 and AAC. How
//! milliseconds become room time is [`Timeline`](crate::Timeline)'s question.

mod file;
mod reader;
mod tags;
mod writer;

pub use file::{TagKind, file_header, tag};
pub use reader::{FlvFrame, FlvReader};
pub use tags::{Tag, TagError, TagReader};
pub use writer::{END_OF_SEQUENCE, Prefix, carries, frame_prefix, sequence_header};

const FRAME_KEY: u8 = 1;
const FRAME_INTER: u8 = 2;
const FRAME_INFO: u8 = 5;
const VIDEO_AVC: u8 = 7;
const SOUND_AAC: u8 = 10;
const PACKET_SEQUENCE_HEADER: u8 = 0;
const PACKET_FRAME: u8 = 1;
const PACKET_END: u8 = 2;
/// AAC is always announced as 44 kHz, 16 bits, stereo; the truth stands in its config (E.4.2.1).
const AAC_FLAGS: u8 = SOUND_AAC << 4 | 0x0F;
