//! The operator's file, as types. Every key is here, and `examples/heliu.toml` shows every one.
//!
//! A key that is not here stops the start with its line. `HELIU_*` variables are laid over the file
//! (`overlay`), relative paths start at the file's folder.
//!
//! Not here: how a plugin reads its own `config` table; its component checks that.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use heliu_model::Namespace;
use serde::Deserialize;

mod demo;
mod error;
mod hosts;
mod level;
mod listeners;
mod overlay;
mod range;
pub mod rtmps;
mod source;
#[cfg(test)]
mod tests;
pub mod webrtc;

pub use error::ConfigError;
pub use range::Range;
pub use rtmps::Rtmps;
pub use source::Source;
pub use webrtc::WebRtc;

/// All of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where everything that must survive a restart lives.
    pub data_dir: PathBuf,
    /// What is told on standard error.
    pub log: Log,
    /// Where REST clients connect.
    pub http: Vec<Http>,
    /// Where operators connect; `None`: nowhere.
    pub admin: Option<Admin>,
    /// Where RTMP clients connect; `None`: nowhere.
    pub rtmp: Option<Rtmp>,
    /// Where they connect with TLS; `None`: nowhere.
    pub rtmps: Option<Rtmps>,
    /// Where browsers send and receive media; `None`: nowhere.
    pub webrtc: Option<WebRtc>,
    /// How this host is called from outside.
    pub public: Public,
    /// The media plane.
    pub media: Media,
    /// The operator's own ingests.
    pub source: Vec<Source>,
    /// What all plugins together may use.
    pub limits: Limits,
    /// The personalities; a table's name is its namespace.
    pub plugins: BTreeMap<Namespace, Plugin>,
}

/// What is told on standard error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, also per module: `info,heliu_media=debug`.
    pub level: String,
    /// For people or for machines.
    pub format: LogFormat,
}

/// For people or for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line per event.
    Text,
    /// One JSON object per event.
    Json,
}

/// One HTTP listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
}

/// The operator's listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Names and addresses, without port, by which it may be called beside loopback ones and `listen`.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// The RTMP listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct Rtmp {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
}

/// How this host is called from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct Public {
    /// Names and addresses without port: a push to one of them stays inside.
    pub hosts: Vec<String>,
}

/// The media plane.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// Threads that own rooms; 0: one per core; at most 255.
    pub workers: u8,
}

/// What strangers, and all plugins together, may use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Mixers at one time.
    pub mixers_max: u32,
    /// Sum over all mixers of width × height × pictures per second.
    pub mixer_pixels_per_second_max: u64,
    /// Egresses at one time.
    pub egresses_max: u32,
    /// Clients that publish at one time.
    pub publications_max: u32,
    /// Clients that view at one time.
    pub viewers_max: u32,
}

/// One personality.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// The component's file.
    pub component: PathBuf,
    /// Media apps whose clients it admits, `*` for all that nobody else names; `None`: as it says itself.
    pub apps: Option<Vec<String>>,
    /// HTTP listeners it answers on, as in `[[http]]`; empty: all.
    #[serde(default)]
    pub http: Vec<SocketAddr>,
    /// Path in front of its routes.
    #[serde(default = "root")]
    pub base: String,
    /// Interfaces it may import; `None`: what it imports.
    pub grants: Option<Vec<String>>,
    /// Are its instances kept for the next call?
    #[serde(default)]
    pub instances: Instances,
    /// Computing time of all its calls together in percent of one core, averaged over ten seconds; above
    /// it calls queue. 0: no ceiling.
    #[serde(default = "one_core")]
    pub cpu_percent_max: u32,
    /// Checked by the plugin's schema.
    #[serde(default)]
    pub config: serde_json::Map<String, serde_json::Value>,
    /// By name.
    #[serde(default)]
    pub secrets: BTreeMap<String, Secret>,
    /// Ranges that are not public and that its pushes may reach nevertheless.
    #[serde(default)]
    pub egress_allow: Vec<Range>,
    /// Has demonstration keys: refused while a listener is open to others.
    #[serde(default)]
    pub demo: bool,
}

/// Are instances kept for the next call?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum Instances {
    /// One serves call after call until something goes wrong with it.
    #[default]
    Reuse,
    /// Each call has one of its own.
    Fresh,
}

/// A secret of the operator. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(untagged, expecting = "either the secret as text or { env = \"NAME\" }")]
pub enum Secret {
    /// In the file.
    Text(String),
    /// In a variable of the environment.
    Environment {
        /// The variable's name.
        env: String,
    },
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::Environment { env } => write!(f, "Environment({env})"),
        }
    }
}

impl Config {
    /// Reads the file and this process's environment.
    ///
    /// # Errors
    /// One sentence with the place.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
        Self::parse(path, &text, std::env::vars())
    }

    /// Parses `text`, which stands in the file `path`, with `environment` laid over it.
    ///
    /// # Errors
    /// One sentence with the place.
    pub fn parse(
        path: &Path,
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let in_file = |error: toml::de::Error| ConfigError::in_file(path, text, &error);
        // From the text, for the line of a mistake; from the table, for the variables.
        let _: Self = toml::from_str(text).map_err(in_file)?;
        let table: toml::Table = toml::from_str(text).map_err(in_file)?;
        let mut config = overlay::apply(table, environment)?;
        level::check(&config.log.level)?;
        demo::check(path, text, &config)?;
        listeners::check(&config)?;
        hosts::check(&config)?;
        source::check(&config.source)?;
        config.start_paths_at(path.parent().unwrap_or(Path::new(".")));
        Ok(config)
    }

    fn start_paths_at(&mut self, folder: &Path) {
        self.data_dir = folder.join(&self.data_dir);
        if let Some(rtmps) = &mut self.rtmps {
            rtmps.tls.start_paths_at(folder);
        }
        for plugin in self.plugins.values_mut() {
            plugin.component = folder.join(&plugin.component);
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "data".into(),
            log: Log::default(),
            http: Vec::new(),
            admin: None,
            rtmp: None,
            rtmps: None,
            webrtc: None,
            public: Public::default(),
            media: Media::default(),
            source: Vec::new(),
            limits: Limits::default(),
            plugins: BTreeMap::new(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Default for Limits {
    fn default() -> Self {
        // Sixteen mixers of 1280x720 at 25 pictures a second.
        Self {
            mixers_max: 16,
            mixer_pixels_per_second_max: 16 * 1280 * 720 * 25,
            egresses_max: 1_000,
            publications_max: 1_000,
            viewers_max: 5_000,
        }
    }
}

fn one_core() -> u32 {
    100
}

fn root() -> String {
    "/".to_owned()
}
