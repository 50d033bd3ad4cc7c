//! Wishes as data: what a plugin wants from the media plane. The words and ranges are those of
//! `wit/imports.wit`; what this host does not serve was refused before a wish is stored.

use serde::{Deserialize, Serialize};

use crate::{Address, MixerId, ParticipantId, PublicationId, RoomId, Size};

/// A codec as a wish; `None` means any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatWish {
    /// `h264` or `aac`.
    pub codec: String,
    /// H.264: `CB`, `B`, `M` or `H`.
    pub profile: Option<String>,
    /// Hz.
    pub sample_rate: Option<u32>,
    /// 1 or 2.
    pub channels: Option<u32>,
}

/// How a track is wished. All `None`: as it comes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Encoding {
    /// Codec, profile, rate, channels.
    pub format: Option<FormatWish>,
    /// Video. Rounded up to even for the encoder, told in metadata as asked.
    pub size: Option<Size>,
    /// Video, pictures per second, 1 to 60.
    pub frame_rate: Option<u32>,
    /// Target; `None`: the host's choice.
    pub bitrate_kbps: Option<u32>,
    /// Video: longest distance between key pictures.
    pub keyframe_ms: Option<u32>,
}

/// A rectangle as fractions of the canvas, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

/// How a picture meets its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// Fill, distort.
    Stretch,
    /// Fill, keep aspect, cut what hangs over.
    Crop,
    /// Show all, keep aspect, bars.
    Letterbox,
}

/// A place for one picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Unique in its list.
    pub id: String,
    /// Where.
    pub area: Area,
    /// Higher covers lower; equal: later covers earlier.
    pub z: i32,
    /// How.
    pub fit: Fit,
    /// Who; always `None` in a table.
    pub publication: Option<PublicationId>,
}

/// Who takes the first region of a table. Counts only while it is an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Primary {
    /// The first in order.
    First,
    /// This publication, while it is there.
    Publication(PublicationId),
    /// A publication of this participant, while there is one.
    Participant(ParticipantId),
}

/// Places by number of inputs. The smallest set that holds all inputs is used, filled in order; if
/// none does, the largest, and the rest waits in line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Region sets without publications; never empty.
    pub sets: Vec<Vec<Region>>,
    /// Used instead while the primary is there; empty: always `sets`.
    pub primary_sets: Vec<Vec<Region>>,
    /// Who comes first.
    pub primary: Primary,
    /// In this order; `None`: every publication with pictures, in order of arrival, mixers' left out.
    pub inputs: Option<Vec<PublicationId>>,
    /// Publications without pictures get a place, too (option `audio-only`).
    pub audio_only: bool,
}

/// Who is where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// The mixer fills as inputs come and go.
    Table(Table),
    /// Exactly these.
    Regions(Vec<Region>),
}

/// The picture of a mixer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// Canvas size and rate; `size` and `frame_rate` are always there.
    pub encoding: Encoding,
    /// `#rrggbb`, checked.
    pub background: String,
    /// Regions.
    pub layout: Layout,
}

/// One publication that is heard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Voice {
    /// Its id.
    pub publication: PublicationId,
    /// 0.0 to 4.0; 1.0 as it is.
    pub gain: f32,
}

/// The sound of a mixer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sound {
    /// `None`: every publication of the room, except what mixers made.
    pub voices: Option<Vec<Voice>>,
    /// AAC-LC, 48 kHz, stereo is all that is served.
    pub encoding: Encoding,
}

/// One mixer: runs with background and silence from its first wish to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixerIntent {
    /// Whose publications it uses and where it publishes.
    pub room: RoomId,
    /// Id of what it publishes.
    pub publication: PublicationId,
    /// `None`: sound only.
    pub scene: Option<Scene>,
    /// `None`: picture only.
    pub sound: Option<Sound>,
}

/// One track of a publication, as an egress takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The publication's id.
    pub publication: PublicationId,
    /// The wish.
    pub encoding: Encoding,
}

/// One push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressIntent {
    /// Room whose publications it takes; they need not be there yet.
    pub room: RoomId,
    /// Sound.
    pub audio: Option<Source>,
    /// Pictures.
    pub video: Option<Source>,
    /// `rtmp`.
    pub protocol: String,
    /// As the plugin wrote it. Holds stream keys: never in a log.
    pub url: String,
    /// Tries in a row before it is `failed`; `None`: for ever.
    pub attempts_max: Option<u32>,
}

/// A public name: everybody may play it, without `admit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressIntent {
    /// The name.
    pub address: Address,
    /// What is behind it.
    pub room: RoomId,
    /// What is behind it; need not be there.
    pub publication: PublicationId,
    /// How long a player waits for it, instead of "not found".
    pub wait_ms: u32,
    /// How long players stay after it went.
    pub hold_ms: u32,
}

impl MixerIntent {
    /// Pixels per second of the canvas; what the operator's ceiling counts.
    #[must_use]
    pub fn pixels_per_second(&self) -> u64 {
        let Some(scene) = &self.scene else { return 0 };
        let size = scene.encoding.size.map_or(0, |size| u64::from(size.width) * u64::from(size.height));
        size * u64::from(scene.encoding.frame_rate.unwrap_or(0))
    }

    /// Is this another mixer, so that the running one must end before it starts? Anything else is
    /// changed while it runs.
    #[must_use]
    pub fn is_elsewhere(&self, other: &Self) -> bool {
        (&self.room, &self.publication) != (&other.room, &other.publication)
    }
}

/// Names a mixer's publication from outside its plugin, for logs.
impl From<&MixerId> for String {
    fn from(id: &MixerId) -> String {
        id.as_str().to_owned()
    }
}
