//! Finds what to tell of mixers and egresses by comparing how they stand with what was told last.
//!
//! Derived from wish and reality together, like the jobs plugins read: what a plugin is told is what it
//! would see. A state that lasts is told once; one that comes and goes between two looks is not told.

use std::collections::BTreeMap;

use heliu_model::{EgressId, Intents, Job, JobState, MixerId, Noun, Observed, RoomId, Timestamp};
use heliu_reconcile::{egress_job, mixer_job};

use crate::view::{HostView, JobName};
use crate::wording::{self, Words};

#[derive(Debug, Default)]
pub(crate) struct JobWatch {
    known: BTreeMap<JobName, Known>,
}

#[derive(Debug)]
struct Known {
    room: RoomId,
    /// As its plugin calls it.
    id: String,
    told: Option<&'static str>,
}

/// Something to tell of a job.
pub(crate) struct JobEvent {
    pub(crate) room: RoomId,
    pub(crate) words: Words,
}

impl JobWatch {
    /// Compares, and remembers what it returns as told.
    pub(crate) fn look(
        &mut self,
        view: &HostView,
        intents: &Intents,
        observed: &Observed,
        now: Timestamp,
    ) -> Vec<JobEvent> {
        let mut events = Vec::new();
        for (id, wish) in &intents.mixers {
            let name = mixer_name(id);
            let wished_at = view.wished_at(name.clone(), wish.0);
            let job = mixer_job(id, wish, observed.mixers.get(id), wished_at);
            events.extend(self.note(name, &wish.1.room, &job, mixer_word(job.state)));
        }
        for (id, wish) in &intents.egresses {
            let name = egress_name(id);
            let wished_at = view.wished_at(name.clone(), wish.0);
            let job = egress_job(id, wish, observed.egresses.get(id), wished_at);
            events.extend(self.note(name, &wish.1.room, &job, egress_word(job.state)));
        }
        let is_there = |name: &JobName| match name.0 {
            Noun::Mixer => name
                .1
                .parse()
                .is_ok_and(|id: MixerId| intents.mixers.contains_key(&id) || observed.mixers.contains_key(&id)),
            Noun::Egress => name
                .1
                .parse()
                .is_ok_and(|id: EgressId| intents.egresses.contains_key(&id) || observed.egresses.contains_key(&id)),
            Noun::Publication => false,
        };
        let gone: Vec<JobName> = self.known.keys().filter(|name| !is_there(name)).cloned().collect();
        events.extend(gone.iter().filter_map(|name| self.end(name, now)));
        events
    }

    fn note(&mut self, name: JobName, room: &RoomId, job: &Job, word: Option<&'static str>) -> Option<JobEvent> {
        let known =
            self.known.entry(name).or_insert_with(|| Known { room: room.clone(), id: job.id.clone(), told: None });
        known.room.clone_from(room);
        let kind = word.filter(|word| known.told != Some(word))?;
        known.told = Some(kind);
        match kind {
            "egress.failed" => {
                tracing::warn!(%room, egress = job.id, retries = job.retries, cause = job.detail, "egress given up");
            }
            // Each try is told by the media plane as it happens.
            _ => tracing::debug!(%room, id = job.id, kind, retries = job.retries, cause = job.detail, "job changed"),
        }
        let data = serde_json::json!({ "job": wording::job(job) });
        Some(JobEvent { room: room.clone(), words: Words { kind, subject: job.id.clone(), data } })
    }

    fn end(&mut self, name: &JobName, now: Timestamp) -> Option<JobEvent> {
        let Known { room, id, .. } = self.known.remove(name)?;
        let kind = match name.0 {
            Noun::Mixer => "mixer.ended",
            Noun::Egress => "egress.ended",
            Noun::Publication => return None,
        };
        tracing::debug!(%room, id, kind, "job ended");
        let data = serde_json::json!({ "job": wording::ended_job(&id, now) });
        Some(JobEvent { room, words: Words { kind, subject: id, data } })
    }
}

fn mixer_name(id: &MixerId) -> JobName {
    (Noun::Mixer, id.as_str().to_owned())
}

fn egress_name(id: &EgressId) -> JobName {
    (Noun::Egress, id.as_str().to_owned())
}

fn mixer_word(state: JobState) -> Option<&'static str> {
    match state {
        JobState::Running => Some("mixer.running"),
        JobState::Failed => Some("mixer.failed"),
        JobState::Starting | JobState::Changing | JobState::Stalled | JobState::Retrying => None,
    }
}

fn egress_word(state: JobState) -> Option<&'static str> {
    match state {
        JobState::Running => Some("egress.running"),
        JobState::Stalled => Some("egress.stalled"),
        JobState::Retrying => Some("egress.retrying"),
        JobState::Failed => Some("egress.failed"),
        JobState::Starting | JobState::Changing => None,
    }
}
