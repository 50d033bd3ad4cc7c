//! What the host tells a plugin on its own account: events and alarms (`wit/exports.wit`, interface
//! `events`).

use heliu_model::Timestamp;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginEvent {
    /// The same on redelivery.
    pub id: String,
    /// `publication.started`, `mixer.failed`, …
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// As the plugin calls it; also the serialization key of the call.
    pub room: Option<String>,
    /// Id of what it is about, as the plugin calls it.
    pub subject: String,
    /// From 1.
    pub attempt: u32,
    /// JSON object with the members of the kind.
    pub data: String,
}

/// A time that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// As set.
    pub name: String,
    /// As set; also the serialization key of the call.
    pub key: Option<String>,
    /// As set.
    pub payload: String,
    /// When it was due.
    pub due: Timestamp,
    /// From 1.
    pub attempt: u32,
}
