//! What is offered to a room, and who plays.

use heliu_model::{
    Address, ParticipantId, Players, PublicationStatus, RenditionStatus, SourceStatus, TrackStatus, Traffic,
};
use serde_json::{Value, json};

/// With what is known of it if this host makes it.
pub(super) fn words(status: &PublicationStatus, source: Option<&SourceStatus>) -> Value {
    json!({
        "publication": status.id.as_str(),
        "participant": status.participant.as_ref().map(ParticipantId::as_str),
        "address": status.address.as_ref().map(Address::as_str),
        "protocol": status.protocol,
        "peer": status.peer,
        "since": status.since,
        "stalled": status.is_stalled,
        "tracks": status.tracks.iter().map(track).collect::<Vec<_>>(),
        "source": source.map(|source| json!({
            "pictures_dropped": source.pictures_dropped,
            "ticks_skipped": source.ticks_skipped,
        })),
    })
}

fn track(status: &TrackStatus) -> Value {
    json!({
        "kind": status.kind,
        "codec": status.codec,
        "size": status.size,
        "frame_rate": status.frame_rate,
        "sample_rate": status.sample_rate,
        "channels": status.channels,
        "bitrate_kbps": status.bitrate_kbps,
        "keyframe_ms": status.keyframe_ms,
        "frames": status.frames,
        "bytes": status.bytes,
        "renditions": status.renditions.iter().map(rendition).collect::<Vec<_>>(),
    })
}

fn rendition(status: &RenditionStatus) -> Value {
    json!({
        "name": status.name,
        "codec": status.codec,
        "consumers": status.consumers,
        "bitrate_kbps": status.bitrate_kbps,
        "frames": status.frames,
        "failed": status.failed,
    })
}

/// All who play by one name.
pub(super) fn players((address, players): (&Address, &Players)) -> Value {
    let Traffic { bytes, frames, frames_dropped } = players.traffic;
    json!({
        "address": address.as_str(),
        "count": players.count,
        "queue_bytes": players.queue_bytes,
        "queue_bytes_longest": players.queue_bytes_longest,
        "bytes": bytes,
        "frames": frames,
        "frames_dropped": frames_dropped,
    })
}
