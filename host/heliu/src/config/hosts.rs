//! Names of this host are names: one with a port or a scheme would never be met.

use std::net::IpAddr;

use super::{Config, ConfigError};

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let of_admin = config.admin.iter().flat_map(|admin| &admin.hosts);
    let hosts = config.public.hosts.iter().map(|host| ("public", host));
    match hosts.chain(of_admin.map(|host| ("admin", host))).find(|(_, host)| !is_host(host)) {
        Some((table, host)) => Err(ConfigError::Host { table, host: host.clone() }),
        None => Ok(()),
    }
}

fn is_host(host: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    host.parse::<IpAddr>().is_ok() || (!host.is_empty() && host.chars().all(is_of_name))
}
