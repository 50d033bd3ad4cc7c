//! `status`: what is, seen from outside the transaction, of the plugin's own namespace only.

use std::time::Duration;

use heliu_model::{EgressId, MixerId};
use heliu_model::{Job, JobState, Kind, Noun, PublicationStatus, RoomId, RoomStatus, Status, TrackStatus};
use serde_json::json;
use wasmtime::Result;

use crate::bindings::status::{self, Host};
use crate::bindings::types::{self, Error};
use crate::call::{Call, Guest};
use crate::tape::{Question, Shown};
use crate::wish::{check_id, invalid, room};

const IDS_LEN_MAX: usize = 200;

impl Host for Guest {
    fn publications(
        &mut self,
        room: String,
        ids: Option<Vec<String>>,
    ) -> Result<std::result::Result<Vec<status::Publication>, Error>> {
        let question = Question::new("status.publications", (&room, &ids));
        self.answer(question, |call| publications(call, &room, ids.as_deref()))
    }

    fn summaries(&mut self, rooms: Vec<String>) -> Result<std::result::Result<Vec<status::Summary>, Error>> {
        self.answer(Question::new("status.summaries", &rooms), |call| summaries(call, rooms))
    }

    fn jobs(&mut self, noun: types::Noun, ids: Vec<String>) -> Result<std::result::Result<Vec<status::Job>, Error>> {
        self.answer(Question::new("status.jobs", (Shown(noun), &ids)), |call| jobs(call, noun, &ids))
    }

    fn statistics(
        &mut self,
        noun: types::Noun,
        room: Option<String>,
        id: String,
    ) -> Result<std::result::Result<String, Error>> {
        let question = Question::new("status.statistics", (Shown(noun), &room, &id));
        self.answer(question, |call| statistics(call, noun, room.as_deref(), &id))
    }

    async fn wait(
        &mut self,
        noun: types::Noun,
        id: String,
        time_ms_max: u32,
    ) -> Result<std::result::Result<status::Job, Error>> {
        let question = Question::new("status.wait", (Shown(noun), &id, time_ms_max));
        let call = self.call()?;
        if let Some(played) = call.recall(question)? {
            return Ok(played);
        }
        let answer = wait(call, noun, id, Duration::from_millis(u64::from(time_ms_max))).await?;
        call.remember(question, &answer);
        Ok(answer)
    }

    fn host_run(&mut self) -> Result<String> {
        self.answer(Question::new("status.host-run", ()), |call| call.context.plane.host_run())
    }
}

async fn wait(
    call: &mut Call,
    noun: types::Noun,
    id: String,
    at_most: Duration,
) -> Result<std::result::Result<status::Job, Error>> {
    let noun = match check_id("id", &id).and_then(|()| intent_noun(noun)) {
        Ok(Some(noun)) => noun,
        Ok(None) => return Ok(Err(Error::NotFound)),
        Err(error) => return Ok(Err(error)),
    };
    let found = call.wait(noun, id, at_most).await?;
    Ok(found.and_then(|job| job.map(job_record).ok_or(Error::NotFound)))
}

fn publications(
    call: &Call,
    room_id: &str,
    ids: Option<&[String]>,
) -> std::result::Result<Vec<status::Publication>, Error> {
    let room = room(&call.context.namespace, room_id)?;
    if ids.is_some_and(|ids| ids.len() > IDS_LEN_MAX) {
        return invalid("ids");
    }
    let is_wanted = |id: &str| ids.is_none_or(|ids| ids.iter().any(|wanted| wanted == id));
    let status = call.context.plane.status();
    let Some(room) = status.rooms.get(&room) else { return Ok(Vec::new()) };
    let wanted = room.publications.iter().filter(|publication| is_wanted(publication.id.as_str()));
    Ok(wanted.map(publication_record).collect())
}

fn summaries(call: &Call, rooms: Vec<String>) -> std::result::Result<Vec<status::Summary>, Error> {
    if rooms.len() > IDS_LEN_MAX {
        return invalid("rooms");
    }
    let status = call.context.plane.status();
    let mut found = Vec::new();
    for id in rooms {
        let room = room(&call.context.namespace, &id)?;
        if let Some(summary) = status.rooms.get(&room).map(|room| summary_record(id, room)) {
            found.push(summary);
        }
    }
    Ok(found)
}

fn jobs(call: &Call, noun: types::Noun, ids: &[String]) -> std::result::Result<Vec<status::Job>, Error> {
    if ids.len() > IDS_LEN_MAX {
        return invalid("ids");
    }
    let Some(noun) = intent_noun(noun)? else { return Ok(Vec::new()) };
    let job = |id: &String| call.context.plane.job(&call.context.namespace, noun, id);
    Ok(ids.iter().filter_map(job).map(job_record).collect())
}

/// The intents this host knows; `None`: a noun nothing here can be.
fn intent_noun(noun: types::Noun) -> std::result::Result<Option<Noun>, Error> {
    match noun {
        types::Noun::Mixer => Ok(Some(Noun::Mixer)),
        types::Noun::Egress => Ok(Some(Noun::Egress)),
        types::Noun::Ingest | types::Noun::Recording => Ok(None),
        types::Noun::Publication | types::Noun::Subscription | types::Noun::Session => invalid("noun"),
    }
}

fn statistics(call: &Call, noun: types::Noun, room_id: Option<&str>, id: &str) -> std::result::Result<String, Error> {
    let namespace = &call.context.namespace;
    let status = call.context.plane.status();
    let found = match noun {
        types::Noun::Publication => {
            let Some(room_id) = room_id else { return invalid("room") };
            publication_statistics(&status, &room(namespace, room_id)?, id)
        }
        types::Noun::Mixer => mixer_statistics(&status, &MixerId::new(namespace, id).or_else(|_| invalid("id"))?),
        types::Noun::Egress => egress_statistics(&status, &EgressId::new(namespace, id).or_else(|_| invalid("id"))?),
        types::Noun::Subscription | types::Noun::Session | types::Noun::Ingest | types::Noun::Recording => None,
    };
    found.map(|found| found.to_string()).ok_or(Error::NotFound)
}

fn publication_statistics(status: &Status, room: &RoomId, id: &str) -> Option<serde_json::Value> {
    let publication = status.rooms.get(room)?.publications.iter().find(|publication| publication.id.as_str() == id)?;
    let tracks = publication.tracks.iter().map(|track| {
        json!({
            "kind": track.kind,
            "frames": track.frames,
            "bytes": track.bytes,
            "bitrate-kbps": track.bitrate_kbps,
        })
    });
    Some(json!({ "tracks": tracks.collect::<Vec<_>>() }))
}

fn mixer_statistics(status: &Status, id: &MixerId) -> Option<serde_json::Value> {
    let mixer = status.mixers.get(id)?;
    let regions =
        mixer.regions.iter().map(|(region, publication)| json!({ "region": region, "publication": publication }));
    let undecodable =
        mixer.undecodable.iter().map(|(publication, reason)| json!({ "publication": publication, "reason": reason }));
    Some(json!({
        "regions": regions.collect::<Vec<_>>(),
        "undecodable": undecodable.collect::<Vec<_>>(),
        "pictures": mixer.pictures,
        "ticks-dropped": mixer.ticks_dropped,
    }))
}

fn egress_statistics(status: &Status, id: &EgressId) -> Option<serde_json::Value> {
    let egress = status.egresses.get(id)?;
    Some(json!({ "bytes": egress.bytes, "frames": egress.frames, "frames-dropped": egress.frames_dropped }))
}

fn summary_record(room: String, status: &RoomStatus) -> status::Summary {
    let participants: std::collections::BTreeSet<_> =
        status.publications.iter().filter_map(|publication| publication.participant.as_ref()).collect();
    let offered = status.publications.iter().filter(|publication| publication.participant.is_some()).count();
    status::Summary {
        room,
        publications: saturated(offered),
        participants: saturated(participants.len()),
        viewers: status.viewers,
    }
}

fn saturated(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn publication_record(status: &PublicationStatus) -> status::Publication {
    status::Publication {
        id: status.id.as_str().to_owned(),
        participant: status.participant.as_ref().map(|participant| participant.as_str().to_owned()),
        protocol: status.protocol.to_owned(),
        tracks: status.tracks.iter().map(track_record).collect(),
        since: status.since.0,
    }
}

fn track_record(track: &TrackStatus) -> status::Track {
    status::Track {
        kind: match track.kind {
            Kind::Audio => types::Kind::Audio,
            Kind::Video => types::Kind::Video,
        },
        format: types::Format {
            codec: track.codec.to_owned(),
            profile: None,
            sample_rate: track.sample_rate,
            channels: track.channels,
        },
        mid: None,
        source: None,
        muted: false,
        size: track.size.map(|size| types::Size { width: size.width, height: size.height }),
        frame_rate: track.frame_rate,
        bitrate_kbps: track.bitrate_kbps,
        layers: Vec::new(),
    }
}

fn job_record(job: Job) -> status::Job {
    status::Job {
        id: job.id,
        state: match job.state {
            JobState::Starting => status::State::Starting,
            JobState::Changing => status::State::Changing,
            JobState::Running => status::State::Running,
            JobState::Stalled => status::State::Stalled,
            JobState::Retrying => status::State::Retrying,
            JobState::Failed => status::State::Failed,
        },
        since: job.since.0,
        retries: job.retries,
        detail: job.detail,
    }
}
