//! The media plane: workers that own rooms and sockets, and the endpoints in those rooms.
//!
//! Knows rooms, tracks and codecs, and nothing of plugins: who may come in is asked of [`Admit`], what
//! shall run is said by [`heliu_model::Command`] through a [`Handle`], what runs is in its [`Handle::status`].

mod acceptor;
mod admit;
mod backlog;
mod clock;
mod config;
mod director;
mod endpoint;
mod handle;
mod jobs;
mod outbox;
mod placement;
mod queue;
mod room_shell;
mod sources;
mod viewing;
mod worker;

pub use admit::Admit;
pub use config::{Config, OwnNames};
pub use handle::{Handle, Media, StartError};
pub use sources::Source;
pub use viewing::{Cut, ViewRequest, Viewing};
