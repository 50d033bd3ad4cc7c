//! What the messages of a running stream carry.

use bytes::Bytes;

use crate::amf;
use crate::message::{self, Message};
use crate::metadata::Metadata;

/// One item of a stream, in either direction.
#[derive(Debug, Clone, PartialEq)]
pub enum Media {
    /// Sound.
    Audio {
        /// Milliseconds, wrapping.
        timestamp: u32,
        /// FLV audio tag body.
        body: Bytes,
    },
    /// Pictures.
    Video {
        /// Milliseconds, wrapping.
        timestamp: u32,
        /// FLV video tag body.
        body: Bytes,
    },
    /// What the sender tells about its stream.
    Metadata(Metadata),
}

impl Media {
    /// Hands on what a message carries: nothing, one item, or those of an aggregate.
    pub(crate) fn read(message: Message, take: &mut impl FnMut(Self)) {
        let Message { kind, timestamp, body, .. } = message;
        match kind {
            message::AUDIO => take(Self::Audio { timestamp, body }),
            message::VIDEO => take(Self::Video { timestamp, body }),
            message::DATA => read_metadata(&body, take),
            message::DATA_AMF3 => read_metadata(body.get(1..).unwrap_or_default(), take),
            message::AGGREGATE => {
                message::split_aggregate(timestamp, &body).into_iter().for_each(|inner| Self::read(inner, take));
            }
            _ => {}
        }
    }
}

/// Metadata is a hint: what cannot be read is no reason to end a stream.
fn read_metadata(body: &[u8], take: &mut impl FnMut(Media)) {
    if let Some(metadata) = amf::read_all(body).ok().and_then(|values| Metadata::read(&values)) {
        take(Media::Metadata(metadata));
    }
}
