//! One track of a publication in another form: what is known of it and kept for who joins.
//!
//! Not here: who makes it. That is an endpoint like any other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use heliu_model::{Format, Frame, Kind, MediaTime, RenditionStatus};

use crate::accepts::Rendition;
use crate::gop::Gop;
use crate::gop_budget::GopBudget;
use crate::meter::Meter;

/// So far behind its track a rendition may be for it to be there: it has caught up with what was kept.
pub const LAG_MAX: Duration = Duration::from_millis(300);
/// Sound kept at most; pictures are bounded as those of the track.
const FRAMES_MAX: usize = 1_000;
/// Smallest step between two frames: a tick of RTMP's clock.
const STEP: Duration = Duration::from_millis(1);

/// Begins when the first endpoint needs it and ends after the last.
#[derive(Debug)]
pub struct Rendered {
    made: Option<Made>,
    failed: Option<String>,
    kept: Kept,
}

#[derive(Debug)]
struct Made {
    format: Arc<Format>,
    last_dts: MediaTime,
    meter: Meter,
}

#[derive(Debug)]
struct Kept {
    audio: VecDeque<Frame>,
    video: Gop,
}

impl Rendered {
    /// Nothing is made yet.
    pub fn new(budget: GopBudget) -> Self {
        Self { made: None, failed: None, kept: Kept { audio: VecDeque::new(), video: Gop::new(budget) } }
    }

    /// None will come, in words.
    pub fn fail(&mut self, reason: String) {
        self.failed = Some(reason);
    }

    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    pub fn format(&self) -> Option<Arc<Format>> {
        self.made.as_ref().map(|made| made.format.clone())
    }

    /// Could a joiner begin with it, its track being at `track`? One that failed is not waited for.
    pub fn is_ready(&self, track: Option<MediaTime>) -> bool {
        let has_caught_up = |made: &Made| track.is_none_or(|track| track.since(made.last_dts) <= LAG_MAX);
        self.has_failed() || self.made.as_ref().is_some_and(has_caught_up)
    }

    pub fn last_dts(&self) -> Option<MediaTime> {
        self.made.as_ref().map(|made| made.last_dts)
    }

    /// Takes a frame, its times after `floor` and after those before it. `since`: what is older is not kept.
    pub fn take_in(
        &mut self,
        mut frame: Frame,
        floor: Option<MediaTime>,
        since: Option<MediaTime>,
        now: MediaTime,
    ) -> Frame {
        if let Some(last) = self.last_dts().max(floor) {
            let dts = frame.dts.max(last + STEP);
            (frame.dts, frame.pts) = (dts, dts + frame.pts.since(frame.dts));
        }
        let made = self.made.get_or_insert_with(|| {
            let mut meter = Meter::new(&frame, now);
            meter.set_format(&frame.format);
            Made { format: frame.format.clone(), last_dts: frame.dts, meter }
        });
        if made.format != frame.format {
            made.format = frame.format.clone();
            made.meter.set_format(&frame.format);
        }
        made.last_dts = frame.dts;
        made.meter.count(&frame, now);
        self.kept.push(&frame, since);
        frame
    }

    /// Is this the youngest of what is kept?
    pub fn keeps(&self, frame: &Frame) -> bool {
        self.kept().last().is_some_and(|last| last.dts == frame.dts)
    }

    /// From a keyframe on if it is pictures; as far back as its publication keeps them if it is sound.
    pub fn kept(&self) -> impl Iterator<Item = &Frame> {
        self.kept.audio.iter().chain(self.kept.video.frames())
    }

    pub fn status(&self, rendition: Rendition, consumers: usize) -> RenditionStatus {
        let track = self.made.as_ref().map(|made| made.meter.status());
        RenditionStatus {
            name: rendition.as_str(),
            consumers: u32::try_from(consumers).unwrap_or(u32::MAX),
            failed: self.failed.clone(),
            codec: track.as_ref().map(|track| track.codec),
            bitrate_kbps: track.as_ref().map_or(0, |track| track.bitrate_kbps),
            frames: track.as_ref().map_or(0, |track| track.frames),
        }
    }
}

impl Kept {
    fn push(&mut self, frame: &Frame, since: Option<MediaTime>) {
        if frame.kind() == Kind::Video {
            self.video.push(frame);
            return;
        }
        self.audio.push_back(frame.clone());
        let is_old = |frame: &Frame| since.is_none_or(|since| frame.dts < since);
        while self.audio.len() > FRAMES_MAX || self.audio.front().is_some_and(is_old) {
            self.audio.pop_front();
        }
    }
}
