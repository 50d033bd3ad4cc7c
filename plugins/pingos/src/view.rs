//! A task and how it is doing: the answer of `GET /mixer/living/:taskId`.

use heliu_sdk::status::{self, Job, State};
use heliu_sdk::{Noun, ambient};
use serde::Serialize;

use crate::output::Output;
use crate::refusal::Refusal;
use crate::task::{self, Task};
use crate::task_id::TaskId;

/// A task and how it is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskView {
    #[serde(flatten)]
    task: Task,
    state: &'static str,
    streamouts: Vec<Streamout>,
}

/// How one push is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Streamout {
    url: String,
    state: &'static str,
    since: u64,
    retries: u32,
    last_error: String,
}

/// One task with the states of its pushes.
pub fn show(id: &TaskId) -> Result<TaskView, Refusal> {
    let task = task::find(id)?.ok_or_else(|| Refusal::NoSuchTask(id.to_string()))?;
    let is_running = status::jobs(Noun::Mixer, &[task.id().to_string()])?.iter().any(is_running);
    let ids: Vec<String> = task.pushes().map(|(egress_id, _)| egress_id).collect();
    let jobs = status::jobs(Noun::Egress, &ids)?;
    let streamout = |(egress_id, output): (String, &Output)| {
        Streamout::new(output.url(), jobs.iter().find(|job| job.id == egress_id))
    };
    let streamouts = task.pushes().map(streamout).collect();
    Ok(TaskView { state: if is_running { "running" } else { "starting" }, streamouts, task })
}

impl Streamout {
    fn new(url: &str, job: Option<&Job>) -> Self {
        let state = match job.map(|job| job.state) {
            None | Some(State::Starting | State::Changing | State::Paused) => "connecting",
            Some(State::Running | State::Stalled) => "pushing",
            Some(State::Retrying | State::Failed | State::Ended) => "retrying",
        };
        Self {
            url: url.to_owned(),
            state,
            since: job.map_or_else(ambient::now, |job| job.since),
            retries: job.map_or(0, |job| job.retries),
            last_error: job.map(|job| job.detail.clone()).unwrap_or_default(),
        }
    }
}

fn is_running(job: &Job) -> bool {
    matches!(job.state, State::Running | State::Stalled | State::Changing)
}
