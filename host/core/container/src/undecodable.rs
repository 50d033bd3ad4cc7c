//! Why a format is forwarded but not decoded.

use heliu_model::Size;

/// Our decoders do not take this format. It is still a format: players may receive it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// H.264 parameter sets that do not parse.
    #[error("the H.264 parameter sets are malformed")]
    BadParameterSets,
    /// Anything but 4:2:0; the value is `chroma_format_idc` (ITU-T H.264 §7.4.2.1.1).
    #[error("H.264 with chroma format {0} is not decoded, only 4:2:0")]
    Chroma(u8),
    /// Anything but 8 bits per sample.
    #[error("H.264 with {0} bits per sample is not decoded, only 8")]
    BitDepth(u8),
    /// Fields, or macroblock-adaptive frames and fields.
    #[error("interlaced H.264 is not decoded")]
    Interlaced,
    /// Scalable or multi-view layers.
    #[error("H.264 with several layers is not decoded")]
    Layered,
    /// Coded or visible size out of bounds; the value is the coded one.
    #[error("{}x{} is out of the decoder's bounds", .0.width, .0.height)]
    Size(Size),
    /// More reference pictures than fit into the decoder's memory at their size; the value is their
    /// number.
    #[error("{0} H.264 reference pictures of this size are out of the decoder's bounds")]
    References(u32),
    /// An MPEG-4 audio object type whose core is not AAC-LC.
    #[error("MPEG-4 audio object type {0} is not decoded, only AAC-LC")]
    ObjectType(u8),
    /// Below 8 or above 96 kHz.
    #[error("{0} Hz is out of the decoder's bounds")]
    SampleRate(u32),
    /// Not 1 to 6 channels, or channels that only the stream itself describes (0).
    #[error("{0} channels are out of the decoder's bounds")]
    Channels(u8),
}
