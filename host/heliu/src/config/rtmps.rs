//! The RTMP listener with TLS, and where its certificate comes from.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct Rtmps {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What its clients are shown.
    pub tls: Tls,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(untagged, expecting = "either \"self-signed\" or { cert, key }")]
pub enum Tls {
    /// Made at each start.
    Made(Made),
    /// The operator's.
    Files(Files),
}

/// The one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// Signed by itself: clients must not ask who signed it.
    SelfSigned,
}

/// PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// The chain, the host's own certificate first.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Tls {
    /// Relative paths begin at `folder`.
    pub(super) fn start_paths_at(&mut self, folder: &Path) {
        if let Self::Files(Files { cert, key }) = self {
            *cert = folder.join(&cert);
            *key = folder.join(&key);
        }
    }
}
