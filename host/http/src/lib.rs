//! The HTTP edge: listeners, bounds, and the way from a request to a plugin and back.
//!
//! `Server` owns the listeners and hands every request, except those for paths of the host's own
//! (`/healthz`, `/readyz`, WHIP, WHEP, the pages under `/-/`), to one [`Dispatch`]. What a plugin would answer the same way every time (404, 405, 413, HEAD, OPTIONS,
//! CORS, faults) is answered here, in the look of the plugin that owns the path, without entering it.
//! Media files of an app that a plugin owns are streamed from the media plane, offers of browsers are
//! handed to it ([`Negotiate`]).
//!
//! [`start_admin`] is the operator's listener, with pages of the host's own.
//!
//! Not here: who owns which path (`heliu-plugin`), TLS, and any REST API about rooms.

mod admin;
mod answer;
mod body;
mod config;
mod connection;
mod dispatch;
mod exchange;
mod flv;
mod health;
mod host_header;
mod host_path;
mod ice_server;
mod media_path;
mod negotiate;
mod pages;
mod patience;
mod places;
mod play;
mod plugin_routes;
mod readiness;
mod request_id;
mod server;
mod stats;
#[cfg(test)]
mod tests;
mod whip;

pub use admin::{AdminConfig, Generations, Sources, start_admin};
pub use config::Config;
pub use dispatch::{Dispatch, Found, Personality, Place};
pub use ice_server::{IceServer, IceServerError};
pub use negotiate::Negotiate;
pub use play::{Play, Stream};
pub use plugin_routes::PluginRoutes;
pub use readiness::Readiness;
pub use server::{Server, StartError};
pub use stats::Stats;
