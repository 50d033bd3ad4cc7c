//! The codecs that are carried as packets, and where a receiver may begin.
//!
//! [`starts_keyframe`] looks at the first bytes of one payload and keeps nothing, so that the packets of
//! a codec that heliu does not decode are forwarded too.

use heliu_container::avc::{NAL_IDR, NAL_SPS, nal_type};
use heliu_model::Kind;

use crate::h264::{FU_A, FU_START, STAP_A};

/// A codec with an RTP payload format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// RFC 6184, packetization mode 1.
    H264,
    /// RFC 7741.
    Vp8,
    /// RFC 7587.
    Opus,
}

impl Codec {
    /// Sound or pictures.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::H264 | Self::Vp8 => Kind::Video,
            Self::Opus => Kind::Audio,
        }
    }

    /// Timestamp units per second.
    #[must_use]
    pub fn clock_rate(self) -> u32 {
        match self {
            Self::H264 | Self::Vp8 => 90_000,
            Self::Opus => 48_000,
        }
    }

    /// As in `a=rtpmap`; compared without case.
    #[must_use]
    pub fn encoding_name(self) -> &'static str {
        match self {
            Self::H264 => "H264",
            Self::Vp8 => "VP8",
            Self::Opus => "opus",
        }
    }
}

/// Whether a receiver may begin with the packet of this payload: it holds the first of an H.264
/// sequence parameter set or the first slice of an IDR picture (alone, in a STAP-A, or as the first
/// fragment of a FU-A), or the first bytes of a VP8 keyframe. Any sound.
///
/// A keyframe may have two of them, its parameter sets and its first slice: the earlier one is where to
/// begin.
#[must_use]
pub fn starts_keyframe(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::H264 => starts_idr(payload),
        Codec::Vp8 => vp8_frame(payload).is_some_and(|frame| frame[0] & 1 == 0),
        Codec::Opus => true,
    }
}

fn starts_idr(payload: &[u8]) -> bool {
    match (nal_type(payload), payload) {
        (STAP_A, [_, rest @ ..]) => aggregated(rest).any(is_first),
        (FU_A, [_, header, rest @ ..]) => header & FU_START != 0 && is_first_of(header & 0x1F, rest),
        _ => is_first(payload),
    }
}

/// The NAL units of a STAP-A behind its header, up to the first length that lies.
pub(crate) fn aggregated(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (len, after) = rest.split_first_chunk()?;
        let (nal, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        rest = after;
        Some(nal)
    })
}

fn is_first(nal: &[u8]) -> bool {
    nal.split_first().is_some_and(|(_, rest)| is_first_of(nal_type(nal), rest))
}

/// `first_mb_in_slice`, an Exp-Golomb number, begins a slice: 0 is a single set bit.
fn is_first_of(kind: u8, rest: &[u8]) -> bool {
    kind == NAL_SPS || kind == NAL_IDR && rest.first().is_some_and(|byte| byte & 0x80 != 0)
}

/// The first bytes of a VP8 frame, if the payload begins one (RFC 7741 §4.2). Not empty.
fn vp8_frame(payload: &[u8]) -> Option<&[u8]> {
    let (&first, mut rest) = payload.split_first()?;
    if first & 0x80 != 0 {
        let (&present, after) = rest.split_first()?;
        let picture_id = match (present & 0x80 != 0, after.first()) {
            (false, _) => 0,
            (true, Some(id)) => 1 + usize::from(id >> 7),
            (true, None) => return None,
        };
        let level_index = usize::from(present & 0x40 != 0);
        let layer = usize::from(present & 0x30 != 0);
        rest = after.get(picture_id + level_index + layer..)?;
    }
    let begins_partition_zero = first & 0x10 != 0 && first & 0x07 == 0;
    (begins_partition_zero && !rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use rtp::codec::vp8::Vp8Packet;
    use rtp::packetizer::Depacketizer;

    use super::*;

    #[test]
    fn an_h264_keyframe_begins_with_its_sets_or_its_first_slice() {
        for (what, payload, want) in [
            ("nothing", &[][..], false),
            ("a bare header", &[0x65], false),
            ("an IDR slice", &[0x65, 0x88], true),
            ("its second slice", &[0x65, 0x40], false),
            ("a slice", &[0x41, 0x88], false),
            ("an SPS", &[0x67, 0x42], true),
            ("a PPS", &[0x68, 0xCE], false),
            ("STAP-A with an SPS", &[0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xCE], true),
            ("STAP-A with an AUD first", &[0x78, 0, 2, 0x09, 0x10, 0, 2, 0x65, 0x88], true),
            ("STAP-A with slices", &[0x78, 0, 2, 0x41, 0x88], false),
            ("STAP-A with a length that lies", &[0x78, 0, 9, 0x65, 0x88], false),
            ("STAP-A without lengths", &[0x78], false),
            ("the first fragment", &[0x7C, 0x85, 0x88], true),
            ("one in the middle", &[0x7C, 0x05, 0x88], false),
            ("the first of another slice", &[0x7C, 0x81, 0x88], false),
            ("FU-A without a header", &[0x7C], false),
        ] {
            assert_eq!(starts_keyframe(Codec::H264, payload), want, "{what}");
        }
    }

    #[test]
    fn a_vp8_keyframe_begins_in_partition_zero() {
        for (what, payload, want) in [
            ("nothing", &[][..], false),
            ("a bare descriptor", &[0x10], false),
            ("a keyframe", &[0x10, 0x00], true),
            ("a delta frame", &[0x10, 0x01], false),
            ("another partition", &[0x11, 0x00], false),
            ("a continuation", &[0x00, 0x00], false),
            ("a short picture id", &[0x90, 0x80, 0x7F, 0x00], true),
            ("a long picture id", &[0x90, 0x80, 0xFF, 0x01, 0x00], true),
            ("every field", &[0x90, 0xF0, 0x81, 0x02, 0x03, 0x04, 0x00], true),
            ("cut in the fields", &[0x90, 0xF0, 0x81, 0x02], false),
        ] {
            assert_eq!(starts_keyframe(Codec::Vp8, payload), want, "{what}");
        }
    }

    #[test]
    fn any_sound_is_a_beginning() {
        assert!(starts_keyframe(Codec::Opus, &[]));
    }

    proptest! {
        #[test]
        fn the_library_finds_the_same_vp8_frames(payload in proptest::collection::vec(any::<u8>(), 0..12), first in 0x80_u8..) {
            for payload in [payload.clone(), [&[first][..], &payload].concat()] {
                let payload = Bytes::from(payload);
                let mut packet = Vp8Packet::default();
                // The library wants four bytes of everything.
                let Ok(frame) = packet.depacketize(&payload) else { continue };
                let begins = packet.s == 1 && packet.pid == 0;
                prop_assert_eq!(vp8_frame(&payload), begins.then_some(&frame[..]));
            }
        }

        #[test]
        fn arbitrary_payloads_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..40), first in any::<u8>()) {
            for codec in [Codec::H264, Codec::Vp8] {
                let _ = starts_keyframe(codec, &payload);
                let _ = starts_keyframe(codec, &[&[first][..], &payload].concat());
            }
        }
    }
}
