//! A living task: the record, its mixer, its pushes.

use heliu_sdk::status::{self, State};
use heliu_sdk::{Egress, Error, Mixer, Noun, Record, Scene, Sound, Table, crypto, transaction};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::channel::{Channel, Name};
use crate::config::Config;
use crate::idle;
use crate::layout;
use crate::output::{Output, Outputs};
use crate::refusal::Refusal;
use crate::resolution::Resolution;
use crate::task_id::TaskId;

const FRAME_RATE: u32 = 25;
const KEYFRAME_MS: u32 = 2_000;

/// How long a create waits for its mixer.
const START_MS_MAX: u32 = 2_000;

/// The last id given. A record, not a sequence: refused calls leave no gap.
const LAST: Record<u64> = Record::new("task-number");
const TASKS: Table<u64, Task> = Table::new("task/");
/// Who pushes where, by the digest of the URL. The key is what makes outputs unique.
const CLAIMS: Table<String, Claim> = Table::new("output/");
/// `<app>/<channel>/<task>`.
const BY_CHANNEL: Table<String, ()> = Table::new("channel/");
/// Names of this host that tasks push to: digest of `app/name`, task.
const PLACES: Table<(String, u64), ()> = Table::new("place/");

/// A task, in the order of keys the API answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    id: TaskId,
    resolution: Resolution,
    outputs: Outputs,
    #[serde(skip_serializing_if = "Option::is_none")]
    main_endpoint: Option<Name>,
    channel: Channel,
}

/// What `POST /mixer/living` takes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NewTask {
    channel: Channel,
    #[serde(default, deserialize_with = "absent_if_empty")]
    main_endpoint: Option<Name>,
    outputs: Outputs,
    resolution: Resolution,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claim {
    task: u64,
    /// Digest of the name on this host, if the URL points here.
    place: Option<String>,
}

/// Puts the record, the mixer and the pushes. They hold when the transaction does.
pub fn create(order: NewTask) -> Result<Task, Refusal> {
    let NewTask { channel, main_endpoint, outputs, resolution } = order;
    let number = LAST.get()?.unwrap_or(0) + 1;
    let task = Task { id: TaskId::new(number), resolution, outputs, main_endpoint, channel };
    claim_outputs(number, &task)?;
    LAST.put(&number)?;
    TASKS.put(&number, &task)?;
    BY_CHANNEL.put(&task.channel_key(number), &())?;
    idle::task_created(&task.channel)?;
    task.mixer()?.put(task.id.as_str())?;
    for (egress_id, output) in task.pushes() {
        let push = Egress::rtmp(&task.channel.room(), &task.publication(), output.url());
        push.put(&egress_id).map_err(output_refused)?;
    }
    Ok(task)
}

/// Commits, and answers when the mixer runs. One that fails takes its task with it; one that only needs
/// longer does not.
pub fn wait_for_start(task: &Task) -> Result<(), Refusal> {
    // `wait` would commit, too, but one could not tell which of the two failed.
    transaction::commit()?;
    match status::wait(Noun::Mixer, task.id.as_str(), START_MS_MAX).map(|job| job.state) {
        Ok(State::Failed | State::Retrying) => {
            delete(&task.id)?;
            // The refusal that follows is rolled back, this must not be.
            transaction::commit()?;
            Err(Refusal::Internal)
        }
        Ok(State::Starting | State::Changing | State::Running | State::Stalled | State::Paused | State::Ended) => {
            Ok(())
        }
        // Somebody deleted it meanwhile, or the host cannot tell: the task was created all the same.
        Err(_) => Ok(()),
    }
}

/// None: it does not run.
pub fn find(id: &TaskId) -> Result<Option<Task>, Error> {
    id.number().map_or(Ok(None), |number| TASKS.get(&number))
}

/// All running tasks in order of their numbers.
pub fn list() -> Result<Vec<Task>, Error> {
    Ok(TASKS.scan("")?.into_iter().map(|(_, task)| task).collect())
}

/// Ends the pushes and the mixer, frees the outputs. Fine if there is none.
pub fn delete(id: &TaskId) -> Result<(), Error> {
    let Some(number) = id.number() else { return Ok(()) };
    let Some(task) = TASKS.get(&number)? else { return Ok(()) };
    for (egress_id, output) in task.pushes() {
        Egress::delete(&egress_id)?;
        let key = output.key();
        if let Some(place) = CLAIMS.get(&key)?.and_then(|claim| claim.place) {
            PLACES.delete(&(place, number))?;
        }
        CLAIMS.delete(&key)?;
    }
    Mixer::delete(task.id.as_str())?;
    BY_CHANNEL.delete(&task.channel_key(number))?;
    TASKS.delete(&number)
}

/// Ends all tasks of a channel.
pub fn delete_all_of(channel: &Channel) -> Result<(), Error> {
    for (key, ()) in BY_CHANNEL.scan(&format!("{}/", channel.room()))? {
        let number = key.rsplit_once('/').and_then(|(_, number)| number.parse().ok());
        number.map_or(Ok(()), |number| delete(&TaskId::new(number)))?;
    }
    Ok(())
}

/// Has this channel a task?
pub fn is_any_of(channel: &Channel) -> Result<bool, Error> {
    Ok(BY_CHANNEL.count(&format!("{}/", channel.room()))? > 0)
}

/// All channels that have a task, each once.
pub fn channels() -> Result<Vec<Channel>, Error> {
    let tasks = BY_CHANNEL.scan("")?;
    let room = |(key, ()): &(String, ())| key.rsplit_once('/').and_then(|(room, _)| Channel::of_room(room));
    let mut channels: Vec<Channel> = tasks.iter().filter_map(room).collect();
    channels.dedup();
    Ok(channels)
}

/// Does a running task push to `app/name` on this host?
pub fn owns_place(place: &str) -> Result<bool, Error> {
    Ok(PLACES.count(&format!("{}/", crypto::sha256_hex(place.as_bytes())))? > 0)
}

/// Exactly one of two simultaneous calls gets a URL: the other one's transaction meets its key.
fn claim_outputs(number: u64, task: &Task) -> Result<(), Refusal> {
    for output in task.outputs.iter() {
        if let Some(claim) = CLAIMS.get(&output.key())? {
            return Err(Refusal::OutputInUse { task: claim.task.to_string(), url: output.url().to_owned() });
        }
    }
    for output in task.outputs.iter() {
        if output.is_loop(&task.channel) {
            return Err(Refusal::InvalidParameter("outputs".to_owned()));
        }
        let place = output.place().map(|place| crypto::sha256_hex(place.as_bytes()));
        if let Some(place) = &place {
            PLACES.put(&(place.clone(), number), &())?;
        }
        CLAIMS.put(&output.key(), &Claim { task: number, place })?;
    }
    Ok(())
}

/// What the operator's filter forbids is a bad output; all else as usual.
fn output_refused(error: Error) -> Refusal {
    match error {
        Error::Denied(_) | Error::Invalid(_) => Refusal::InvalidParameter("outputs".to_owned()),
        Error::NotFound | Error::AlreadyExists | Error::Exhausted(_) | Error::Unavailable(_) | Error::Timeout => {
            error.into()
        }
    }
}

impl Task {
    fn mixer(&self) -> Result<Mixer, Error> {
        let Resolution { width, height, .. } = self.resolution;
        let mut table = layout::table(self.main_endpoint.as_ref().map(Name::as_str));
        if Config::read()?.audio_tile {
            table = table.audio_only();
        }
        let scene = Scene::new(width, height, FRAME_RATE, table)
            .bitrate_kbps(bitrate_kbps(width, height))
            .keyframe_ms(KEYFRAME_MS);
        Ok(Mixer::new(&self.channel.room(), &self.publication()).scene(scene).sound(Sound::everyone()))
    }

    /// No endpoint may be called so: `:` is not allowed in names.
    fn publication(&self) -> String {
        format!("mix:{}", self.id)
    }

    /// Also the id of its mixer.
    pub fn id(&self) -> &TaskId {
        &self.id
    }

    /// Each output with the id of its push.
    pub fn pushes(&self) -> impl Iterator<Item = (String, &Output)> {
        self.outputs.iter().zip(1..).map(|(output, number)| (format!("{}.{number}", self.id), output))
    }

    fn channel_key(&self, number: u64) -> String {
        format!("{}/{number:020}", self.channel.room())
    }
}

/// Pictures of 25 a second get 0.08 bit a pixel.
fn bitrate_kbps(width: u32, height: u32) -> u32 {
    (width * height / 500).clamp(200, 6_000)
}

/// `""` and `null` mean that there is none.
fn absent_if_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Name>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.filter(|text| !text.is_empty()).map(Name::try_from).transpose().map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bitrate_follows_the_canvas_within_bounds() {
        for (width, height, want) in
            [(16, 16, 200), (640, 360, 460), (1280, 720, 1_843), (1920, 1080, 4_147), (3840, 2160, 6_000)]
        {
            assert_eq!(bitrate_kbps(width, height), want, "{width}x{height}");
        }
    }
}
