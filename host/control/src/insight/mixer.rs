//! A mixer: its job, what it shows where, and what it costs.

use heliu_model::{InputStatus, MixerStatus, Noun, PublicationId, RoomId};
use heliu_reconcile::mixer_job;
use serde_json::{Value, json};

use super::Moment;
use crate::view::HostView;

/// Those wished for a room.
pub(super) fn of_room<'a>(
    moment: &'a Moment,
    room: &'a RoomId,
    view: &'a HostView,
) -> impl Iterator<Item = Value> + 'a {
    let here = moment.intents.mixers.iter().filter(move |(_, (_, intent))| intent.room == *room);
    here.map(move |(id, wish)| {
        let wished_at = view.wished_at((Noun::Mixer, id.as_str().to_owned()), wish.0);
        let job = mixer_job(id, wish, moment.status.observed.mixers.get(id), wished_at);
        let running = moment.status.mixers.get(id);
        json!({
            "mixer": id.as_str(),
            "publication": wish.1.publication.as_str(),
            "state": job.state,
            "since": job.since,
            "retries": job.retries,
            "detail": job.detail,
            "running": running.map(words),
        })
    })
}

fn words(status: &MixerStatus) -> Value {
    let regions = status.regions.iter().map(|(region, publication)| {
        let why = why_not(status, publication);
        json!({
            "region": region,
            "publication": publication.as_str(),
            "shows": if why.is_some() { "background" } else { "picture" },
            "why": why,
        })
    });
    json!({
        "regions": regions.collect::<Vec<_>>(),
        "inputs": status.inputs.iter().map(|input| words_of_input(status, input)).collect::<Vec<_>>(),
        "pictures": status.pictures,
        "ticks_dropped": status.ticks_dropped,
        "ticks_skipped": status.ticks_skipped,
        "encode_ms": millis(status.encode_us),
    })
}

/// Why a region shows no picture of its input.
fn why_not<'a>(status: &'a MixerStatus, publication: &PublicationId) -> Option<&'a str> {
    status.undecodable.iter().find(|(id, _)| id == publication).map(|(_, reason)| reason.as_str())
}

fn words_of_input(status: &MixerStatus, input: &InputStatus) -> Value {
    let region = status.regions.iter().find(|(_, publication)| *publication == input.publication);
    json!({
        "publication": input.publication.as_str(),
        "region": region.map(|(region, _)| region),
        "pictures_waiting": input.pictures_waiting,
        "delay_ms": input.delay_ms,
        "frames_dropped": input.frames_dropped,
        "decode_ms": input.decode_us.map(millis),
    })
}

fn millis(micros: u32) -> f64 {
    f64::from(micros) / 1_000.0
}
