//! A push: where to, how far it is, what was lost on the way.

use std::sync::Arc;

use heliu_model::{Address, EgressId, EgressIntent, EgressStatus, Noun, Revision, RoomId, RtmpUrl};
use heliu_reconcile::egress_job;
use serde_json::{Value, json};

use super::Moment;
use crate::view::HostView;

/// Those that take from a room.
pub(super) fn of_room<'a>(
    moment: &'a Moment,
    room: &'a RoomId,
    view: &'a HostView,
) -> impl Iterator<Item = Value> + 'a {
    let here = moment.intents.egresses.iter().filter(move |(_, (_, intent))| intent.room == *room);
    here.map(move |(id, wish)| words(moment, id, wish, view))
}

/// One of them.
pub(super) fn words(moment: &Moment, id: &EgressId, wish: &(Revision, Arc<EgressIntent>), view: &HostView) -> Value {
    let intent = &wish.1;
    let wished_at = view.wished_at((Noun::Egress, id.as_str().to_owned()), wish.0);
    let job = egress_job(id, wish, moment.status.observed.egresses.get(id), wished_at);
    let source = |source: Option<&heliu_model::Source>| source.map(|source| source.publication.as_str().to_owned());
    json!({
        "egress": id.as_str(),
        "room": intent.room.as_str(),
        "audio": source(intent.audio.as_ref()),
        "video": source(intent.video.as_ref()),
        "to": target(&intent.url),
        "to_address": view.locate_own(&intent.url).as_ref().map(Address::as_str),
        "state": job.state,
        "since": job.since,
        "retries": job.retries,
        "last_error": job.detail,
        "running": moment.status.egresses.get(id).map(words_of_running),
    })
}

/// Scheme, host, port and app; what follows is the target's key.
fn target(url: &str) -> String {
    RtmpUrl::parse(url).map_or_else(|_| "not a URL this host can push to".to_owned(), |url| url.tc_url())
}

fn words_of_running(status: &EgressStatus) -> Value {
    json!({
        "bytes": status.bytes,
        "frames": status.frames,
        "frames_dropped": status.frames_dropped,
        "queue_bytes": status.queue_bytes,
        "frames_waiting": status.frames_waiting,
    })
}
