//! H.264 to H.264 whose pictures are shown in the order they are decoded in, at the same size and about
//! the same rate.
//!
//! Who is the first to need it would wait for the publisher's next keyframe; so what is kept since the
//! last one is decoded, and the first picture after that becomes the first that is encoded.

use std::collections::VecDeque;
use std::time::Duration;

use heliu_codec::{Pool, VideoDecoder, VideoEncoded, VideoEncoder, VideoEncoderConfig, VideoOutput, Wake};
use heliu_model::{Composition, Draw, Format, Frame, MediaTime, Picture, Rect, Size, Yuv};

use crate::clock::RoomClock;

/// Frames that wait for the decoder: what a room keeps. Full: all up to the next keyframe are dropped.
const WAITING_MAX: usize = 1_500;
/// So far behind, it goes on at a keyframe that has come: all before it are dropped.
const BEHIND_MAX: usize = 30;
/// Frames that the decoder is given at a time: it keeps no more pictures than these and those it reorders.
const AT_A_TIME: usize = 2;
/// A decoder's answer is wanted so long after a frame's time.
const DECODE_WITHIN: Duration = Duration::from_millis(80);
const KEYFRAME_MS: u32 = 2_000;
/// Below this what came is too little to tell its rates from.
const MEASURED_MIN: Duration = Duration::from_millis(500);

pub struct Pictures {
    waiting: VecDeque<Frame>,
    is_skipping: bool,
    decoder: VideoDecoder,
    encoder: Option<(Size, VideoEncoder)>,
    /// Pictures up to this time are the past: decoded only.
    past: Option<MediaTime>,
    force_keyframe: bool,
    rates: Rates,
    /// Of encoders for other sizes.
    busy: Duration,
    dropped: u64,
    pool: Pool,
    wake: Wake,
}

/// What the publisher sends a second.
#[derive(Default)]
struct Rates {
    told: Option<f32>,
    begin: Option<MediaTime>,
    last: MediaTime,
    frames: u64,
    bytes: u64,
}

impl Pictures {
    pub fn new(pool: &Pool, wake: Wake) -> Self {
        Self {
            waiting: VecDeque::new(),
            is_skipping: false,
            decoder: VideoDecoder::new(pool, wake.clone()),
            encoder: None,
            past: None,
            force_keyframe: false,
            rates: Rates::default(),
            busy: Duration::ZERO,
            dropped: 0,
            pool: pool.clone(),
            wake,
        }
    }

    pub fn submit(&mut self, frame: &Frame, clock: &RoomClock) {
        self.rates.count(frame);
        let is_too_far = self.waiting.len() > BEHIND_MAX && frame.is_key && !self.is_past(frame.pts);
        if is_too_far || self.waiting.len() >= WAITING_MAX {
            self.dropped += self.waiting.len() as u64;
            self.waiting.clear();
            self.is_skipping = true;
        }
        self.is_skipping &= !frame.is_key;
        if self.is_skipping {
            self.dropped += 1;
            return;
        }
        self.waiting.push_back(frame.clone());
        self.feed_decoder(clock);
    }

    pub fn go_live(&mut self) {
        self.past = self.rates.begin.map(|_| self.rates.last);
    }

    pub fn force_keyframe(&mut self) {
        self.force_keyframe = true;
    }

    pub fn drive(&mut self, clock: &RoomClock) -> Result<Vec<Frame>, String> {
        while let Some(output) = self.decoder.poll() {
            match output {
                VideoOutput::Picture { picture, pts } if !self.is_past(pts) => self.encode(picture, pts)?,
                // An RTMP publisher cannot be asked: its next keyframe comes by itself.
                VideoOutput::Picture { .. } | VideoOutput::NeedKeyframe => {}
                VideoOutput::Dead(reason) => return Err(reason.to_string()),
            }
        }
        self.feed_decoder(clock);
        let mut frames = Vec::new();
        while let Some(encoded) = self.encoder.as_mut().and_then(|(_, encoder)| encoder.poll()) {
            match encoded {
                VideoEncoded::Frame(frame) => frames.push(frame),
                VideoEncoded::Dead(reason) => return Err(reason.to_string()),
            }
        }
        Ok(frames)
    }

    /// Of the codec threads.
    pub fn busy(&self) -> Duration {
        let encoder = self.encoder.as_ref().map_or(Duration::ZERO, |(_, encoder)| encoder.effort().busy);
        self.decoder.effort().busy + encoder + self.busy
    }

    /// Frames that came and were of no use, and pictures that found the encoder busy.
    pub fn dropped(&self) -> u64 {
        let stats = self.decoder.stats();
        self.dropped + stats.overflowed + stats.awaited + stats.overtaken + stats.damaged
    }

    fn is_past(&self, pts: MediaTime) -> bool {
        self.past.is_some_and(|past| pts <= past)
    }

    fn feed_decoder(&mut self, clock: &RoomClock) {
        if self.decoder.is_idle() {
            let len = self.waiting.len().min(AT_A_TIME);
            for frame in self.waiting.drain(..len) {
                let deadline = clock.instant(frame.pts) + DECODE_WITHIN;
                self.decoder.submit(frame, deadline);
            }
        }
    }

    fn encode(&mut self, picture: Picture, pts: MediaTime) -> Result<(), String> {
        let shown = picture.size();
        let size = Size { width: shown.width.next_multiple_of(2), height: shown.height.next_multiple_of(2) };
        let encoder = match &mut self.encoder {
            Some((known, encoder)) if *known == size => encoder,
            slot => {
                if let Some((_, before)) = slot.take() {
                    self.busy += before.effort().busy;
                }
                let encoder = VideoEncoder::new(&self.pool, self.rates.config(size), self.wake.clone());
                &mut slot.insert((size, encoder.map_err(|error| error.to_string())?)).1
            }
        };
        let whole = |Size { width, height }: Size| Rect { x: 0, y: 0, width, height };
        let draws = vec![Draw { picture, crop: whole(shown), place: whole(size) }];
        match encoder.submit(Composition { size, background: Yuv::BLACK, draws, pts }, self.force_keyframe) {
            Ok(()) => self.force_keyframe = false,
            Err(_busy) => self.dropped += 1,
        }
        Ok(())
    }
}

impl Rates {
    fn count(&mut self, frame: &Frame) {
        if let Format::H264(format) = &*frame.format {
            self.told = format.frame_rate;
        }
        self.begin.get_or_insert(frame.dts);
        self.last = frame.dts;
        self.frames += 1;
        self.bytes += frame.data.len() as u64;
    }

    fn config(&self, size: Size) -> VideoEncoderConfig {
        let span = self.begin.map_or(Duration::ZERO, |begin| self.last.since(begin));
        let measured = (span >= MEASURED_MIN).then_some(span.as_secs_f64());
        let frame_rate = measured.map_or(f64::from(self.told.unwrap_or(30.0)), |span| self.frames as f64 / span);
        let frame_rate = frame_rate.round().clamp(1.0, 60.0) as u32;
        let pixels = u64::from(size.width) * u64::from(size.height) * u64::from(frame_rate);
        // Unmeasured: 0.08 bits a pixel. Measured: a fifth more, for an encoder without B pictures.
        let bits = measured.map_or(pixels as f64 * 0.08, |span| self.bytes as f64 * 8.0 / span * 1.2);
        let bitrate_kbps = (bits / 1_000.0).clamp(200.0, 20_000.0) as u32;
        VideoEncoderConfig { size, frame_rate, bitrate_kbps, keyframe_ms: KEYFRAME_MS }
    }
}
