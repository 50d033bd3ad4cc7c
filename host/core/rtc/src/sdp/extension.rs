//! RTP header extensions of a section (RFC 8285 §5 and §7).

use crate::line::ExtensionIds;

/// Extensions that this side knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extension {
    Mid,
    Rid,
    RepairedRid,
    AudioLevel,
    Twcc,
    Orientation,
}

/// One `a=extmap` that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ExtMap {
    pub(super) id: u8,
    pub(super) extension: Extension,
    /// The peer sends it.
    pub(super) is_sent: bool,
    /// The peer takes it.
    pub(super) is_received: bool,
}

impl Extension {
    pub(super) const fn uri(self) -> &'static str {
        match self {
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::Twcc => "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            Self::Orientation => "urn:3gpp:video-orientation",
        }
    }

    const ALL: [Self; 6] = [Self::Mid, Self::Rid, Self::RepairedRid, Self::AudioLevel, Self::Twcc, Self::Orientation];

    /// Its number, as an agreed line keeps it.
    pub(super) fn slot(self, ids: &mut ExtensionIds) -> &mut Option<u8> {
        match self {
            Self::Mid => &mut ids.mid,
            Self::Rid => &mut ids.rid,
            Self::RepairedRid => &mut ids.repaired_rid,
            Self::AudioLevel => &mut ids.audio_level,
            Self::Twcc => &mut ids.twcc,
            Self::Orientation => &mut ids.orientation,
        }
    }
}

impl ExtMap {
    /// Reads `4 urn:…` and `4/recvonly urn:… attributes`. `None`: malformed, unknown, or a number that no
    /// packet can carry (15 ends a one-byte block, RFC 8285 §4.2).
    pub(super) fn read(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let (id, direction) = match words.next()?.split_once('/') {
            Some((id, direction)) => (id, Some(direction)),
            None => (value.split_ascii_whitespace().next()?, None),
        };
        let id = id.parse().ok().filter(|id| matches!(id, 1..=14 | 16..))?;
        let uri = words.next()?;
        let extension = Extension::ALL.into_iter().find(|extension| extension.uri() == uri)?;
        let (is_sent, is_received) = match direction {
            None | Some("sendrecv") => (true, true),
            Some("sendonly") => (true, false),
            Some("recvonly") => (false, true),
            Some(_) => (false, false),
        };
        Some(Self { id, extension, is_sent, is_received })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_extensions_are_read_with_their_direction() {
        let mid = Extension::Mid.uri();
        for (value, want) in [
            (format!("4 {mid}"), Some((4, true, true))),
            (format!("255 {mid} some attributes"), Some((255, true, true))),
            (format!("2/recvonly {mid}"), Some((2, false, true))),
            (format!("2/sendonly {mid}"), Some((2, true, false))),
            (format!("2/inactive {mid}"), Some((2, false, false))),
            (format!("0 {mid}"), None),
            (format!("15 {mid}"), None),
            (format!("256 {mid}"), None),
            (format!("-1 {mid}"), None),
            ("4 urn:unknown".to_owned(), None),
            ("4".to_owned(), None),
            (String::new(), None),
        ] {
            let read = ExtMap::read(&value);
            assert_eq!(read.map(|read| (read.id, read.is_sent, read.is_received)), want, "{value}");
        }
    }
}
