//! The pingos stream-merging API: a living task composes the endpoints of a channel into one picture
//! and pushes it to RTMP addresses.
//!
//! Its one idea: a task is a record, a mixer and its pushes, put in one transaction. From there on the
//! host keeps them true, so most calls end where they began, and joins and leaves need none.
//!
//! Read it as an example: `routes.rs` is the API, one file per thing stands beside it.

mod admission;
mod channel;
mod config;
mod idle;
mod key;
mod layout;
mod output;
mod refusal;
mod resolution;
mod routes;
mod task;
mod task_id;
mod view;

use heliu_sdk::{Cors, Face, Plugin};

use refusal::Refusal;

/// Larger bodies get code 10.
const BODY_BYTES_MAX: u32 = 64 * 1024;

/// The personality.
#[must_use]
pub fn plugin() -> Plugin {
    let plugin = Plugin::new("pingos", env!("CARGO_PKG_VERSION"))
        .face(face)
        .config_schema(config::schema)
        .guard(key::check)
        .admit(&["*"], admission::admit)
        .on_event(&["publication.started", "publication.ended", "room.resync", "host.started"], idle::handle_event)
        .on_alarm(idle::handle_alarm);
    routes::routes(plugin).body_bytes_max(BODY_BYTES_MAX).headers(&["authorization"])
}

/// What the host answers alone: unknown paths and methods, and our own faults.
fn face() -> Face {
    let cors = Cors::any_origin(&["POST", "DELETE", "GET", "OPTIONS"], &["content-type", "authorization"]);
    Face::new("/")
        .cors(cors)
        .fault(404, 404, &Refusal::NoSuchPath.body())
        .fault(405, 405, &Refusal::NoSuchMethod.body())
        .fault(413, 413, &Refusal::BodyTooLarge.body())
        .fault(0, 503, &Refusal::Internal.body())
}

heliu_sdk::export!(plugin);
