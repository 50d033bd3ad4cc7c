//! Reads the fixtures: FLV files of one track, made by ffmpeg 5.1 (x264, its own AAC encoder) as
//! `fixtures/README.md` tells.

use std::sync::Arc;

use bytes::Bytes;
use heliu_model::{AacFormat, Format, Frame, H264Format, MediaTime, Size};

pub fn frames(file: &[u8]) -> Vec<Frame> {
    let mut format = None;
    let mut frames = Vec::new();
    let mut rest = &file[13..];
    while rest.len() > 15 {
        let number = |at: usize| rest[at..at + 3].iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        let (kind, len, millis) = (rest[0], number(1), number(4) as i64);
        let body = &rest[11..11 + len];
        rest = &rest[11 + len + 4..];
        match (kind, body) {
            (8, [_, 0, config @ ..]) => format = Some(aac(config)),
            (8, [_, 1, data @ ..]) => frames.push(frame(format.clone(), millis, 0, true, data)),
            (9, [_, 0, _, _, _, record @ ..]) => format = Some(h264(record)),
            (9, [head, 1, a, b, c, data @ ..]) => {
                let offset = i64::from(i32::from_be_bytes([*a, *b, *c, 0]) >> 8);
                frames.push(frame(format.clone(), millis, offset, head >> 4 == 1, data));
            }
            _ => {}
        }
    }
    frames
}

fn frame(format: Option<Arc<Format>>, millis: i64, offset: i64, is_key: bool, data: &[u8]) -> Frame {
    let [dts, pts] = [millis, millis + offset].map(MediaTime::from_millis);
    Frame { format: format.unwrap(), dts, pts, is_key, data: Bytes::copy_from_slice(data) }
}

fn h264(record: &[u8]) -> Arc<Format> {
    let size = Size { width: 0, height: 0 };
    Arc::new(Format::H264(H264Format { record: Bytes::copy_from_slice(record), size, frame_rate: None }))
}

fn aac(config: &[u8]) -> Arc<Format> {
    let config = Bytes::copy_from_slice(config);
    Arc::new(Format::Aac(AacFormat { config, sample_rate: 44_100, channels: 6 }))
}
