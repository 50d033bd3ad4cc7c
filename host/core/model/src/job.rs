//! Where an intent stands, in the contract's words (`wit/imports.wit`, interface `status`).

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What `status` knows under an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Noun {
    /// What an endpoint offers to a room.
    Publication,
    /// An intent of `mixers`.
    Mixer,
    /// An intent of `egresses`.
    Egress,
}

/// Where an intent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// First try.
    Starting,
    /// Still by the former wish.
    Changing,
    /// As wished.
    Running,
    /// Connected, but no media.
    Stalled,
    /// Waiting for the next try.
    Retrying,
    /// Given up until the intent changes.
    Failed,
}

/// An intent and reality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The intent's id as its plugin calls it.
    pub id: String,
    /// Where it stands.
    pub state: JobState,
    /// Since when.
    pub since: Timestamp,
    /// In a row, since it last ran.
    pub retries: u32,
    /// Last trouble, in words; empty if none.
    pub detail: String,
}
