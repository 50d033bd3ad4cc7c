//! What was found, as it is printed. Times are milliseconds on the stream's own clock, zero at its first
//! frame; what was not found is `null` or empty.

use std::collections::BTreeMap;

use serde::Serialize;

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Why it ends.
    pub end: End,
    /// How much of the stream was looked at, by its own timestamps.
    pub seconds: f64,
    /// From the call to the first decoded picture; `null` without one, and for a file.
    pub first_picture_ms: Option<f64>,
    /// Pictures.
    pub video: Option<VideoReport>,
    /// Sound.
    pub audio: Option<AudioReport>,
    /// Flash and beep, if the stream has them.
    pub sync: Option<SyncReport>,
    /// What could not be read, by reason.
    pub discards: BTreeMap<String, u64>,
}

/// Why a report ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// As long as was asked for.
    Enough,
    /// The stream is over.
    Over,
    /// Nothing came for ten seconds, or it came too slowly.
    Silent,
    /// The stream broke its grammar: what follows cannot be read.
    Malformed,
}

/// The pictures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VideoReport {
    /// `h264`.
    pub codec: &'static str,
    /// As ffprobe words it.
    pub profile: String,
    /// 3.1 is `31`.
    pub level: u8,
    /// Pixels, cropping applied.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Pictures per second as the parameter set tells, if it does.
    pub declared_frame_rate: Option<f64>,
    /// Sizes and parameter sets that differ from the ones before.
    pub format_changes: u64,
    /// Coded pictures, their times and rates.
    #[serde(flatten)]
    pub timing: TimingReport,
    /// Where a decoder may start.
    pub keyframes: KeyframeReport,
    /// Pictures of B slices.
    pub b_pictures: u64,
    /// Came out of our decoder; it keeps back the last ones of a stream with B pictures.
    pub decoded: u64,
    /// Our decoder had to wait for a keyframe.
    pub damaged: u64,
    /// Why our decoder does not take it.
    pub undecodable: Option<String>,
    /// At the nine places of a grid, then where it was asked for.
    pub colours: Vec<ColourReport>,
    /// The same picture for half a second and three pictures, or none at all.
    pub freezes: Vec<Span>,
    /// 98 % of the picture are black.
    pub black: Vec<Span>,
}

/// The sound.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AudioReport {
    /// `aac`.
    pub codec: &'static str,
    /// `LC`, or the number of the object type.
    pub profile: String,
    /// Hz.
    pub sample_rate: u32,
    /// How many.
    pub channels: u8,
    /// Coded frames, their times and rates.
    #[serde(flatten)]
    pub timing: TimingReport,
    /// Frames our decoder could not use.
    pub damaged: u64,
    /// Why our decoder does not take it.
    pub undecodable: Option<String>,
    /// Root mean square of all of it; a sine of full scale is 0.
    pub level_dbfs: Option<f64>,
    /// The loudest sample; full scale is 0.
    pub peak_dbfs: Option<f64>,
    /// At most eight, the loudest first; mean over all of it, both channels together.
    pub tones: Vec<ToneReport>,
    /// Below -50 dBFS for 300 ms.
    pub silences: Vec<Span>,
}

/// Times of one track.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimingReport {
    /// How many.
    pub frames: u64,
    /// Per second, by decoding times.
    pub frame_rate: Option<f64>,
    /// Of the coded bytes.
    pub bitrate_kbps: Option<f64>,
    /// Decoding time of the first.
    pub first_ms: i64,
    /// Decoding time of the last.
    pub last_ms: i64,
    /// From one decoding time to the next.
    pub step_ms: Option<StepReport>,
    /// Decoding times that do not grow.
    pub backward: u64,
}

/// Smallest, usual, largest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StepReport {
    /// Smallest.
    pub min: i64,
    /// Half of them are smaller.
    pub median: i64,
    /// Largest.
    pub max: i64,
}

/// Where a decoder may start.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeyframeReport {
    /// How many.
    pub count: u64,
    /// The first picture is one.
    pub is_first: bool,
    /// From one to the next.
    pub distance_ms: Option<StepReport>,
}

/// A colour at a place: the mean of five by five pixels, limited-range BT.601.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColourReport {
    /// Fraction of the width.
    pub x: f64,
    /// Fraction of the height.
    pub y: f64,
    /// `#rrggbb` in the first picture.
    pub first: String,
    /// `#rrggbb` in the last picture.
    pub last: String,
    /// A channel moved by more than 24.
    pub varies: bool,
}

/// A part of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Where it begins.
    pub at_ms: i64,
    /// How long it lasts.
    pub ms: i64,
}

/// A pure tone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ToneReport {
    /// Pitch.
    pub hz: f64,
    /// A sine of full scale is 0.
    pub dbfs: f64,
}

/// Flash and beep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SyncReport {
    /// Pictures that turned bright at once.
    pub flashes: u64,
    /// Sounds that began out of silence.
    pub beeps: u64,
    /// A flash and its beep within half a second.
    pub pairs: u64,
    /// Beep minus flash: above zero, the sound is late.
    pub offset_ms: StepReport,
}
