//! Stories: a real server, real sockets, real components, other people's media software.
//!
//! Modules whose name begins with `media` decode and encode; the runner lets one of them run at a time.

mod admin;
mod door;
mod faults;
mod media_admin;
mod media_browser;
mod media_disk;
mod media_egress;
mod media_faults;
mod media_flv;
mod media_log;
mod media_mix;
mod media_play;
mod media_probe;
mod media_push;
mod media_readme;
mod media_soak;
mod media_source;
mod media_strange;
mod media_tls;
mod reload;
mod rest;
mod strangers;
