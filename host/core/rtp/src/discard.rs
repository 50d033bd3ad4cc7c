//! Why a packet, or what it carried, was dropped, and how often.
//!
//! Bad input from the network is no error: whoever reads it drops it, counts the reason and goes on.

/// Why something was dropped. Whoever says so is unchanged after any of these, unless it says else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Discard {
    /// Shorter than its own header, or not of version 2.
    #[error("not an RTP or RTCP packet")]
    NotRtp,
    /// Longer than [`crate::DATAGRAM_LEN_MAX`] or [`crate::PAYLOAD_LEN_MAX`].
    #[error("the packet is too long")]
    TooLong,
    /// More padding than there is payload, or a count of zero.
    #[error("the padding is longer than the payload")]
    BadPadding,
    /// An RTCP packet whose lengths do not add up.
    #[error("the RTCP packet is malformed")]
    BadRtcp,
    /// A packet of this sequence number has been there.
    #[error("the packet is a duplicate")]
    Duplicate,
    /// Its place in the sequence is over: given up, or already passed on without it.
    #[error("the packet is too late")]
    TooLate,
    /// Its sequence number leads nowhere near the others; if the next one follows it, the source has
    /// begun anew.
    #[error("the sequence number jumps")]
    SequenceJump,
    /// A payload that breaks the grammar of its format.
    #[error("the payload is malformed")]
    BadPayload,
    /// A payload of a kind that its format has and nobody uses (STAP-B, MTAP, FU-B; RFC 6184 §5.2).
    #[error("the packetization mode is not carried")]
    Mode,
    /// A fragment without its beginning, or one that another packet came between.
    #[error("the fragment belongs to nothing")]
    LoneFragment,
    /// Pictures that nobody can decode yet: before the first keyframe, or behind a gap.
    #[error("the picture has no keyframe before it")]
    NoKeyframe,
    /// A keyframe whose parameter sets are unknown or malformed.
    #[error("the keyframe has no parameter sets")]
    NoParameterSets,
    /// An access unit over its bound of bytes or NAL units.
    #[error("the picture is too large")]
    TooLarge,
    /// A picture of which packets are missing.
    #[error("the picture is not whole")]
    Incomplete,
}

const REASONS: [Discard; 14] = [
    Discard::NotRtp,
    Discard::TooLong,
    Discard::BadPadding,
    Discard::BadRtcp,
    Discard::Duplicate,
    Discard::TooLate,
    Discard::SequenceJump,
    Discard::BadPayload,
    Discard::Mode,
    Discard::LoneFragment,
    Discard::NoKeyframe,
    Discard::NoParameterSets,
    Discard::TooLarge,
    Discard::Incomplete,
];

/// How often each reason occurred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Discards([u64; REASONS.len()]);

impl Discards {
    /// One more of this reason.
    pub fn count(&mut self, reason: Discard) {
        let count = &mut self.0[reason as usize];
        *count = count.saturating_add(1);
    }

    /// How often this reason occurred.
    #[must_use]
    pub fn of(&self, reason: Discard) -> u64 {
        self.0[reason as usize]
    }

    /// All reasons together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Each reason that occurred, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (Discard, u64)> + '_ {
        REASONS.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_counted_by_itself() {
        for (at, reason) in REASONS.into_iter().enumerate() {
            assert_eq!(reason as usize, at);
            let mut discards = Discards::default();
            discards.count(reason);
            assert_eq!(discards.iter().collect::<Vec<_>>(), [(reason, 1)]);
            assert_eq!((discards.of(reason), discards.total()), (1, 1));
        }
    }
}
