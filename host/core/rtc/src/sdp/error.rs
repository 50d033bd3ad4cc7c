//! Why an offer has no answer.

use heliu_model::Kind;

/// The words are for the one who made the offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Over 64 KiB.
    #[error("the offer is longer than 64 KiB")]
    TooLong,
    /// Not a session description.
    #[error("line {0} of the offer is malformed")]
    Malformed(usize),
    /// More of something than anybody needs.
    #[error("the offer holds more than {max} {what}")]
    TooMany {
        /// Of what, in the plural.
        what: &'static str,
        /// How many are taken.
        max: usize,
    },
    /// Something that a transport cannot be made without.
    #[error("the offer has no usable {0}")]
    Missing(&'static str),
    /// Two m-lines are one.
    #[error("two m-lines of the offer have the same mid")]
    SameMid,
    /// Two ICE-lite sides wait for each other for ever.
    #[error("the offer is of an ICE-lite agent, as is this server: one side must check connectivity")]
    IceLite,
    /// Sound and pictures on different transports.
    #[error("the offer's m-lines are not in one BUNDLE group (RFC 9143)")]
    Unbundled,
    /// RTCP on a port of its own.
    #[error("an m-line of the offer lacks a=rtcp-mux (RFC 8858)")]
    NotMuxed,
    /// What is offered, or wanted, cannot be spoken here.
    #[error("the offer's {} has no usable codec: {wanted} is needed", name(.kind))]
    Codec {
        /// Of what.
        kind: Kind,
        /// What would do.
        wanted: &'static str,
    },
    /// Every m-line would be refused.
    #[error("the offer has no m-line for what may flow here: {0}")]
    Nothing(&'static str),
}

impl OfferError {
    /// Is the text itself wrong, and not merely what it asks for? The first is 400 in HTTP, the other 422
    /// (RFC 9725 §4.2).
    #[must_use]
    pub fn is_garbage(&self) -> bool {
        match self {
            Self::TooLong | Self::Malformed(_) | Self::TooMany { .. } | Self::Missing(_) | Self::SameMid => true,
            Self::IceLite | Self::Unbundled | Self::NotMuxed | Self::Codec { .. } | Self::Nothing(_) => false,
        }
    }
}

fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Audio => "sound",
        Kind::Video => "video",
    }
}
