//! Frames as RTMP messages, chunked once for all who get them.
//!
//! Times on the wire are the room's own milliseconds, the same for every player, so that the same bytes
//! serve all of them.

use std::cell::OnceCell;

use bytes::Bytes;
use heliu_container::flv;
use heliu_model::{Format, Frame, Kind, MediaTime};
use heliu_room::{Delivery, Formats};
use heliu_rtmp::{MediaKind, Metadata, media_message, metadata_message};

use crate::endpoint::announced::Announced;
use crate::queue::SendQueue;

/// The stream id our own server gives to every player.
pub const PLAYER_STREAM: u32 = heliu_rtmp::SERVER_STREAM_ID;
/// FLV's numbers of the codecs (FLV 10.1, E.4.2.1 and E.4.3.1).
const AVC: f64 = 7.0;
const AAC: f64 = 10.0;
/// A relayed frame may be older than its room; the wire has no negative times.
const WIRE_START_MS: i64 = 1_000;

/// Bytes of one frame, made by the first who needs them.
#[derive(Default)]
pub struct Shared {
    player_bytes: OnceCell<Option<Bytes>>,
    flv_bytes: OnceCell<Option<Bytes>>,
}

impl Shared {
    /// The frame for a message stream, if RTMP carries it.
    fn bytes(&self, frame: &Frame, stream: u32) -> Option<Bytes> {
        if stream != PLAYER_STREAM {
            return message(frame, stream);
        }
        self.player_bytes.get_or_init(|| message(frame, stream)).clone()
    }

    /// The frame as an FLV tag, if FLV carries it.
    pub fn flv_bytes(&self, make: impl FnOnce() -> Option<Bytes>) -> Option<Bytes> {
        self.flv_bytes.get_or_init(make).clone()
    }
}

/// One receiver's way onto the wire.
#[derive(Debug)]
pub struct Wire {
    is_push: bool,
    announced: Announced,
}

impl Wire {
    /// Nothing is told yet. `is_push`: the receiver is a server.
    pub fn new(is_push: bool) -> Self {
        Self { is_push, announced: Announced::default() }
    }

    /// Queues a frame, with metadata and sequence headers before it where they are due. What RTMP does
    /// not carry is passed over.
    pub fn send(&mut self, delivery: Delivery<'_>, shared: &Shared, queue: &SendQueue, stream: u32) {
        let frame = delivery.frame;
        if !flv::carries(&frame.format) || !queue.admits(frame) {
            return;
        }
        let due = self.announced.take_due(frame);
        if due.start {
            queue.push_frame(metadata_message(&metadata(delivery.formats), stream, self.is_push));
        }
        if due.format
            && let Some(body) = flv::sequence_header(&frame.format)
        {
            queue.push_frame(media_message(media_kind(frame.kind()), wire_ms(frame.dts), stream, &[&body]));
        }
        if let Some(bytes) = shared.bytes(frame, stream) {
            queue.push_frame(bytes);
        }
        queue.release(frame.kind());
    }
}

fn message(frame: &Frame, stream: u32) -> Option<Bytes> {
    let prefix = flv::frame_prefix(frame)?;
    Some(media_message(media_kind(frame.kind()), wire_ms(frame.dts), stream, &[prefix.as_ref(), &frame.data]))
}

/// What the formats tell about themselves.
pub fn metadata(formats: &Formats) -> Metadata {
    let mut metadata = Metadata::default();
    if let Some(Format::H264(h264)) = formats.video.as_deref() {
        metadata.width = Some(f64::from(h264.size.width));
        metadata.height = Some(f64::from(h264.size.height));
        metadata.frame_rate = h264.frame_rate.map(f64::from);
        metadata.video_codec_id = Some(AVC);
    }
    if let Some(Format::Aac(aac)) = formats.audio.as_deref() {
        metadata.audio_codec_id = Some(AAC);
        metadata.audio_sample_rate = Some(f64::from(aac.sample_rate));
        metadata.is_stereo = Some(aac.channels > 1);
    }
    metadata
}

fn media_kind(kind: Kind) -> MediaKind {
    match kind {
        Kind::Audio => MediaKind::Audio,
        Kind::Video => MediaKind::Video,
    }
}

/// Milliseconds on the wire, of RTMP and FLV; they wrap after 49 days as RTMP's do.
pub fn wire_ms(time: MediaTime) -> u32 {
    let millis = time.as_millis().saturating_add(WIRE_START_MS).max(0);
    u32::try_from(millis & i64::from(u32::MAX)).expect("masked")
}
