//! The API: each route with its handler. Parse, one call, shape the answer.

use heliu_sdk::{Json, Path, Plugin};
use serde::Serialize;

use crate::refusal::Refusal;
use crate::task::{self, NewTask, Task};
use crate::task_id::TaskId;
use crate::view::{self, TaskView};

/// All routes.
pub fn routes(plugin: Plugin) -> Plugin {
    plugin
        .post("/mixer/living", "create-living", create)
        .get("/mixer/living", "list-living", list)
        .get("/mixer/living/{taskId}", "show-living", show)
        .delete("/mixer/living/{taskId}", "delete-living", delete)
}

/// Every success: HTTP 200, code 0.
#[derive(Debug, Serialize)]
struct Done<T> {
    code: u32,
    message: &'static str,
    data: T,
}

#[derive(Debug, Serialize)]
struct List {
    list: Vec<Task>,
}

/// `{}`.
#[derive(Debug, Serialize)]
struct Nothing {}

type Answer<T> = Result<Json<Done<T>>, Refusal>;

fn done<T>(data: T) -> Json<Done<T>> {
    Json(Done { code: 0, message: "ok", data })
}

/// `POST /mixer/living`: answers when the mixer runs; nobody needs to be in the channel.
fn create(Json(order): Json<NewTask>) -> Answer<Task> {
    let task = task::create(order)?;
    task::wait_for_start(&task)?;
    Ok(done(task))
}

/// `GET /mixer/living`: running tasks in order of their ids.
fn list() -> Answer<List> {
    Ok(done(List { list: task::list()? }))
}

/// `GET /mixer/living/:taskId`: a task and how it is doing.
fn show(Path(id): Path<TaskId>) -> Answer<TaskView> {
    Ok(done(view::show(&id)?))
}

/// `DELETE /mixer/living/:taskId`: the seed lists no error response, so an unknown task is a success.
fn delete(Path(id): Path<TaskId>) -> Answer<Nothing> {
    task::delete(&id)?;
    Ok(done(Nothing {}))
}
