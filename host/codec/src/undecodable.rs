//! Why a track cannot be decoded.

/// Nothing comes from this decoder until a frame with another format arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// The headers tell that our decoders do not take it.
    #[error(transparent)]
    Format(#[from] heliu_container::Undecodable),

    /// A picture decoder was given sound, or the reverse.
    #[error("another kind of media than this decoder's")]
    Kind,

    /// The codec library does not take this profile or tool.
    #[error("refused by the codec")]
    Refused,

    /// The codec panicked; this decoder stays dead whatever arrives.
    #[error("the codec crashed")]
    Crashed,
}
