//! What happened in a room, for plugins that asked to know (`wit/README.md` §6).
//!
//! Not here: what became of mixers and egresses; the control plane derives that from their jobs.

use crate::{ParticipantId, PublicationId, PublicationStatus, RoomId, Timestamp};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Where; also says whose it is.
    pub room: RoomId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// First media of a publication.
    PublicationStarted(PublicationStatus),
    /// Format or size changed.
    PublicationChanged(PublicationStatus),
    /// It is gone.
    PublicationEnded {
        /// Which.
        publication: PublicationId,
        /// Whose; `None`: a mixer's.
        participant: Option<ParticipantId>,
        /// Why.
        reason: LeaveReason,
    },
    /// First publication of a participant.
    ParticipantJoined {
        /// Who.
        participant: ParticipantId,
        /// `rtmp`, …
        protocol: &'static str,
    },
    /// Last publication of a participant ended.
    ParticipantLeft {
        /// Who.
        participant: ParticipantId,
        /// Why.
        reason: LeaveReason,
    },
}

/// Why somebody is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaveReason {
    /// Said goodbye.
    Left,
    /// The connection broke.
    Lost,
    /// Another took over.
    Replaced,
    /// Ended by the host: shutdown, limits, malformed media.
    Closed,
}

impl LeaveReason {
    /// The contract's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Lost => "lost",
            Self::Replaced => "replaced",
            Self::Closed => "closed",
        }
    }
}
