//! What a receiver can use of a track, and what the track must be made into for it.

use heliu_model::{Format, Kind};

/// What a receiver takes of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepts {
    /// Of sound.
    pub audio: AcceptedAudio,
    /// Of pictures.
    pub video: AcceptedVideo,
}

/// What a receiver takes of sound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AcceptedAudio {
    /// Whatever codec it was born with.
    #[default]
    Any,
    /// AAC.
    Aac,
    /// Opus.
    Opus,
}

/// What a receiver takes of pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AcceptedVideo {
    /// Whatever was sent.
    #[default]
    Any,
    /// Those that are shown in the order they are decoded in. Others are left out of packets if nothing
    /// refers to them; a track where something does is made anew.
    WithoutBPictures,
}

/// A track in another form than it was born with, made once for all who need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rendition {
    /// Sound as AAC.
    Aac,
    /// Sound as Opus.
    Opus,
    /// H.264 whose pictures are shown in the order they are decoded in.
    WithoutBPictures,
}

/// What one receiver needs of a publication; `None`: what is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    pub audio: Option<Rendition>,
    pub video: Option<Rendition>,
}

impl Rendition {
    /// Sound or pictures.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Aac | Self::Opus => Kind::Audio,
            Self::WithoutBPictures => Kind::Video,
        }
    }

    /// For people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aac => "aac",
            Self::Opus => "opus",
            Self::WithoutBPictures => "without-b-pictures",
        }
    }
}

impl AcceptedAudio {
    /// What sound of this format must become.
    pub fn needs(self, format: &Format) -> Option<Rendition> {
        match (self, format) {
            (Self::Any, _) | (Self::Aac, Format::Aac(_)) | (Self::Opus, Format::Opus(_)) => None,
            (Self::Aac, _) => Some(Rendition::Aac),
            (Self::Opus, _) => Some(Rendition::Opus),
        }
    }
}

impl AcceptedVideo {
    /// What pictures must become of which some are shown earlier than others they refer to.
    pub fn needs(self, refers_to_b_pictures: bool) -> Option<Rendition> {
        match self {
            Self::WithoutBPictures if refers_to_b_pictures => Some(Rendition::WithoutBPictures),
            Self::Any | Self::WithoutBPictures => None,
        }
    }
}

impl Needs {
    pub fn of(self, kind: Kind) -> Option<Rendition> {
        match kind {
            Kind::Audio => self.audio,
            Kind::Video => self.video,
        }
    }

    pub fn each(self) -> impl Iterator<Item = Rendition> {
        [self.audio, self.video].into_iter().flatten()
    }
}
