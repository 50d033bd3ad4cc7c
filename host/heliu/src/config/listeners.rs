//! Listeners are different from each other, and a plugin answers where one is.

use std::net::SocketAddr;

use super::{Config, ConfigError};

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let all = config.http.iter().map(|http| http.listen);
    let all = all.chain(config.admin.iter().map(|admin| admin.listen));
    let all = all.chain(config.rtmp.iter().map(|rtmp| rtmp.listen));
    let all: Vec<SocketAddr> = all.chain(config.rtmps.iter().map(|rtmps| rtmps.listen)).collect();
    for (at, &one) in all.iter().enumerate() {
        if let Some(&other) = all[at + 1..].iter().find(|&&other| meet(one, other)) {
            return Err(ConfigError::SameListener { one, other });
        }
    }
    let is_there = |wanted: &SocketAddr| config.http.iter().any(|http| http.listen == *wanted);
    for (name, plugin) in &config.plugins {
        if let Some(listener) = plugin.http.iter().find(|listener| !is_there(listener)) {
            return Err(ConfigError::UnknownListener { plugin: name.to_string(), listener: *listener });
        }
    }
    Ok(())
}

/// Would the system refuse the second one? Port 0 is another one each time.
fn meet(one: SocketAddr, other: SocketAddr) -> bool {
    let is_same_ip = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && one.port() != 0 && is_same_ip
}
