//! What the operator says about one plugin, and the limits it runs in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use heliu_model::Namespace;

/// One `[plugins.<name>]` table.
#[derive(Debug, Clone)]
pub struct PluginConfig {
    /// The table's name.
    pub namespace: Namespace,
    /// The component's file.
    pub component: PathBuf,
    /// Media apps; `None`: what the plugin itself lists.
    pub apps: Option<Vec<String>>,
    /// Listeners it is bound to, as the operator wrote them; empty: all.
    pub http: Vec<String>,
    /// Where its routes begin; `/` for the root.
    pub base: String,
    /// Imports it may use, plus `secret:<name>` for each secret it may read in clear; `None`: what it
    /// imports, no secret in clear.
    pub grants: Option<Vec<String>>,
    /// Checked by the plugin's schema.
    pub config: serde_json::Value,
    /// By name.
    pub secrets: BTreeMap<String, Secret>,
    /// What a call may use.
    pub limits: Limits,
}

impl PluginConfig {
    /// A plugin at the root of every listener, with what it asks for.
    #[must_use]
    pub fn new(namespace: Namespace, component: PathBuf) -> Self {
        Self {
            namespace,
            component,
            apps: None,
            http: Vec::new(),
            base: "/".to_owned(),
            grants: None,
            config: serde_json::Value::Object(serde_json::Map::new()),
            secrets: BTreeMap::new(),
            limits: Limits::default(),
        }
    }
}

/// A text that never shows in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. Never for a log.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What the calls of one plugin may use (`wit/README.md` §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Computing time of one run of a call; waiting does not count.
    pub cpu_max: Duration,
    /// The same for `admit`.
    pub admit_cpu_max: Duration,
    /// Wall time of one call, waiting and runs after conflicts included; a route may ask for more.
    pub time_max: Duration,
    /// Wall time of `admit`, once its turn has come.
    pub admit_time_max: Duration,
    /// Computing time of all calls together, in percent of one core, averaged over ten seconds; above it
    /// calls queue. 0: no ceiling.
    pub cpu_percent_max: u32,
    /// Linear memory of one instance, in bytes.
    pub memory_len_max: usize,
    /// Linear memory of all instances together, in bytes.
    pub plugin_memory_len_max: usize,
    /// Are instances kept for the next call?
    pub reuse: Reuse,
    /// Instances that are kept at one time.
    pub idle_max: usize,
    /// Bytes a guest hands over in one host call.
    pub host_call_len_max: usize,
    /// Bytes of one response.
    pub response_len_max: usize,
    /// Calls that run at one time.
    pub in_flight_max: usize,
    /// Calls that wait for their turn; more are refused.
    pub queued_max: usize,
    /// Calls that wait inside an effect.
    pub waiting_max: usize,
    /// Calls of one serialization key.
    pub callers_per_key_max: usize,
    /// Runs of one call; the last one commits alone.
    pub runs_max: u32,
    /// Alarms of one plugin.
    pub alarms_max: u32,
    /// Durable records written in one minute; then nothing more is recorded until it is over.
    pub writes_per_minute_max: u32,
    /// Bytes that one transaction writes.
    pub transaction_len_max: usize,
    /// Bytes of host calls' answers that one call keeps, to be run again after an effect.
    pub tape_len_max: usize,
    /// Log lines in one second; more are dropped and counted.
    pub log_lines_per_second_max: u32,
}

/// Are instances kept for the next call? A guest cannot count on either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// An instance serves one call after another, until something goes wrong with it.
    Reuse,
    /// Each call has an instance of its own.
    Fresh,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu_max: Duration::from_millis(100),
            admit_cpu_max: Duration::from_millis(50),
            time_max: Duration::from_secs(5),
            admit_time_max: Duration::from_millis(250),
            cpu_percent_max: 100,
            memory_len_max: 32 << 20,
            plugin_memory_len_max: 512 << 20,
            reuse: Reuse::Reuse,
            idle_max: 16,
            host_call_len_max: 8 << 20,
            response_len_max: 8 << 20,
            in_flight_max: 64,
            queued_max: 256,
            waiting_max: 256,
            callers_per_key_max: 64,
            runs_max: 8,
            alarms_max: 10_000,
            writes_per_minute_max: 10_000,
            transaction_len_max: 16 << 20,
            tape_len_max: 2 << 20,
            log_lines_per_second_max: 200,
        }
    }
}
