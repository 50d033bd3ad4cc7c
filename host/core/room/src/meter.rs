//! Rates of one track, measured over windows of two seconds of arrival time.

use std::time::Duration;

use heliu_model::{Format, Frame, Kind, MediaTime, OpusFormat, TrackStatus};

const WINDOW: Duration = Duration::from_secs(2);

/// Counts one track.
#[derive(Debug)]
pub struct Meter {
    window_start: MediaTime,
    window_frames: u32,
    window_bytes: u64,
    last_key: Option<MediaTime>,
    status: TrackStatus,
}

impl Meter {
    /// Starts with the track's first frame, which is still to be counted.
    pub fn new(first: &Frame, now: MediaTime) -> Self {
        let status = TrackStatus {
            kind: first.kind(),
            codec: first.format.codec(),
            size: None,
            sample_rate: None,
            channels: None,
            frame_rate: None,
            bitrate_kbps: 0,
            keyframe_ms: None,
            frames: 0,
            bytes: 0,
            renditions: Vec::new(),
        };
        Self { window_start: now, window_frames: 0, window_bytes: 0, last_key: None, status }
    }

    /// Counts a frame.
    pub fn count(&mut self, frame: &Frame, now: MediaTime) {
        let len = frame.data.len() as u64;
        self.status.frames += 1;
        self.status.bytes += len;
        if frame.kind() == Kind::Video && frame.is_key {
            let since_last = self.last_key.map(|last| frame.dts.since(last).as_millis());
            self.status.keyframe_ms = since_last.and_then(|millis| u32::try_from(millis).ok());
            self.last_key = Some(frame.dts);
        }
        let span = now.since(self.window_start);
        if span >= WINDOW {
            self.close_window(span, now);
        }
        self.window_frames += 1;
        self.window_bytes += len;
    }

    /// Takes over what a format says about the track.
    pub fn set_format(&mut self, format: &Format) {
        self.status.codec = format.codec();
        match format {
            Format::H264(h264) => self.status.size = Some(h264.size),
            Format::Aac(aac) => {
                self.status.sample_rate = Some(aac.sample_rate);
                self.status.channels = Some(u32::from(aac.channels));
            }
            Format::Opus(opus) => {
                self.status.sample_rate = Some(OpusFormat::SAMPLE_RATE);
                self.status.channels = Some(u32::from(opus.channels));
            }
        }
    }

    pub fn status(&self) -> TrackStatus {
        self.status.clone()
    }

    fn close_window(&mut self, span: Duration, now: MediaTime) {
        let seconds = span.as_secs_f64();
        self.status.bitrate_kbps = (self.window_bytes as f64 * 8.0 / 1000.0 / seconds) as u32;
        if self.status.size.is_some() {
            self.status.frame_rate = Some((f64::from(self.window_frames) / seconds) as f32);
        }
        self.window_start = now;
        self.window_frames = 0;
        self.window_bytes = 0;
    }
}
