//! Parameter sets and frames for tests.

use std::sync::Arc;

use bytes::Bytes;
use heliu_container::avc::{LengthSize, Record, from_nals, nals};
use heliu_container::flv::{FlvReader, TagReader};
use heliu_model::{Format, Frame, Kind, MediaTime, OpusFormat};

/// x264, High profile, 640x360, id 0, two reordered pictures.
pub(crate) const SPS: &[u8] = &[
    0x67, 0x64, 0x00, 0x1E, 0xAC, 0xD9, 0x40, 0xA0, 0x2F, 0xF9, 0x70, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00,
    0x03, 0x00, 0x3C, 0x0F, 0x16, 0x2D, 0x96,
];
/// x264, Baseline profile, 320x240, id 0.
pub(crate) const SPS_BASELINE: &[u8] = &[
    0x67, 0x42, 0xC0, 0x0D, 0xD9, 0x01, 0x41, 0xFB, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03,
    0x20, 0xF1, 0x42, 0xA4, 0x80,
];
/// x264, id 0.
pub(crate) const PPS: &[u8] = &[0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0];

pub(crate) fn format(sps: &[u8]) -> Arc<Format> {
    let sets = |nal: &[u8]| vec![Bytes::copy_from_slice(nal)];
    Arc::new(Format::H264(Record::new(sets(sps), sets(PPS)).unwrap().format().unwrap()))
}

pub(crate) fn picture(format: &Arc<Format>, millis: i64, is_key: bool, units: &[&[u8]]) -> Frame {
    let at = MediaTime::from_millis(millis);
    Frame { format: format.clone(), dts: at, pts: at, is_key, data: from_nals(units) }
}

pub(crate) fn sound(millis: i64, data: &[u8]) -> Frame {
    let (format, at) = (Arc::new(Format::Opus(OpusFormat { channels: 2 })), MediaTime::from_millis(millis));
    Frame { format, dts: at, pts: at, is_key: true, data: Bytes::copy_from_slice(data) }
}

/// The first slice of a picture, `len` bytes in all (at least 2).
pub(crate) fn slice(is_key: bool, len: usize, fill: u8) -> Vec<u8> {
    let mut nal = vec![fill; len];
    nal[..2].copy_from_slice(if is_key { &[0x65, 0x88] } else { &[0x41, 0x9A] });
    nal
}

pub(crate) fn units(data: &[u8]) -> Vec<Vec<u8>> {
    nals(data, LengthSize::Four).map(|nal| nal.unwrap().to_vec()).collect()
}

/// The pictures of an FLV file.
pub(crate) fn flv_frames(file: &'static [u8]) -> Vec<Frame> {
    let (mut tags, mut reader) = (TagReader::new(), FlvReader::new());
    tags.handle_bytes(file);
    let mut frames = Vec::new();
    while let Some(tag) = tags.poll().unwrap() {
        if tag.kind != Some(Kind::Video) {
            continue;
        }
        let Ok(Some(frame)) = reader.handle_video(tag.timestamp_ms, tag.body) else { continue };
        let (dts, pts) = (MediaTime::from_millis(frame.dts_ms), MediaTime::from_millis(frame.pts_ms));
        frames.push(Frame { format: frame.format, dts, pts, is_key: frame.is_key, data: frame.data });
    }
    frames
}
