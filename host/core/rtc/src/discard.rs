//! Why a datagram, or a part of one, was dropped. Strangers' bytes are no errors: they are counted.

/// Each is counted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discard {
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
    /// No RTP, or no RTCP, that could have been sealed.
    SrtpMalformed,
    /// The tag is not that of the peer's key.
    SrtpUnauthenticated,
    /// Seen before, or so old that nobody knows.
    SrtpReplayed,
    /// The peer uses more SSRCs than are kept track of.
    SrtpStreamsFull,
}

impl Discard {
    /// All reasons.
    pub const ALL: [Self; 11] = [
        Self::StunMalformed,
        Self::StunForeign,
        Self::StunUnauthenticated,
        Self::DtlsMalformed,
        Self::DtlsExcess,
        Self::DtlsUnexpected,
        Self::DtlsRepeated,
        Self::SrtpMalformed,
        Self::SrtpUnauthenticated,
        Self::SrtpReplayed,
        Self::SrtpStreamsFull,
    ];

    /// As metrics call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::StunMalformed => "stun_malformed",
            Self::StunForeign => "stun_foreign",
            Self::StunUnauthenticated => "stun_unauthenticated",
            Self::DtlsMalformed => "dtls_malformed",
            Self::DtlsExcess => "dtls_excess",
            Self::DtlsUnexpected => "dtls_unexpected",
            Self::DtlsRepeated => "dtls_repeated",
            Self::SrtpMalformed => "srtp_malformed",
            Self::SrtpUnauthenticated => "srtp_unauthenticated",
            Self::SrtpReplayed => "srtp_replayed",
            Self::SrtpStreamsFull => "srtp_streams_full",
        }
    }
}
