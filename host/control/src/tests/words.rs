//! The JSON plugins get.

use heliu_model::{EndpointId, Event, EventKind, Kind, LeaveReason, PublicationStatus, Size, Timestamp, TrackStatus};
use serde_json::json;

use super::fake::room;
use crate::wording::of_event;

#[test]
fn events_have_the_members_of_the_contract() {
    let publication = json!({
        "id": "1",
        "participant": "1",
        "protocol": "rtmp",
        "tracks": [{
            "kind": "video",
            "format": { "codec": "h264", "profile": null, "sample-rate": null, "channels": null },
            "mid": null,
            "source": null,
            "muted": false,
            "size": { "width": 640, "height": 360 },
            "frame-rate": 25.0,
            "bitrate-kbps": 800,
            "layers": [],
        }],
        "since": 7,
    });
    let participant = || "1".parse().unwrap();
    for (kind, want, data) in [
        (EventKind::PublicationStarted(status()), "publication.started", json!({ "publication": publication })),
        (
            EventKind::PublicationChanged(status()),
            "publication.changed",
            json!({ "publication": publication, "stalled": false }),
        ),
        (
            EventKind::PublicationEnded {
                publication: "1".parse().unwrap(),
                participant: Some(participant()),
                reason: LeaveReason::Lost,
            },
            "publication.ended",
            json!({ "reason": "lost", "participant": "1" }),
        ),
        (
            EventKind::ParticipantJoined { participant: participant(), protocol: "rtmp" },
            "participant.joined",
            json!({ "protocol": "rtmp" }),
        ),
        (
            EventKind::ParticipantLeft { participant: participant(), reason: LeaveReason::Left },
            "participant.left",
            json!({ "reason": "left" }),
        ),
    ] {
        let words = of_event(&Event { room: room("r"), at: Timestamp(7), kind });
        assert_eq!((words.kind, words.subject.as_str(), words.data), (want, "1", data));
    }
}

fn status() -> PublicationStatus {
    PublicationStatus {
        id: "1".parse().unwrap(),
        endpoint: EndpointId(3),
        participant: Some("1".parse().unwrap()),
        address: None,
        protocol: "rtmp",
        tracks: vec![TrackStatus {
            kind: Kind::Video,
            codec: "h264",
            size: Some(Size { width: 640, height: 360 }),
            sample_rate: None,
            channels: None,
            frame_rate: Some(25.0),
            bitrate_kbps: 800,
            keyframe_ms: None,
            frames: 0,
            bytes: 0,
            renditions: Vec::new(),
        }],
        peer: None,
        since: Timestamp(7),
        is_stalled: false,
    }
}
