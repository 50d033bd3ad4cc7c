//! 48 kHz stereo to AAC-LC.
//!
//! A frame decodes to the samples one frame before those it was made from (the overlap of the
//! transform), so it carries their time and a decoder that knows nothing of delays plays in sync.
//!
//! Not here: mixing and limiting. What exceeds full scale is clipped.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use heliu_model::{Format, Frame, MediaTime};
use syom::{EncodeOptions, Encoder};

use crate::actor::{Actor, Machine, Outlet};
use crate::effort::{Effort, Work};
use crate::resample::RATE;
use crate::{ConfigError, Pool, Stats, Wake};

/// Blocks before the encoder, a third of a second. Full: the block is dropped and counted as
/// `overflowed`; the step in `pts` reaches the listener's player.
const INBOX_MAX: usize = 16;

/// Frames after the encoder. Full: the oldest is dropped and counted as `overtaken`.
const FRAMES_MAX: usize = 64;

/// Sample pairs of one block and of one frame.
const BLOCK_LEN: usize = 1024;

/// How long one block lasts.
const BLOCK: Duration = Duration::from_nanos(1_000_000_000 * BLOCK_LEN as u64 / RATE as u64);

/// How the sound of a mix is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioEncoderConfig {
    /// Target, 16 to 512.
    pub bitrate_kbps: u32,
}

impl Default for AudioEncoderConfig {
    fn default() -> Self {
        Self { bitrate_kbps: 128 }
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
        if !(16..=512).contains(&config.bitrate_kbps) {
            return Err(ConfigError::Bitrate);
        }
        Ok(Self { actor: Actor::new(pool, Encoding::new(config).ok_or(ConfigError::Bitrate)?, wake) })
    }

    /// Hands over 1024 interleaved pairs of 48 kHz that begin at `pts`, one block's time after those
    /// before. A block of another length is dropped and counted as `damaged`.
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
    encoder: Encoder,
    options: EncodeOptions,
    format: Arc<Format>,
}

impl Encoding {
    fn new(config: AudioEncoderConfig) -> Option<Self> {
        let options = EncodeOptions::raw().with_bitrate_bps(config.bitrate_kbps * 1000);
        let encoder = Encoder::new(RATE, 2, &options).ok()?;
        let format = Arc::new(Format::Aac(heliu_container::aac::format(RATE, 2)?));
        Some(Self { encoder, options, format })
    }

    fn encode(&mut self, [left, right]: [&[f32]; 2]) -> Option<Bytes> {
        let mut coded = None;
        let result = self.encoder.feed(&[left, right], |frame| {
            coded = Some(Bytes::copy_from_slice(frame.payload));
            Ok(())
        });
        coded.filter(|_| result.is_ok())
    }
}

impl Machine for Encoding {
    type Input = Block;
    type Output = Frame;
    const WORK: Work = Work::AudioEncode;

    fn turn(&mut self, block: Block, outlet: &mut Outlet<Frame>) {
        if block.samples.len() != 2 * BLOCK_LEN {
            outlet.stats().damaged += 1;
            return;
        }
        let [left, right] = [0, 1].map(|side| plane(&block.samples, side));
        match self.encode([&left, &right]) {
            Some(data) => {
                let pts = block.pts - BLOCK;
                outlet.send(Frame { format: Arc::clone(&self.format), dts: pts, pts, is_key: true, data });
            }
            None => {
                outlet.stats().damaged += 1;
                // A failed encoder stays failed until it is reset.
                if self.encoder.reset().is_err()
                    && let Ok(encoder) = Encoder::new(RATE, 2, &self.options)
                {
                    self.encoder = encoder;
                }
            }
        }
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

/// One side of interleaved pairs, within what the encoder takes.
fn plane(samples: &[f32], side: usize) -> Vec<f32> {
    let clipped = |sample: &f32| if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) };
    samples.iter().skip(side).step_by(2).map(clipped).collect()
}
