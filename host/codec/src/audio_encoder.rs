//! 48 kHz stereo to AAC-LC or Opus.
//!
//! A frame decodes to samples that lie before those it was made from: the transform overlaps, or the
//! encoder looks ahead. It carries their time, so a decoder that knows nothing of delays plays in sync.
//!
//! Not here: mixing and limiting. What exceeds full scale is clipped.

mod aac;
mod opus;

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heliu_model::{Format, Frame, MediaTime};

use self::aac::AacEncoder;
use self::opus::OpusEncoder;
use crate::actor::{Actor, Machine, Outlet};
use crate::effort::{Effort, Work};
use crate::resample::RATE;
use crate::{ConfigError, Pool, Stats, Wake};

/// Blocks before the encoder, a third of a second. Full: the block is dropped and counted as
/// `overflowed`; the step in `pts` reaches the listener's player.
const INBOX_MAX: usize = 16;

/// Frames after the encoder. Full: the oldest is dropped and counted as `overtaken`.
const FRAMES_MAX: usize = 64;

/// What the sound becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioCodec {
    /// AAC-LC, 1024 sample pairs a frame.
    Aac,
    /// Opus, 960 sample pairs a packet: 20 ms.
    Opus,
}

impl AudioCodec {
    /// Sample pairs of one block that goes in and of one frame that comes out.
    #[must_use]
    pub const fn block_len(self) -> usize {
        match self {
            Self::Aac => 1024,
            Self::Opus => 960,
        }
    }

    /// What its encoder can be asked for.
    fn bitrates_kbps(self) -> RangeInclusive<u32> {
        match self {
            Self::Aac => 16..=512,
            // RFC 6716 §2.1.1.
            Self::Opus => 16..=510,
        }
    }
}

/// How sound is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioEncoderConfig {
    /// To what.
    pub codec: AudioCodec,
    /// Target, 16 to 512 for AAC and to 510 for Opus.
    pub bitrate_kbps: u32,
}

impl Default for AudioEncoderConfig {
    fn default() -> Self {
        Self { codec: AudioCodec::Aac, bitrate_kbps: 128 }
    }
}

/// The encoder of one output.
pub struct AudioEncoder {
    actor: Actor<Encoding>,
}

impl AudioEncoder {
    /// An encoder that runs on `pool`.
    ///
    /// # Errors
    /// [`ConfigError::Bitrate`].
    pub fn new(pool: &Pool, config: AudioEncoderConfig, wake: Wake) -> Result<Self, ConfigError> {
        if !config.codec.bitrates_kbps().contains(&config.bitrate_kbps) {
            return Err(ConfigError::Bitrate);
        }
        Ok(Self { actor: Actor::new(pool, Encoding::new(config).ok_or(ConfigError::Bitrate)?, wake) })
    }

    /// Hands over the interleaved pairs of 48 kHz of one block ([`AudioCodec::block_len`]) that begin at
    /// `pts`, one block's time after those before. A block of another length is dropped and counted as
    /// `damaged`.
    pub fn submit(&mut self, pts: MediaTime, samples: Vec<f32>) {
        self.actor.with(|mailbox| {
            if mailbox.inbox.len() >= INBOX_MAX {
                mailbox.stats.overflowed += 1;
                return;
            }
            mailbox.inbox.push_back((Instant::now(), Block { pts, samples }));
        });
    }

    /// The next frame.
    pub fn poll(&mut self) -> Option<Frame> {
        self.actor.poll()
    }

    /// Has all been worked on that was submitted? Who waits for that before some blocks loses none.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.actor.is_idle()
    }

    /// Has the codec crashed, so that nothing more comes?
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.actor.is_ended()
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

struct Block {
    pts: MediaTime,
    samples: Vec<f32>,
}

/// The codec thread's side.
struct Encoding {
    library: Library,
    format: Arc<Format>,
    codec: AudioCodec,
    /// From a block's time back to that of what its frame decodes to.
    delay: Duration,
}

enum Library {
    Aac(Box<AacEncoder>),
    Opus(OpusEncoder),
}

impl Encoding {
    fn new(AudioEncoderConfig { codec, bitrate_kbps }: AudioEncoderConfig) -> Option<Self> {
        let (library, format, delay_len) = match codec {
            AudioCodec::Aac => {
                let (library, format) = AacEncoder::open(bitrate_kbps)?;
                (Library::Aac(Box::new(library)), format, AacEncoder::delay_len())
            }
            AudioCodec::Opus => {
                let (library, format) = OpusEncoder::open(bitrate_kbps)?;
                let delay_len = library.delay_len();
                (Library::Opus(library), format, delay_len)
            }
        };
        let delay = Duration::from_nanos(delay_len as u64 * 1_000_000_000 / u64::from(RATE));
        Some(Self { library, format: Arc::new(format), codec, delay })
    }
}

impl Machine for Encoding {
    type Input = Block;
    type Output = Frame;
    const WORK: Work = Work::AudioEncode;

    fn turn(&mut self, block: Block, outlet: &mut Outlet<Frame>) {
        if block.samples.len() != 2 * self.codec.block_len() {
            outlet.stats().damaged += 1;
            return;
        }
        let coded = match &mut self.library {
            Library::Aac(aac) => aac.encode(&block.samples),
            Library::Opus(opus) => opus.encode(&block.samples),
        };
        let Some(data) = coded else {
            outlet.stats().damaged += 1;
            return;
        };
        let pts = block.pts - self.delay;
        outlet.send(Frame { format: Arc::clone(&self.format), dts: pts, pts, is_key: true, data });
    }

    fn crashed() -> Option<Frame> {
        None
    }

    fn deliver(outbox: &mut VecDeque<Frame>, output: Frame, stats: &mut Stats) {
        if outbox.len() >= FRAMES_MAX {
            outbox.pop_front();
            stats.overtaken += 1;
        }
        outbox.push_back(output);
    }
}

/// Each side of interleaved pairs, within what encoders take.
fn planes(samples: &[f32]) -> [Vec<f32>; 2] {
    [0, 1].map(|side| samples.iter().skip(side).step_by(2).map(clipped).collect())
}

fn clipped(sample: &f32) -> f32 {
    if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) }
}
