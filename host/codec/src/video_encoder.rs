//! Compositions to H.264.
//!
//! Constrained baseline, one slice, no B pictures, so each composition leaves one frame at once. The
//! picture is composed on the codec thread too: what crosses threads are shared planes, never pixels.
//! Key pictures are placed by time, not by count, because ticks may be dropped.
//!
//! Not here: what a composition shows (`mixer`) and how it is painted (`compose`).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use heliu_container::avc::{NAL_IDR, NAL_PPS, NAL_SLICE, NAL_SPS, Record, from_nals, nal_type};
use heliu_model::{Composition, Format, Frame, H264Format, MediaTime, Size};
use openh264::OpenH264API;
use openh264::encoder::{
    BitRate, Complexity, EncodedBitStream, Encoder, EncoderConfig, FrameRate, IntraFramePeriod, Profile,
    RateControlMode, SpsPpsStrategy, UsageType,
};
use openh264::formats::YUVSlices;

use crate::actor::{Actor, Machine, Outlet};
use crate::effort::{Effort, Work};
use crate::library::silence;
use crate::{Canvas, Composer, Pool, Stats, Undecodable, Wake};

/// Compositions before the encoder: a fifth of a second at 30 a second, so that a machine that is
/// elsewhere for a moment loses no picture. They share the planes of the decoded pictures. Full: the
/// tick is refused with [`Busy`] and counted as `overflowed`.
const INBOX_MAX: usize = 6;

/// Frames after the encoder. Nothing is dropped there; ticks are refused while so many wait.
const FRAMES_MAX: usize = 64;

/// The encoder's own limit, either way round.
const LONG_SIDE_MAX: u32 = 3840;
const SHORT_SIDE_MAX: u32 = 2160;
const SIDE_MIN: u32 = 16;

/// How a mix is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoEncoderConfig {
    /// Even; 16×16 to 3840×2160 or 2160×3840.
    pub size: Size,
    /// Pictures per second, 1 to 60.
    pub frame_rate: u32,
    /// Target, 16 to 100 000.
    pub bitrate_kbps: u32,
    /// Longest distance between key pictures, at least 1.
    pub keyframe_ms: u32,
}

/// What cannot be encoded. Nothing was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Odd, too small or too large.
    #[error("picture size must be even, from 16x16 to 3840x2160")]
    Size,
    /// Outside 1 to 60 pictures a second.
    #[error("frame rate must be 1 to 60")]
    FrameRate,
    /// Outside what the encoder can be asked for.
    #[error("bitrate out of bounds")]
    Bitrate,
    /// Zero.
    #[error("keyframe interval must not be zero")]
    KeyframeInterval,
}

/// The encoder has not kept up; this tick is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the encoder is busy")]
pub struct Busy;

/// What comes out of an encoder.
#[derive(Debug, Clone)]
pub enum VideoEncoded {
    /// `pts == dts ==` the composition's.
    Frame(Frame),
    /// Nothing more comes.
    Dead(Undecodable),
}

/// The encoder of one output.
pub struct VideoEncoder {
    actor: Actor<Encoding>,
}

impl VideoEncoder {
    /// An encoder that runs on `pool`.
    ///
    /// # Errors
    /// A value of `config` is outside its range.
    pub fn new(pool: &Pool, config: VideoEncoderConfig, wake: Wake) -> Result<Self, ConfigError> {
        config.check()?;
        let machine = Encoding { config, composer: Composer::default(), stage: Stage::Fresh };
        Ok(Self { actor: Actor::new(pool, machine, wake) })
    }

    /// Hands over the next picture of the mix; its `pts` are later than those before.
    ///
    /// # Errors
    /// [`Busy`]: six compositions wait already, or nobody polls.
    pub fn submit(&mut self, composition: Composition, force_keyframe: bool) -> Result<(), Busy> {
        self.actor.with(|mailbox| {
            if mailbox.inbox.len() >= INBOX_MAX || mailbox.outbox.len() >= FRAMES_MAX {
                mailbox.stats.overflowed += 1;
                return Err(Busy);
            }
            mailbox.inbox.push_back((Instant::now(), Tick { composition, force_keyframe }));
            Ok(())
        })
    }

    /// The next frame.
    pub fn poll(&mut self) -> Option<VideoEncoded> {
        self.actor.poll()
    }

    /// What its work has taken of the codec threads.
    #[must_use]
    pub fn effort(&self) -> Effort {
        self.actor.effort()
    }

    /// What was thrown away.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.actor.stats()
    }
}

impl VideoEncoderConfig {
    fn check(&self) -> Result<(), ConfigError> {
        let Size { width, height } = self.size;
        let [short, long] = [width.min(height), width.max(height)];
        let is_even = width.is_multiple_of(2) && height.is_multiple_of(2);
        if !is_even || !(SIDE_MIN..=SHORT_SIDE_MAX).contains(&short) || long > LONG_SIDE_MAX {
            return Err(ConfigError::Size);
        }
        if !(1..=60).contains(&self.frame_rate) {
            return Err(ConfigError::FrameRate);
        }
        if !(16..=100_000).contains(&self.bitrate_kbps) {
            return Err(ConfigError::Bitrate);
        }
        if self.keyframe_ms == 0 {
            return Err(ConfigError::KeyframeInterval);
        }
        Ok(())
    }

    fn keyframe_interval(&self) -> Duration {
        // Ticks are whole nanoseconds, so the last one before the interval may fall just short of it.
        let half_a_picture = Duration::from_secs(1) / (2 * self.frame_rate);
        Duration::from_millis(u64::from(self.keyframe_ms)).saturating_sub(half_a_picture)
    }

    fn library_config(&self) -> EncoderConfig {
        EncoderConfig::new()
            .profile(Profile::Baseline)
            .usage_type(UsageType::CameraVideoRealTime)
            .complexity(Complexity::Low)
            .rate_control_mode(RateControlMode::Bitrate)
            .bitrate(BitRate::from_bps(self.bitrate_kbps * 1000))
            .max_frame_rate(FrameRate::from_hz(self.frame_rate as f32))
            .skip_frames(false)
            .scene_change_detect(false)
            .intra_frame_period(IntraFramePeriod::auto())
            .sps_pps_strategy(SpsPpsStrategy::ConstantId)
            .num_threads(1)
    }
}

struct Tick {
    composition: Composition,
    force_keyframe: bool,
}

/// The codec thread's side.
struct Encoding {
    config: VideoEncoderConfig,
    composer: Composer,
    stage: Stage,
}

enum Stage {
    Fresh,
    Running(Box<Running>),
    Dead,
}

struct Running {
    encoder: Encoder,
    first_pts: MediaTime,
    last_key: MediaTime,
    format: Arc<Format>,
}

impl Machine for Encoding {
    type Input = Tick;
    type Output = VideoEncoded;
    const WORK: Work = Work::VideoEncode;

    fn turn(&mut self, tick: Tick, outlet: &mut Outlet<VideoEncoded>) {
        if tick.composition.size != self.config.size || matches!(self.stage, Stage::Dead) {
            outlet.stats().damaged += 1;
            return;
        }
        let start = Instant::now();
        let canvas = self.composer.compose(&tick.composition);
        outlet.note_composing(start.elapsed());
        let stage = std::mem::replace(&mut self.stage, Stage::Dead);
        match self.config.encode(stage, canvas, tick.composition.pts, tick.force_keyframe) {
            Some((running, frame)) => {
                self.stage = Stage::Running(running);
                outlet.send(VideoEncoded::Frame(frame));
            }
            None => outlet.send(VideoEncoded::Dead(Undecodable::Refused)),
        }
    }

    fn crashed() -> Option<VideoEncoded> {
        Some(VideoEncoded::Dead(Undecodable::Crashed))
    }

    /// Bounded by `submit`, which refuses ticks while too much waits here.
    fn deliver(outbox: &mut VecDeque<VideoEncoded>, output: VideoEncoded, _: &mut Stats) {
        outbox.push_back(output);
    }
}

impl VideoEncoderConfig {
    /// One picture; `None` when the library gives up.
    fn encode(&self, stage: Stage, canvas: &Canvas, pts: MediaTime, is_forced: bool) -> Option<(Box<Running>, Frame)> {
        let mut running = match stage {
            Stage::Running(running) => running,
            Stage::Fresh => Box::new(self.start(pts)?),
            Stage::Dead => return None,
        };
        if is_forced || pts.since(running.last_key) >= self.keyframe_interval() {
            running.encoder.force_intra_frame();
        }
        let since_start = u64::try_from(pts.since(running.first_pts).as_millis()).ok()?;
        let stream = running.encoder.encode_at(&source(canvas), openh264::Timestamp::from_millis(since_start)).ok()?;
        let coded = Coded::new(&stream);
        if let Some(record) = coded.record {
            self.renew_format(&mut running.format, &record)?;
        }
        if coded.is_key {
            running.last_key = pts;
        }
        let format = Arc::clone(&running.format);
        let frame = Frame { format, dts: pts, pts, is_key: coded.is_key, data: coded.data };
        Some((running, frame))
    }

    fn start(&self, pts: MediaTime) -> Option<Running> {
        let mut encoder = Encoder::with_api_config(OpenH264API::from_source(), self.library_config()).ok()?;
        silence(&mut encoder);
        // Replaced by the first picture, which is a key picture and brings the parameter sets.
        let format = self.format(Bytes::new());
        Some(Running { encoder, first_pts: pts, last_key: pts, format: Arc::new(format) })
    }

    fn format(&self, record: Bytes) -> Format {
        Format::H264(H264Format { record, size: self.size, frame_rate: Some(self.frame_rate as f32) })
    }

    fn renew_format(&self, format: &mut Arc<Format>, record: &Record) -> Option<()> {
        let fresh = self.format(record.format().ok()?.record);
        if **format != fresh {
            *format = Arc::new(fresh);
        }
        Some(())
    }
}

fn source(canvas: &Canvas) -> YUVSlices<'_> {
    let [width, height] = [canvas.size().width as usize, canvas.size().height as usize];
    YUVSlices::new((canvas.y(), canvas.u(), canvas.v()), (width, height), (width, width / 2, width / 2))
}

/// One coded picture, sorted into what goes into the frame and what into its format.
struct Coded {
    data: Bytes,
    is_key: bool,
    /// Comes with key pictures.
    record: Option<Record>,
}

impl Coded {
    fn new(stream: &EncodedBitStream<'_>) -> Self {
        let layers: Vec<_> = (0..stream.num_layers()).filter_map(|number| stream.layer(number)).collect();
        let units = layers.iter().flat_map(|layer| (0..layer.nal_count()).filter_map(|number| layer.nal_unit(number)));
        let units: Vec<&[u8]> = units.map(without_start_code).collect();
        let of = |kinds: &[u8]| -> Vec<&[u8]> {
            units.iter().copied().filter(|nal| kinds.contains(&nal_type(nal))).collect()
        };
        let sets = |kind| of(&[kind]).into_iter().map(Bytes::copy_from_slice).collect();
        Self {
            data: from_nals(&of(&[NAL_SLICE, NAL_IDR])),
            is_key: units.iter().any(|nal| nal_type(nal) == NAL_IDR),
            record: Record::new(sets(NAL_SPS), sets(NAL_PPS)).ok(),
        }
    }
}

fn without_start_code(nal: &[u8]) -> &[u8] {
    nal.strip_prefix(&[0, 0, 0, 1]).or_else(|| nal.strip_prefix(&[0, 0, 1])).unwrap_or(nal)
}
