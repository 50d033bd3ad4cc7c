//! Why a datagram, or a part of one, was dropped. Strangers' bytes are no errors: they are counted.

/// Each is counted in [`Discards`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discard {
    /// Neither STUN nor DTLS nor RTP (RFC 7983).
    Unknown,
    /// From an address that was not checked.
    Unvalidated,
    /// The session is over.
    Closed,
    /// No binding request, or none that is whole.
    StunMalformed,
    /// Under a username that is not this session's.
    StunForeign,
    /// Signed with another password.
    StunUnauthenticated,
    /// Not made of DTLS records that can be part of a handshake, or nothing came of it.
    DtlsMalformed,
    /// More than a handshake can need.
    DtlsExcess,
    /// Nobody waits for it.
    DtlsUnexpected,
    /// A part of the handshake that was there before.
    DtlsRepeated,
    /// SRTP before there are keys.
    SrtpEarly,
    /// No RTP, or no RTCP, that could have been sealed.
    SrtpMalformed,
    /// The tag is not that of the peer's key.
    SrtpUnauthenticated,
    /// Seen before, or so old that nobody knows.
    SrtpReplayed,
    /// The peer uses more SSRCs than are kept track of.
    SrtpStreamsFull,
    /// RTP that is none inside.
    RtpMalformed,
    /// On no line that receives: by SSRC, mid and payload type.
    RtpForeign,
    /// Of a payload type that its line has not agreed on, or a retransmission of nothing.
    RtpPayloadType,
    /// Padding that probes bandwidth: a retransmission without content.
    RtpEmpty,
    /// It came before, by itself or as a retransmission.
    RtpDuplicate,
    /// So late that nobody waits for it.
    RtpLate,
    /// Its number leads nowhere near the others.
    RtpJump,
    /// RTCP that is none inside.
    RtcpMalformed,
    /// More packets are asked for again than were sent.
    NackExcess,
    /// The caller does not fetch what it is told.
    EventsFull,
    /// More is to be sent than is fetched.
    OutboxFull,
}

const REASONS: [(Discard, &str); 26] = [
    (Discard::Unknown, "unknown"),
    (Discard::Unvalidated, "unvalidated"),
    (Discard::Closed, "closed"),
    (Discard::StunMalformed, "stun_malformed"),
    (Discard::StunForeign, "stun_foreign"),
    (Discard::StunUnauthenticated, "stun_unauthenticated"),
    (Discard::DtlsMalformed, "dtls_malformed"),
    (Discard::DtlsExcess, "dtls_excess"),
    (Discard::DtlsUnexpected, "dtls_unexpected"),
    (Discard::DtlsRepeated, "dtls_repeated"),
    (Discard::SrtpEarly, "srtp_early"),
    (Discard::SrtpMalformed, "srtp_malformed"),
    (Discard::SrtpUnauthenticated, "srtp_unauthenticated"),
    (Discard::SrtpReplayed, "srtp_replayed"),
    (Discard::SrtpStreamsFull, "srtp_streams_full"),
    (Discard::RtpMalformed, "rtp_malformed"),
    (Discard::RtpForeign, "rtp_foreign"),
    (Discard::RtpPayloadType, "rtp_payload_type"),
    (Discard::RtpEmpty, "rtp_empty"),
    (Discard::RtpDuplicate, "rtp_duplicate"),
    (Discard::RtpLate, "rtp_late"),
    (Discard::RtpJump, "rtp_jump"),
    (Discard::RtcpMalformed, "rtcp_malformed"),
    (Discard::NackExcess, "nack_excess"),
    (Discard::EventsFull, "events_full"),
    (Discard::OutboxFull, "outbox_full"),
];

/// How often each reason occurred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Discards([u64; REASONS.len()]);

impl Discard {
    /// As metrics call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        REASONS[self as usize].1
    }
}

impl Discards {
    /// One more of this reason.
    pub fn count(&mut self, reason: Discard) {
        self.0[reason as usize] += 1;
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

    /// Every reason with its count, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (Discard, u64)> + '_ {
        REASONS.iter().zip(self.0).map(|((reason, _), count)| (*reason, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_place_and_its_name() {
        for (at, (reason, name)) in REASONS.into_iter().enumerate() {
            assert_eq!((reason as usize, reason.name()), (at, name));
            let mut discards = Discards::default();
            discards.count(reason);
            assert_eq!((discards.of(reason), discards.total()), (1, 1));
        }
    }
}
