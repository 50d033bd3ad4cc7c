//! What a plugin author uses: routes with typed extractors, tables over the store, wishes for mixers
//! and pushes, layouts, and a fake host that runs the plugin in native unit tests.
//!
//! A plugin is a function that builds a [`Plugin`], handed to [`export!`]:
//!
//! ```
//! use heliu_sdk::{IntoResponse, Json, Path, Plugin, Rejection, Response};
//!
//! fn plugin() -> Plugin {
//!     Plugin::new("echo", "0.1.0").get("/v1/echo/{word}", "echo", echo)
//! }
//!
//! /// `GET /v1/echo/{word}`: answers with the word.
//! fn echo(Path(word): Path<String>) -> Result<Json<String>, Trouble> {
//!     Ok(Json(word))
//! }
//!
//! struct Trouble(Rejection);
//!
//! impl From<Rejection> for Trouble {
//!     fn from(rejection: Rejection) -> Self {
//!         Self(rejection)
//!     }
//! }
//!
//! impl IntoResponse for Trouble {
//!     fn into_response(self) -> Response {
//!         Response::text(400, &self.0.to_string())
//!     }
//! }
//!
//! heliu_sdk::export!(plugin);
//! # fn main() {}
//! ```
//!
//! Every call is a transaction: what a handler put is committed with its `Ok` and forgotten with its
//! `Err`. A plugin keeps nothing in its memory between calls.
//!
//! Not here: any vendor's words. And no media: it never enters a plugin.

mod admission;
pub mod alarm;
#[cfg(target_family = "wasm")]
mod allocator;
pub mod ambient;
pub mod bindings;
pub mod config;
pub mod crypto;
mod event;
mod export;
mod extract;
mod face;
#[cfg(not(target_family = "wasm"))]
pub mod fake;
mod handler;
mod host;
pub mod json;
pub mod layout;
pub mod log;
mod plugin;
mod rejection;
mod response;
pub mod status;
mod table;
mod texts;
pub mod transaction;
mod wish;

pub use admission::{Attempt, Direction, Grant, Refusal, Takeover};
pub use bindings::heliu::personality::http::Request;
pub use bindings::heliu::personality::types::{Encoding, Error, Field, Format, Noun, Size, Source};
pub use event::{Alarm, Event};
pub use export::Entry;
pub use extract::{FromRequest, Header, HeaderValue, Json, Path, Query, Raw};
pub use face::{Cors, Face};
pub use handler::Handler;
pub use plugin::{Plugin, Route};
pub use rejection::{Part, Rejection};
pub use response::{IntoResponse, Response};
pub use table::{Key, Record, Table};
pub use wish::{Address, Egress, Mixer, Place, Scene, Sound, locate, urls};
