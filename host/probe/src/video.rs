//! The pictures of a stream: their coded form, and what our decoder makes of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use heliu_codec::{Pool, VideoDecoder, VideoOutput};
use heliu_container::avc::Record;
use heliu_container::flv::FlvFrame;
use heliu_model::{Format, Frame, H264Format, MediaTime};

use crate::Point;
use crate::report::VideoReport;
use crate::sight::Sight;
use crate::slice::is_b_picture;
use crate::timing::{Timing, thousandths};

/// How often a decoder that works is looked at.
const LOOK_EVERY: Duration = Duration::from_micros(200);

/// All that is known of the pictures.
pub(crate) struct Video {
    origin_ms: i64,
    format: Arc<Format>,
    format_changes: u64,
    timing: Timing,
    b_pictures: u64,
    decoder: VideoDecoder,
    sight: Sight,
    damaged: u64,
    undecodable: Option<String>,
}

impl Video {
    /// Begins with its first frame. `origin_ms`: the first time of the stream.
    pub(crate) fn new(first: &FlvFrame, origin_ms: i64, places: &[Point], pool: &Pool) -> Self {
        Self {
            origin_ms,
            format: first.format.clone(),
            format_changes: 0,
            timing: Timing::default(),
            b_pictures: 0,
            decoder: VideoDecoder::new(pool, Arc::new(|| {})),
            sight: Sight::new(places),
            damaged: 0,
            undecodable: None,
        }
    }

    /// Takes the next frame and waits until it is decoded: nothing is dropped, and whoever sends waits.
    pub(crate) fn handle(&mut self, frame: FlvFrame) {
        if *self.format != *frame.format {
            self.format_changes += 1;
            self.format = frame.format.clone();
        }
        self.timing.note(frame.dts_ms, frame.data.len(), frame.is_key);
        self.b_pictures += u64::from(is_b_picture(&frame.data));
        let FlvFrame { format, dts_ms, pts_ms, is_key, data } = frame;
        let [dts, pts] = [dts_ms, pts_ms].map(|at| MediaTime::from_millis(at - self.origin_ms));
        self.decoder.submit(Frame { format, dts, pts, is_key, data }, Instant::now());
        while !self.decoder.is_idle() {
            std::thread::sleep(LOOK_EVERY);
        }
        while let Some(output) = self.decoder.poll() {
            match output {
                VideoOutput::Picture { picture, pts } => self.sight.look(&picture, pts.as_millis()),
                VideoOutput::NeedKeyframe => self.damaged += 1,
                VideoOutput::Dead(reason) => self.undecodable = Some(reason.to_string()),
            }
        }
    }

    pub(crate) fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Has a picture been decoded?
    pub(crate) fn has_picture(&self) -> bool {
        self.sight.pictures() > 0
    }

    pub(crate) fn flashes(&self) -> &[i64] {
        self.sight.flashes()
    }

    pub(crate) fn report(&mut self) -> VideoReport {
        let Format::H264(format) = &*self.format else { unreachable!("the reader's pictures are H.264") };
        let (profile, level) = profile(format);
        let timing = self.timing.report(self.origin_ms);
        let step_ms = self.timing.usual_step_ms();
        let end_ms = timing.last_ms + step_ms;
        VideoReport {
            codec: self.format.codec(),
            profile,
            level,
            width: format.size.width,
            height: format.size.height,
            declared_frame_rate: format.frame_rate.map(|rate| thousandths(rate.into())),
            format_changes: self.format_changes,
            timing,
            keyframes: self.timing.keyframes(),
            b_pictures: self.b_pictures,
            decoded: self.sight.pictures(),
            damaged: self.damaged,
            undecodable: self.undecodable.clone(),
            colours: self.sight.colours(),
            freezes: self.sight.freezes(end_ms, step_ms),
            black: self.sight.black(end_ms),
        }
    }
}

/// ITU-T H.264 annex A.2 and its level number; the words are ffprobe's.
fn profile(format: &H264Format) -> (String, u8) {
    let record = Record::parse(&format.record).ok();
    let sps = record.as_ref().and_then(|record| record.sps().first());
    let Some(&[_, profile, constraints, level, ..]) = sps.map(|sps| &sps[..]) else {
        return ("unknown".to_owned(), 0);
    };
    let [set_1, set_3] = [0x40, 0x10].map(|bit| constraints & bit != 0);
    let word = match profile {
        66 if set_1 => "Constrained Baseline",
        66 => "Baseline",
        77 => "Main",
        88 => "Extended",
        100 => "High",
        110 if set_3 => "High 10 Intra",
        110 => "High 10",
        122 if set_3 => "High 4:2:2 Intra",
        122 => "High 4:2:2",
        244 if set_3 => "High 4:4:4 Intra",
        244 => "High 4:4:4 Predictive",
        other => return (other.to_string(), level),
    };
    (word.to_owned(), level)
}
