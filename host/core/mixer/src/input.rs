//! What the mixer is told about a publication that could be mixed.

use heliu_model::{ParticipantId, PublicationId};

/// A publication of the mixer's room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its id.
    pub publication: PublicationId,
    /// Whose it is; `None`: nobody's, as with what a mixer makes.
    pub participant: Option<ParticipantId>,
    /// It announced pictures. Without, it takes a place only in a table with `audio_only`.
    pub has_video: bool,
    /// It announced sound.
    pub has_audio: bool,
    /// A mixer made it: mixed only where the intent names it.
    pub is_mixed: bool,
}
