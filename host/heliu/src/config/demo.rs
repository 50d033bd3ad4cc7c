//! Keeps demonstration keys away from strangers: a plugin with `demo = true` and a listener that is
//! not loopback do not start together.

use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::error::line_of;
use super::{Config, ConfigError};

/// Where listeners stand in the file; all else is ignored.
#[derive(Deserialize)]
struct Places {
    #[serde(default)]
    http: Vec<Place>,
    admin: Option<Place>,
    rtmp: Option<Place>,
    rtmps: Option<Place>,
    webrtc: Option<Udp>,
}

#[derive(Deserialize)]
struct Place {
    listen: Spanned<SocketAddr>,
}

#[derive(Deserialize)]
struct Udp {
    udp: Spanned<SocketAddr>,
}

pub(super) fn check(path: &Path, text: &str, config: &Config) -> Result<(), ConfigError> {
    let Some((plugin, _)) = config.plugins.iter().find(|(_, plugin)| plugin.demo) else { return Ok(()) };
    let listeners = config.http.iter().map(|http| http.listen);
    let listeners = listeners.chain(config.admin.iter().map(|admin| admin.listen));
    let listeners = listeners.chain(config.rtmp.iter().map(|rtmp| rtmp.listen));
    let listeners = listeners.chain(config.rtmps.iter().map(|rtmps| rtmps.listen));
    let mut listeners = listeners.chain(config.webrtc.iter().map(|webrtc| webrtc.udp));
    let Some(open) = listeners.find(|listener| !listener.ip().is_loopback()) else { return Ok(()) };
    Err(ConfigError::OpenDemo {
        plugin: plugin.to_string(),
        listener: open.to_string(),
        place: match line(text, open) {
            Some(line) => format!("{} line {line}", path.display()),
            None => "the HELIU_ variable that says so".to_owned(),
        },
    })
}

fn line(text: &str, listener: SocketAddr) -> Option<usize> {
    let places: Places = toml::from_str(text).ok()?;
    let tcp = places.http.into_iter().chain(places.admin).chain(places.rtmp).chain(places.rtmps);
    let mut all = tcp.map(|place| place.listen).chain(places.webrtc.map(|place| place.udp));
    all.find(|place| *place.get_ref() == listener).map(|place| line_of(text, place.span()))
}
