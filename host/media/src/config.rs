//! What the operator decides about the media plane.

use std::net::{IpAddr, SocketAddr};

use heliu_model::Address;
use heliu_rtmp::RtmpUrl;

/// Read once at start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where RTMP clients connect; `None`: nowhere. Port 0 takes a free one.
    pub rtmp: Option<SocketAddr>,
    /// Worker threads; 0: one per core.
    pub workers: usize,
    /// Codec threads; 0: one per core.
    pub codec_threads: usize,
    /// Host names by which this host is known outside, so that a push to ourselves is recognised.
    pub public_names: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { rtmp: Some(([127, 0, 0, 1], 1935).into()), workers: 0, codec_threads: 0, public_names: Vec::new() }
    }
}

/// By which URLs this host is meant.
#[derive(Debug, Clone, Default)]
pub struct OwnNames {
    listener: Option<SocketAddr>,
    names: Vec<String>,
}

impl OwnNames {
    /// From the bound listener (its port is real by then) and the configured names.
    #[must_use]
    pub fn new(listener: Option<SocketAddr>, names: &[String]) -> Self {
        Self { listener, names: names.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// The address behind a URL that points to one of our listeners; no name is looked up.
    #[must_use]
    pub fn locate(&self, url: &str) -> Option<Address> {
        let url = RtmpUrl::parse(url).ok()?;
        let listener = self.listener.filter(|listener| listener.port() == url.port() && !url.is_tls())?;
        self.is_own_host(url.host(), listener).then_some(())?;
        Address::from_rtmp(url.app(), url.stream()).ok().map(|(address, _)| address)
    }

    fn is_own_host(&self, host: &str, listener: SocketAddr) -> bool {
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        if self.names.contains(&host) {
            return true;
        }
        match host.parse::<IpAddr>() {
            Ok(ip) if listener.ip().is_unspecified() => ip.is_loopback() || ip.is_unspecified(),
            Ok(ip) => ip == listener.ip(),
            Err(_) => host == "localhost" && (listener.ip().is_loopback() || listener.ip().is_unspecified()),
        }
    }
}
