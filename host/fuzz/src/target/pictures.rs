//! The way of a publisher's pictures into our decoder: a sized record, then access units of a flag byte
//! (bit 0: key) and a sized body each.
//!
//! The decoder's library never meets what our checks refuse and never crashes, and pictures are within
//! bounds.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use heliu_codec::{Undecodable, VideoDecoder, VideoOutput};
use heliu_container::avc::decodable;
use heliu_model::{Format, Frame, H264Format, MediaTime, Size};

use crate::bench::Bench;
use crate::script::Script;

/// Enough for every reference and reordered picture.
const UNITS_MAX: i64 = 24;
const AREA_MAX: u32 = 4096 * 2304;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let record = Bytes::copy_from_slice(script.sized());
    let format = H264Format { record, size: Size { width: 0, height: 0 }, frame_rate: None };
    let is_decodable = decodable(&format).is_ok();
    let format = Arc::new(Format::H264(format));
    let mut bench = Bench::take();
    let mut decoder = VideoDecoder::new(&bench.pool, Arc::new(|| {}));
    for at in 0..UNITS_MAX {
        if script.is_empty() {
            break;
        }
        let is_key = script.byte() & 1 == 1;
        let time = MediaTime::from_millis(at * 40);
        let data = Bytes::copy_from_slice(script.sized());
        decoder.submit(Frame { format: Arc::clone(&format), dts: time, pts: time, is_key, data }, Instant::now());
        bench.settle();
        while let Some(output) = decoder.poll() {
            check(&output, is_decodable);
        }
    }
}

fn check(output: &VideoOutput, is_decodable: bool) {
    match output {
        VideoOutput::Picture { picture, .. } => {
            let size = picture.size();
            assert!(is_decodable && size.width * size.height <= AREA_MAX, "{size:?}");
        }
        VideoOutput::NeedKeyframe => {}
        VideoOutput::Dead(reason) => assert_ne!(*reason, Undecodable::Crashed),
    }
}
