//! The *frames* view of a track: access units and sound frames with their times.
//!
//! A frame carries its format by `Arc`: who joins late knows everything from one frame, and a change
//! of format is a frame whose format differs from the one before.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::MediaTime;

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// A codec and what a decoder must know before the first frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// H.264, ITU-T H.264 and ISO/IEC 14496-15.
    H264(H264Format),
    /// AAC-LC, ISO/IEC 14496-3.
    Aac(AacFormat),
    /// Opus, RFC 6716.
    Opus(OpusFormat),
}

/// H.264 as RTMP, FLV and MP4 carry it.
#[derive(Debug, Clone, PartialEq)]
pub struct H264Format {
    /// `AVCDecoderConfigurationRecord` with four-byte NAL lengths (ISO/IEC 14496-15 §5.2.4.1).
    pub record: Bytes,
    /// Visible size, cropping applied.
    pub size: Size,
    /// Pictures per second as the sender told, if it did.
    pub frame_rate: Option<f32>,
}

/// AAC as RTMP, FLV and MP4 carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AacFormat {
    /// `AudioSpecificConfig` (ISO/IEC 14496-3 §1.6.2.1).
    pub config: Bytes,
    /// Hz, 8 000 to 96 000.
    pub sample_rate: u32,
    /// 1 to 6.
    pub channels: u8,
}

/// Opus as RTP carries it (RFC 7587): always on a clock of 48 kHz, and a packet tells the rest itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpusFormat {
    /// 1 or 2; a packet may carry fewer or more, a decoder makes these of either.
    pub channels: u8,
}

impl OpusFormat {
    /// Hz of its clock (RFC 7587 §4.1), whatever bandwidth is coded.
    pub const SAMPLE_RATE: u32 = 48_000;
}

/// One access unit or one sound frame.
///
/// `data` is H.264 in four-byte length-prefixed NAL units without SPS and PPS unless they change
/// inside the stream, one raw AAC frame without ADTS header, or one Opus packet. `pts >= dts`; both are
/// strictly increasing in dts within a track.
#[derive(Debug, Clone)]
pub struct Frame {
    /// What it is.
    pub format: Arc<Format>,
    /// When it is decoded.
    pub dts: MediaTime,
    /// When it is shown.
    pub pts: MediaTime,
    /// A decoder may start here. Always true for sound.
    pub is_key: bool,
    /// The coded bytes.
    pub data: Bytes,
}

impl Frame {
    /// Sound or pictures.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.format.kind()
    }
}

impl Format {
    /// Sound or pictures.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::H264(_) => Kind::Video,
            Self::Aac(_) | Self::Opus(_) => Kind::Audio,
        }
    }

    /// The contract's word for the codec.
    #[must_use]
    pub fn codec(&self) -> &'static str {
        match self {
            Self::H264(_) => "h264",
            Self::Aac(_) => "aac",
            Self::Opus(_) => "opus",
        }
    }
}
