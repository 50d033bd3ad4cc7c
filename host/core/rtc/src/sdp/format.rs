//! One payload type of a section: what it stands for and what may be said about it.

use crate::line::Codec;

/// A number in an m-line, with what its attributes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    /// 0..=127.
    pub(super) payload_type: u8,
    pub(super) encoding: Option<Encoding>,
    /// Of `a=fmtp`, without the number.
    pub(super) parameters: String,
    pub(super) feedback: Feedback,
}

/// What `a=rtpmap` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Media {
        codec: Codec,
        clock_rate: u32,
    },
    /// Retransmissions (RFC 4588).
    Rtx {
        clock_rate: u32,
    },
}

/// What `a=rtcp-fb` says (RFC 4585 §4.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Feedback {
    pub(super) nack: bool,
    pub(super) pli: bool,
    pub(super) fir: bool,
    pub(super) twcc: bool,
}

impl Format {
    pub(super) fn new(payload_type: u8) -> Self {
        Self { payload_type, encoding: None, parameters: String::new(), feedback: Feedback::default() }
    }

    pub(super) fn codec(&self) -> Option<Codec> {
        match self.encoding {
            Some(Encoding::Media { codec, .. }) => Some(codec),
            Some(Encoding::Rtx { .. }) | None => None,
        }
    }
}

impl Encoding {
    /// Reads `opus/48000/2`. `None`: nothing for this side.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('/');
        let name = parts.next()?.to_ascii_lowercase();
        let clock_rate = parts.next()?.parse().ok()?;
        let channels = parts.next();
        match (name.as_str(), clock_rate, channels) {
            ("h264", 90_000, _) => Some(Self::Media { codec: Codec::H264, clock_rate }),
            ("vp8", 90_000, _) => Some(Self::Media { codec: Codec::Vp8, clock_rate }),
            // RFC 7587 §7: always 48 000 and 2, whatever is inside.
            ("opus", 48_000, Some("2")) => Some(Self::Media { codec: Codec::Opus, clock_rate }),
            ("rtx", _, _) => Some(Self::Rtx { clock_rate }),
            _ => None,
        }
    }
}

impl Feedback {
    /// Adds `nack pli` and its like; what is unknown adds nothing.
    pub(super) fn add(&mut self, text: &str) {
        let mut words = text.split_ascii_whitespace();
        match (words.next(), words.next()) {
            (Some("nack"), None) => self.nack = true,
            (Some("nack"), Some("pli")) => self.pli = true,
            (Some("ccm"), Some("fir")) => self.fir = true,
            (Some("transport-cc"), _) => self.twcc = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_flow_is_an_encoding() {
        let media = |codec, clock_rate| Some(Encoding::Media { codec, clock_rate });
        for (text, want) in [
            ("opus/48000/2", media(Codec::Opus, 48_000)),
            ("OPUS/48000/2", media(Codec::Opus, 48_000)),
            ("opus/48000", None),
            ("opus/16000/2", None),
            ("H264/90000", media(Codec::H264, 90_000)),
            ("VP8/90000", media(Codec::Vp8, 90_000)),
            ("rtx/90000", Some(Encoding::Rtx { clock_rate: 90_000 })),
            ("red/48000/2", None),
            ("VP9/90000", None),
            ("H264", None),
            ("H264/ninety", None),
            ("", None),
        ] {
            assert_eq!(Encoding::read(text), want, "{text}");
        }
    }
}
