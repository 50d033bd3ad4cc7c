//! From a publisher's socket to a player's: RTMP messages to tags, tags to frames, frames on the room's
//! clock, and back into RTMP messages, which mean the same to who reads them.
//!
//! The script: a seed, then a kind, four bytes of time and a sized body for each tag.

use bytes::Bytes;
use heliu_container::Timeline;
use heliu_container::flv::{FlvFrame, FlvReader, frame_prefix, sequence_header};
use heliu_model::{Format, Frame, Kind, MediaTime};
use heliu_rtmp::{Media, MediaKind, ServerEvent, media_message};

use crate::script::Script;
use crate::wire::{Answer, feed, hear, publishing};

/// Between two tags, as they arrive.
const STEP_MS: i64 = 20;
/// Behind the room's zero, so that no time on the wire is negative.
const START: i64 = 1_000;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let seed = script.byte();
    let mut wire = Vec::new();
    while !script.is_empty() {
        let kind = if script.byte() & 1 == 1 { MediaKind::Video } else { MediaKind::Audio };
        wire.extend_from_slice(&media_message(kind, script.long(), 1, &[script.sized()]));
    }
    let heard = hear(publishing, &wire, seed, Answer::Accept);
    let frames = placed(&read(&heard.events));
    let written: Vec<u8> = frames.iter().flat_map(|frame| [header(frame), body(frame)].concat()).collect();
    let again = read(&feed(&mut publishing(), &[&written], Answer::Accept).events);
    assert_eq!(again.len(), frames.len(), "every frame arrives");
    for (again, frame) in again.iter().zip(&frames) {
        assert_eq!((&again.format, &again.data, again.is_key), (&frame.format, &frame.data, frame.is_key));
    }
}

fn read(events: &[ServerEvent]) -> Vec<FlvFrame> {
    let mut reader = FlvReader::new();
    let frames = events.iter().filter_map(|event| match event {
        ServerEvent::Media(Media::Audio { timestamp, body }) => reader.handle_audio(*timestamp, body.clone()).ok()?,
        ServerEvent::Media(Media::Video { timestamp, body }) => reader.handle_video(*timestamp, body.clone()).ok()?,
        ServerEvent::Media(Media::Metadata(_))
        | ServerEvent::PublishRequested(_)
        | ServerEvent::PlayRequested(_)
        | ServerEvent::Ended => None,
    });
    frames.collect()
}

fn placed(frames: &[FlvFrame]) -> Vec<Frame> {
    let mut timeline = Timeline::new();
    let mut last = [None::<MediaTime>; 2];
    let placed = frames.iter().zip(0..).map(|(frame, at)| {
        let kind = frame.format.kind();
        let mapped = timeline.map(kind, frame.dts_ms, frame.pts_ms, MediaTime::from_millis(at * STEP_MS));
        let last = &mut last[usize::from(kind == Kind::Video)];
        assert!(last.is_none_or(|last| last < mapped.dts) && mapped.dts <= mapped.pts, "time goes forward");
        *last = Some(mapped.dts);
        let FlvFrame { format, is_key, data, .. } = frame.clone();
        Frame { format, dts: mapped.dts, pts: mapped.pts, is_key, data }
    });
    placed.collect()
}

fn header(frame: &Frame) -> Bytes {
    let header = sequence_header(&frame.format).expect("what was read can be written");
    media_message(kind(frame), wire_ms(frame), 1, &[&header])
}

fn body(frame: &Frame) -> Bytes {
    let prefix = frame_prefix(frame).expect("what was read can be written");
    media_message(kind(frame), wire_ms(frame), 1, &[prefix.as_ref(), &frame.data])
}

fn kind(frame: &Frame) -> MediaKind {
    match *frame.format {
        Format::H264(_) => MediaKind::Video,
        Format::Aac(_) | Format::Opus(_) => MediaKind::Audio,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it wraps on the wire")]
fn wire_ms(frame: &Frame) -> u32 {
    (frame.dts.as_millis() + START).cast_unsigned() as u32
}
