//! Why a piece of media was dropped, and how often.
//!
//! Bad input from the network is no error: whoever reads it drops it, counts the reason and decides
//! after how many of them the sender is cut.

use std::collections::BTreeMap;

/// Why a tag body or a header was dropped. The reader is unchanged after any of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Discard {
    /// Ends before its own header does, or carries nothing.
    #[error("the tag is too short")]
    Truncated,
    /// A codec that heliu does not carry over RTMP.
    #[error("the codec {0} is not carried")]
    Codec(Foreign),
    /// A frame before its sequence header.
    #[error("a frame came before its sequence header")]
    NoFormat,
    /// `AVCDecoderConfigurationRecord` that breaks its grammar or its bounds.
    #[error("the H.264 configuration is malformed")]
    BadRecord,
    /// H.264 whose configuration holds no sequence parameter set.
    #[error("the H.264 configuration holds no sequence parameter set")]
    NoSps,
    /// A sequence parameter set that breaks its grammar or has no area.
    #[error("a sequence parameter set is malformed")]
    BadSps,
    /// NAL lengths that do not add up to the access unit, or too many NAL units.
    #[error("the access unit is malformed")]
    BadNals,
    /// `AudioSpecificConfig` that breaks its grammar.
    #[error("the AAC configuration is malformed")]
    BadAudioConfig,
    /// An Opus packet that breaks the rules of its framing.
    #[error("the Opus packet is malformed")]
    BadOpusPacket,
    /// Shown more than ten seconds after it is decoded.
    #[error("the composition time is out of range")]
    CompositionTime,
    /// A packet type that the codec's tag format does not know.
    #[error("the packet type is unknown")]
    PacketType,
}

/// A codec that an FLV or RTMP publisher may send and heliu does not carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Foreign {
    /// ITU-T H.265, by FourCC or by the codec id 12 that some encoders use.
    H265,
    /// AOMedia AV1.
    Av1,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// MPEG layer 3.
    Mp3,
    /// Speex.
    Speex,
    /// G.711, A-law or µ-law.
    G711,
    /// Any other picture codec.
    OtherVideo,
    /// Any other sound codec.
    OtherAudio,
}

impl std::fmt::Display for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::H265 => "h265",
            Self::Av1 => "av1",
            Self::Vp8 => "vp8",
            Self::Vp9 => "vp9",
            Self::Mp3 => "mp3",
            Self::Speex => "speex",
            Self::G711 => "g711",
            Self::OtherVideo => "other video",
            Self::OtherAudio => "other audio",
        })
    }
}

/// How often each reason occurred. Bounded by the number of reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discards(BTreeMap<Discard, u64>);

impl Discards {
    /// One more of this reason.
    pub fn count(&mut self, reason: Discard) {
        *self.0.entry(reason).or_default() += 1;
    }

    /// All reasons together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Each reason that occurred, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (Discard, u64)> + '_ {
        self.0.iter().map(|(reason, count)| (*reason, *count))
    }
}
