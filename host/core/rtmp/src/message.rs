//! A message and the numbers of its kinds (RTMP 1.0 §5.4, §7.1).

use bytes::Bytes;

pub const SET_CHUNK_SIZE: u8 = 1;
pub const ABORT: u8 = 2;
pub const ACKNOWLEDGEMENT: u8 = 3;
pub const USER_CONTROL: u8 = 4;
pub const WINDOW_SIZE: u8 = 5;
pub const PEER_BANDWIDTH: u8 = 6;
pub const AUDIO: u8 = 8;
pub const VIDEO: u8 = 9;
pub const DATA_AMF3: u8 = 15;
pub const COMMAND_AMF3: u8 = 17;
pub const DATA: u8 = 18;
pub const COMMAND: u8 = 20;
pub const AGGREGATE: u8 = 22;

/// User control events.
pub const STREAM_BEGIN: u16 = 0;
pub const STREAM_EOF: u16 = 1;
pub const SET_BUFFER: u16 = 3;
pub const PING: u16 = 6;
pub const PONG: u16 = 7;

/// One whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub kind: u8,
    /// Milliseconds, wrapping.
    pub timestamp: u32,
    pub body: Bytes,
}

/// The messages inside an aggregate (§7.1.6); times are shifted so that the first has the aggregate's.
pub fn split_aggregate(timestamp: u32, aggregate: &Bytes) -> Vec<Message> {
    let mut rest = aggregate.clone();
    let mut first = None;
    let mut messages = Vec::new();
    while rest.len() > 11 {
        let len = usize::from(rest[1]) << 16 | usize::from(rest[2]) << 8 | usize::from(rest[3]);
        let time = u32::from_be_bytes([rest[7], rest[4], rest[5], rest[6]]);
        if rest.len() < 11 + len {
            break;
        }
        let shift = timestamp.wrapping_sub(*first.get_or_insert(time));
        let kind = rest[0];
        let body = rest.slice(11..11 + len);
        if matches!(kind, AUDIO | VIDEO | DATA) {
            messages.push(Message { kind, timestamp: time.wrapping_add(shift), body });
        }
        // Each is followed by its length once more.
        rest = rest.slice((11 + len + 4).min(rest.len())..);
    }
    messages
}
