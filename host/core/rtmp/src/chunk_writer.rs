//! Messages to chunks.
//!
//! Media messages begin with a full header and use the same chunk streams for everybody, so the bytes
//! of one frame serve all players of a publication.

use bytes::{BufMut, Bytes, BytesMut};

use crate::amf::{self, Value};
use crate::message::{AUDIO, COMMAND, DATA, SET_CHUNK_SIZE, USER_CONTROL, VIDEO};
use crate::metadata::Metadata;

/// Our chunks; told by [`set_chunk_size`] before anything long. Most frames fit into one.
pub const CHUNK_LEN: usize = 64 << 10;

const CONTROL_STREAM: u8 = 2;
const COMMAND_STREAM: u8 = 3;
const AUDIO_STREAM: u8 = 4;
const DATA_STREAM: u8 = 5;
const VIDEO_STREAM: u8 = 6;
const EXTENDED: u32 = 0x00ff_ffff;

/// What a media message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// An FLV audio tag body.
    Audio,
    /// An FLV video tag body.
    Video,
}

/// A media message, its body given in parts: the one copy of a payload on its way out.
/// `timestamp`: milliseconds, wrapping; `stream`: the message stream id.
#[must_use]
pub fn media_message(kind: MediaKind, timestamp: u32, stream: u32, parts: &[&[u8]]) -> Bytes {
    let (chunk_stream, kind) = match kind {
        MediaKind::Audio => (AUDIO_STREAM, AUDIO),
        MediaKind::Video => (VIDEO_STREAM, VIDEO),
    };
    message(chunk_stream, kind, timestamp, stream, parts)
}

/// `onMetaData` for players and, with `@setDataFrame`, for servers that are pushed to.
#[must_use]
pub fn metadata_message(metadata: &Metadata, stream: u32, is_push: bool) -> Bytes {
    let mut values = vec![Value::text("onMetaData"), metadata.value()];
    if is_push {
        values.insert(0, Value::text("@setDataFrame"));
    }
    message(DATA_STREAM, DATA, 0, stream, &[&amf::write_all(&values)])
}

/// Tells the other side how long our chunks are.
pub fn set_chunk_size() -> Bytes {
    let len = u32::try_from(CHUNK_LEN).expect("a small number");
    control(SET_CHUNK_SIZE, &len.to_be_bytes())
}

/// A protocol control message.
pub fn control(kind: u8, body: &[u8]) -> Bytes {
    message(CONTROL_STREAM, kind, 0, 0, &[body])
}

/// A user control event.
pub fn user_control(event: u16, body: &[u8]) -> Bytes {
    message(CONTROL_STREAM, USER_CONTROL, 0, 0, &[&event.to_be_bytes(), body])
}

/// A command.
pub fn command(chunk_stream: u8, stream: u32, values: &[Value]) -> Bytes {
    message(chunk_stream.max(COMMAND_STREAM), COMMAND, 0, stream, &[&amf::write_all(values)])
}

fn message(chunk_stream: u8, kind: u8, timestamp: u32, stream: u32, parts: &[&[u8]]) -> Bytes {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let is_extended = timestamp >= EXTENDED;
    let mut out = BytesMut::with_capacity(16 + len + 5 * (len / CHUNK_LEN));
    out.put_u8(chunk_stream);
    out.put_uint(u64::from(timestamp.min(EXTENDED)), 3);
    out.put_uint(len as u64, 3);
    out.put_u8(kind);
    out.put_u32_le(stream);
    if is_extended {
        out.put_u32(timestamp);
    }
    let mut room = CHUNK_LEN;
    for part in parts {
        let mut rest = *part;
        while !rest.is_empty() {
            if room == 0 {
                out.put_u8(0xc0 | chunk_stream);
                if is_extended {
                    out.put_u32(timestamp);
                }
                room = CHUNK_LEN;
            }
            let (now, later) = rest.split_at(rest.len().min(room));
            out.put_slice(now);
            room -= now.len();
            rest = later;
        }
    }
    out.freeze()
}
