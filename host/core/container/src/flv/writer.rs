//! Frames to tag bodies.
//!
//! A body is a short prefix and the frame's own bytes, so whoever sends it puts both into one message
//! and no frame is copied for its header's sake.

use bytes::{BufMut, Bytes, BytesMut};
use heliu_model::{Format, Frame};

use super::{AAC_FLAGS, FRAME_INTER, FRAME_KEY, PACKET_END, PACKET_FRAME, PACKET_SEQUENCE_HEADER, VIDEO_AVC};

/// Video tag body that ends an H.264 track.
pub const END_OF_SEQUENCE: [u8; 5] = [FRAME_KEY << 4 | VIDEO_AVC, PACKET_END, 0, 0, 0];

const COMPOSITION_MS_MAX: i64 = 0x7F_FFFF;

/// Has FLV a number for this codec? What it has none for is not put into it.
#[must_use]
pub fn carries(format: &Format) -> bool {
    match format {
        Format::H264(_) | Format::Aac(_) => true,
        Format::Opus(_) => false,
    }
}

/// The tag body that a player needs before the first frame of this format, and at each change of it.
/// `None`: FLV does not carry it.
#[must_use]
pub fn sequence_header(format: &Format) -> Option<Bytes> {
    let (prefix, config): (&[u8], &Bytes) = match format {
        Format::H264(format) => (&[FRAME_KEY << 4 | VIDEO_AVC, PACKET_SEQUENCE_HEADER, 0, 0, 0], &format.record),
        Format::Aac(format) => (&[AAC_FLAGS, PACKET_SEQUENCE_HEADER], &format.config),
        Format::Opus(_) => return None,
    };
    let mut body = BytesMut::with_capacity(prefix.len() + config.len());
    body.put_slice(prefix);
    body.put_slice(config);
    Some(body.freeze())
}

/// What stands before a frame's bytes in its tag body. `None`: FLV does not carry it.
#[must_use]
pub fn frame_prefix(frame: &Frame) -> Option<Prefix> {
    match *frame.format {
        Format::H264(_) => {
            let kind = if frame.is_key { FRAME_KEY } else { FRAME_INTER };
            let composition_ms =
                frame.pts.as_millis().saturating_sub(frame.dts.as_millis()).clamp(0, COMPOSITION_MS_MAX);
            let [.., high, middle, low] = composition_ms.to_be_bytes();
            Some(Prefix { bytes: [kind << 4 | VIDEO_AVC, PACKET_FRAME, high, middle, low], len: 5 })
        }
        Format::Aac(_) => Some(Prefix { bytes: [AAC_FLAGS, PACKET_FRAME, 0, 0, 0], len: 2 }),
        Format::Opus(_) => None,
    }
}

/// The first bytes of a tag body: five for H.264, two for AAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    bytes: [u8; 5],
    len: usize,
}

impl AsRef<[u8]> for Prefix {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use heliu_model::{H264Format, MediaTime, OpusFormat, Size};

    use super::*;
    use crate::aac;

    #[test]
    fn headers_carry_the_config_behind_their_prefix() {
        assert_eq!(&sequence_header(&h264()).unwrap()[..], b"\x17\0\0\0\0record");
        let aac = Format::Aac(aac::format(48_000, 2).unwrap());
        assert_eq!(&sequence_header(&aac).unwrap()[..], [0xAF, 0, 0x11, 0x90]);
    }

    #[test]
    fn prefixes_tell_key_and_composition_time() {
        let aac = Format::Aac(aac::format(48_000, 2).unwrap());
        for (what, format, is_key, pts_ms, want) in [
            ("a key", h264(), true, 100, &[0x17, 1, 0, 0, 0][..]),
            ("a delta shown later", h264(), false, 100 + 0x01_0203, &[0x27, 1, 1, 2, 3]),
            ("shown before it is decoded", h264(), false, 60, &[0x27, 1, 0, 0, 0]),
            ("shown in a year", h264(), false, 31_536_000_000, &[0x27, 1, 0x7F, 0xFF, 0xFF]),
            ("sound", aac, true, 100, &[0xAF, 1]),
        ] {
            let frame = Frame {
                format: Arc::new(format),
                dts: MediaTime::from_millis(100),
                pts: MediaTime::from_millis(pts_ms),
                is_key,
                data: Bytes::new(),
            };
            assert_eq!(frame_prefix(&frame).unwrap().as_ref(), want, "{what}");
        }
    }

    #[test]
    fn a_codec_without_a_number_is_not_carried() {
        let opus = Format::Opus(OpusFormat { channels: 2 });
        assert!(!carries(&opus) && carries(&h264()));
        assert_eq!(sequence_header(&opus), None);
        let dts = MediaTime::ZERO;
        let frame = Frame { format: Arc::new(opus), dts, pts: dts, is_key: true, data: Bytes::from_static(&[0xFC]) };
        assert_eq!(frame_prefix(&frame), None);
    }

    fn h264() -> Format {
        let record = Bytes::from_static(b"record");
        Format::H264(H264Format { record, size: Size { width: 16, height: 16 }, frame_rate: None })
    }
}
