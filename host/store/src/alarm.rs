//! Times a plugin has set: what the alarm collection holds.

use heliu_model::{Namespace, Revision, Timestamp};
use serde::{Deserialize, Serialize};

/// One alarm, as JSON under its name. It is deleted by whoever delivers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// When.
    pub due: Timestamp,
    /// Serialization key of the call, usually a room.
    pub key: Option<String>,
    /// As set.
    pub payload: String,
}

/// One that waits, or is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAlarm {
    /// Whose.
    pub namespace: Namespace,
    /// As its plugin calls it.
    pub name: String,
    /// When it was set; setting it again changes it.
    pub revision: Revision,
    /// What was set.
    pub alarm: Alarm,
}
