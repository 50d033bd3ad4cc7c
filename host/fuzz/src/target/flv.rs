//! FLV tag bodies of one publisher: a kind, four bytes of time and a sized body each.
//!
//! Every frame keeps the promises of `FlvFrame`, and its format and its bytes survive being written for
//! a player and read again.

use std::sync::Arc;

use bytes::Bytes;
use heliu_container::avc::{LengthSize, Record, nals};
use heliu_container::flv::{FlvFrame, FlvReader, frame_prefix, sequence_header};
use heliu_model::{Format, Frame, Kind, MediaTime};

use crate::script::Script;

const COMPOSITION_MS_MAX: i64 = 10_000;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let mut reader = FlvReader::new();
    let (mut tags, mut dropped) = (0_u64, 0_u64);
    while !script.is_empty() {
        let is_video = script.byte() & 1 == 1;
        let timestamp = script.long();
        let body = Bytes::copy_from_slice(script.sized());
        let outcome =
            if is_video { reader.handle_video(timestamp, body) } else { reader.handle_audio(timestamp, body) };
        tags += 1;
        match outcome {
            Ok(Some(frame)) => check(&frame, is_video),
            Ok(None) => {}
            Err(_) => dropped += 1,
        }
    }
    assert!(dropped <= tags && reader.discards().total() == dropped, "each dropped tag counts once");
}

fn check(frame: &FlvFrame, is_video: bool) {
    let kind = if is_video { Kind::Video } else { Kind::Audio };
    assert_eq!(frame.format.kind(), kind);
    let composition_ms = frame.pts_ms - frame.dts_ms;
    assert!((0..=COMPOSITION_MS_MAX).contains(&composition_ms), "{composition_ms} ms");
    if let Format::H264(format) = &*frame.format {
        let record = Record::parse(&format.record).expect("a format's record reads");
        assert!(record.length_size() == LengthSize::Four && !record.sps().is_empty());
        assert!(nals(&frame.data, LengthSize::Four).all(|nal| nal.is_ok()), "lengths add up");
    }
    let again = read_again(frame);
    assert_eq!(again.format, frame.format, "the format survives");
    assert_eq!(again.data, frame.data, "the bytes survive");
    assert_eq!((again.is_key, again.pts_ms - again.dts_ms), (frame.is_key, composition_ms));
}

/// Written as for a player, read as from a publisher.
fn read_again(frame: &FlvFrame) -> FlvFrame {
    let mut reader = FlvReader::new();
    let header = sequence_header(&frame.format).expect("what was read can be written");
    let written = Frame {
        format: Arc::clone(&frame.format),
        dts: MediaTime::ZERO,
        pts: MediaTime::from_millis(frame.pts_ms - frame.dts_ms),
        is_key: frame.is_key,
        data: frame.data.clone(),
    };
    let prefix = frame_prefix(&written).expect("what was read can be written");
    let body: Bytes = [prefix.as_ref(), &written.data].concat().into();
    let (told, read) = match frame.format.kind() {
        Kind::Video => (reader.handle_video(0, header), reader.handle_video(0, body)),
        Kind::Audio => (reader.handle_audio(0, header), reader.handle_audio(0, body)),
    };
    assert!(matches!(told, Ok(None)), "a header of ours reads: {told:?}");
    read.expect("a body of ours reads").expect("and is a frame")
}
