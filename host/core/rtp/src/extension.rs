//! What the header extensions say that heliu reads: their values, not where they stand.
//!
//! The formats are the library's; ids are negotiated per session (RFC 8285 §5).

use rtc_shared::marshal::Unmarshal;
use rtp::extension::audio_level_extension::AudioLevelExtension;
use rtp::extension::transport_cc_extension::TransportCcExtension;
use rtp::extension::video_orientation_extension::VideoOrientationExtension;

/// `a=extmap` of [`audio_level`].
pub const URI_AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/// `a=extmap` of the media identification (RFC 9143 §14); its value is the mid as text.
pub const URI_MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// `a=extmap` of the restriction identifier of a simulcast layer (RFC 8852); its value is text.
pub const URI_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
/// `a=extmap` of [`transport_sequence`].
pub const URI_TRANSPORT_SEQUENCE: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// `a=extmap` of [`orientation`].
pub const URI_ORIENTATION: &str = "urn:3gpp:video-orientation";

/// How loud the packet's sound is in -dBov, 0 (loudest) to 127 (silence) (RFC 6464).
#[must_use]
pub fn audio_level(mut value: &[u8]) -> Option<u8> {
    AudioLevelExtension::unmarshal(&mut value).ok().map(|extension| extension.level)
}

/// The number that counts all packets of a transport, whatever their stream, and rolls over
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2).
#[must_use]
pub fn transport_sequence(mut value: &[u8]) -> Option<u16> {
    TransportCcExtension::unmarshal(&mut value).ok().map(|extension| extension.transport_sequence)
}

/// Quarter turns clockwise, 0 to 3, by which a picture is turned to stand upright (3GPP TS 26.114
/// §7.4.5). Which camera it was and whether it mirrors is left out.
#[must_use]
pub fn orientation(mut value: &[u8]) -> Option<u8> {
    VideoOrientationExtension::unmarshal(&mut value).ok().map(|extension| extension.rotation as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_and_what_is_too_short_is_nothing() {
        for (value, want) in [
            (&[][..], (None, None, None)),
            (&[0x8A], (Some(10), None, Some(2))),
            (&[0x7F, 0x01], (Some(127), Some(0x7F01), Some(3))),
            (&[0xFF, 0xFF, 0], (Some(127), Some(u16::MAX), Some(3))),
        ] {
            assert_eq!((audio_level(value), transport_sequence(value), orientation(value)), want, "{value:?}");
        }
    }
}
