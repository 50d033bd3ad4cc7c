//! The HTTP edge: listeners, bounds, and the way from a request to a plugin and back.
//!
//! `Server` owns the listeners and hands every request, except those for `/healthz` and `/readyz`, to
//! one [`Dispatch`]. What a plugin would answer the same way every time (404, 405, 413, HEAD, OPTIONS,
//! CORS, faults) is answered here, in the look of the plugin that owns the path, without entering it.
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
mod health;
mod patience;
mod plugin_routes;
mod readiness;
mod request_id;
mod server;
#[cfg(test)]
mod tests;

pub use admin::{AdminConfig, Sources, start_admin};
pub use config::Config;
pub use dispatch::{Dispatch, Found, Personality, Place};
pub use plugin_routes::PluginRoutes;
pub use readiness::Readiness;
pub use server::{Server, StartError};
