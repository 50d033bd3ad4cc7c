//! What the operator decides about the media plane.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use heliu_model::{Cidr, Namespace};

use crate::net::Certificate;
use crate::sources::Source;

/// Read once at start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where RTMP clients connect; `None`: nowhere. Port 0 takes a free one.
    pub rtmp: Option<SocketAddr>,
    /// Where they connect with TLS; `None`: nowhere.
    pub rtmps: Option<Rtmps>,
    /// Where browsers send and receive media; `None`: nowhere.
    pub webrtc: Option<WebRtc>,
    /// Worker threads; 0: one per core.
    pub workers: usize,
    /// Codec threads; 0: one per core.
    pub codec_threads: usize,
    /// Host names by which this host is known outside, so that a push to ourselves is recognised.
    pub public_names: Vec<String>,
    /// Ranges that are not public and may be pushed to nevertheless, by whose pushes these are.
    pub egress_allow: BTreeMap<Namespace, Vec<Cidr>>,
    /// Ingests of the operator.
    pub sources: Vec<Source>,
    /// Clients that publish at one time.
    pub publications_max: u32,
    /// Clients that view at one time.
    pub viewers_max: u32,
}

/// The RTMP listener with TLS.
#[derive(Debug, Clone)]
pub struct Rtmps {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// What its clients are shown.
    pub certificate: Certificate,
}

/// WebRTC's ports and patience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebRtc {
    /// UDP port of the first worker; each next one has the next port. Port 0: each takes a free one.
    pub udp: SocketAddr,
    /// Addresses told to clients instead of `udp`'s own.
    pub announce: Vec<IpAddr>,
    /// A client of which no connectivity check has come for so long has left (RFC 7675).
    pub consent: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rtmp: Some(([127, 0, 0, 1], 1935).into()),
            rtmps: None,
            webrtc: None,
            workers: 0,
            codec_threads: 0,
            public_names: Vec::new(),
            egress_allow: BTreeMap::new(),
            sources: Vec::new(),
            publications_max: 1_000,
            viewers_max: 5_000,
        }
    }
}
