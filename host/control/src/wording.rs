//! Events and records in the contract's JSON (`wit/README.md` §6): members are named as in the WIT.

use heliu_model::{Event, EventKind, Job, PublicationStatus, Timestamp, TrackStatus};
use serde_json::{Value, json};

/// What is told of something that happened in a room.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Words {
    pub(crate) kind: &'static str,
    /// Id of what it is about, as the plugin calls it.
    pub(crate) subject: String,
    pub(crate) data: Value,
}

/// Of an event of the media plane. Of jobs the loop tells, because it knows the wish as well.
pub(crate) fn of_event(event: &Event) -> Words {
    match &event.kind {
        EventKind::PublicationStarted(status) => {
            words("publication.started", &status.id, json!({ "publication": publication(status) }))
        }
        EventKind::PublicationChanged(status) => words(
            "publication.changed",
            &status.id,
            json!({ "publication": publication(status), "stalled": status.is_stalled }),
        ),
        EventKind::PublicationEnded { publication, participant, reason } => {
            let data = json!({ "reason": reason.as_str(), "participant": participant });
            words("publication.ended", publication, data)
        }
        EventKind::ParticipantJoined { participant, protocol } => {
            words("participant.joined", participant, json!({ "protocol": protocol }))
        }
        EventKind::ParticipantLeft { participant, reason } => {
            words("participant.left", participant, json!({ "reason": reason.as_str() }))
        }
    }
}

/// The record `status.job`.
pub(crate) fn job(job: &Job) -> Value {
    json!({ "id": job.id, "state": job.state, "since": job.since, "retries": job.retries, "detail": job.detail })
}

/// The record `status.job` of an intent that is gone and whose media has ended.
pub(crate) fn ended_job(id: &str, since: Timestamp) -> Value {
    json!({ "id": id, "state": "ended", "since": since, "retries": 0, "detail": "" })
}

/// The record `status.publication`.
fn publication(status: &PublicationStatus) -> Value {
    json!({
        "id": status.id,
        "participant": status.participant,
        "protocol": status.protocol,
        "tracks": status.tracks.iter().map(track).collect::<Vec<_>>(),
        "since": status.since,
    })
}

fn track(status: &TrackStatus) -> Value {
    json!({
        "kind": status.kind,
        "format": {
            "codec": status.codec,
            "profile": null,
            "sample-rate": status.sample_rate,
            "channels": status.channels,
        },
        "mid": null,
        "source": null,
        "muted": false,
        "size": status.size,
        "frame-rate": status.frame_rate,
        "bitrate-kbps": status.bitrate_kbps,
        "layers": [],
    })
}

fn words(kind: &'static str, subject: &impl ToString, data: Value) -> Words {
    Words { kind, subject: subject.to_string(), data }
}
