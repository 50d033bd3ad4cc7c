//! AAC to 48 kHz stereo.
//!
//! The time of a frame is the time of the samples it decodes to: the encoder's delay is the sender's
//! to account for, as every muxer does.
//!
//! Not here: gaps. A lost frame is a step in `pts` that the mixer conceals.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use heliu_model::{Format, Frame, MediaTime};
use syom::{DecodeOptions, Decoder};

use crate::actor::{Actor, Machine, Outlet};
use crate::downmix::{CHANNELS_MAX, stereo};
use crate::effort::{Effort, Work};
use crate::resample::Resample;
use crate::{Pool, Stats, Undecodable, Wake};

/// Frames before the decoder, over a second. Full: the oldest is dropped and counted as `overflowed`.
const INBOX_MAX: usize = 64;

/// Blocks after the decoder. Full: the oldest is dropped and counted as `overtaken`.
const BLOCKS_MAX: usize = 64;

/// Hz.
const RATE_MIN: u32 = 8_000;
const RATE_MAX: u32 = 96_000;

/// What comes out of a decoder.
#[derive(Debug, Clone)]
pub enum AudioOutput {
    /// Some sound; blocks differ in length.
    Samples {
        /// When the first sample is heard.
        pts: MediaTime,
        /// 48 kHz, left and right interleaved. May exceed full scale where channels were summed.
        samples: Vec<f32>,
    },
    /// Nothing more comes before a frame of another format does.
    Dead(Undecodable),
}

/// One track's decoder.
pub struct AudioDecoder {
    actor: Actor<Decoding>,
}

impl AudioDecoder {
    /// A decoder that runs on `pool` and learns its format from the first frame.
    #[must_use]
    pub fn new(pool: &Pool, wake: Wake) -> Self {
        Self { actor: Actor::new(pool, Decoding { format: None, stream: Stream::Dead }, wake) }
    }

    /// Hands over the next frame.
    pub fn submit(&mut self, frame: Frame) {
        self.actor.with(|mailbox| {
            if mailbox.inbox.len() >= INBOX_MAX {
                mailbox.inbox.pop_front();
                mailbox.stats.overflowed += 1;
            }
            // Sound takes microseconds and everybody hears a gap: it is always due.
            mailbox.inbox.push_back((Instant::now(), frame));
        });
    }

    /// What has come out since the last call.
    pub fn poll(&mut self) -> Option<AudioOutput> {
        self.actor.poll()
    }

    /// What its work has taken of the codec threads.
    #[must_use]
    pub fn effort(&self) -> Effort {
        self.actor.effort()
    }

    /// Has all been worked on that was submitted? Who waits for that before each frame loses none.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.actor.is_idle()
    }

    /// What was thrown away.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.actor.stats()
    }
}

/// The codec thread's side.
struct Decoding {
    format: Option<Arc<Format>>,
    stream: Stream,
}

enum Stream {
    Running(Box<Running>),
    /// Until the format changes.
    Dead,
}

struct Running {
    decoder: Decoder,
    /// Made for the first frame, which tells the rate and length that are really coded.
    resample: Option<Resample>,
}

impl Machine for Decoding {
    type Input = Frame;
    type Output = AudioOutput;
    const WORK: Work = Work::AudioDecode;

    fn turn(&mut self, frame: Frame, outlet: &mut Outlet<AudioOutput>) {
        let is_known =
            self.format.as_ref().is_some_and(|known| Arc::ptr_eq(known, &frame.format) || *known == frame.format);
        if !is_known {
            self.format = Some(Arc::clone(&frame.format));
            self.stream = match Running::open(&frame.format) {
                Ok(running) => Stream::Running(Box::new(running)),
                Err(reason) => dead(reason, outlet),
            };
        }
        let Stream::Running(running) = &mut self.stream else {
            outlet.stats().damaged += 1;
            return;
        };
        match running.decode(&frame) {
            Ok(Some((pts, samples))) if !samples.is_empty() => outlet.send(AudioOutput::Samples { pts, samples }),
            Ok(Some(_)) => {}
            Ok(None) => {
                outlet.stats().damaged += 1;
                // A failed decoder stays failed, and its overlap belongs to a frame that is lost.
                self.stream = match Running::open(&frame.format) {
                    Ok(running) => Stream::Running(Box::new(running)),
                    Err(reason) => dead(reason, outlet),
                };
            }
            Err(reason) => self.stream = dead(reason, outlet),
        }
    }

    fn crashed() -> Option<AudioOutput> {
        Some(AudioOutput::Dead(Undecodable::Crashed))
    }

    fn deliver(outbox: &mut VecDeque<AudioOutput>, output: AudioOutput, stats: &mut Stats) {
        if outbox.len() >= BLOCKS_MAX {
            outbox.pop_front();
            stats.overtaken += 1;
        }
        outbox.push_back(output);
    }
}

fn dead(reason: Undecodable, outlet: &mut Outlet<AudioOutput>) -> Stream {
    outlet.send(AudioOutput::Dead(reason));
    Stream::Dead
}

impl Running {
    fn open(format: &Format) -> Result<Self, Undecodable> {
        let Format::Aac(format) = format else { return Err(Undecodable::Kind) };
        heliu_container::aac::decodable(format)?;
        let decoder =
            Decoder::from_asc(&format.config, DecodeOptions::unbounded()).map_err(|_| Undecodable::Refused)?;
        Ok(Self { decoder, resample: None })
    }

    /// `Ok(None)`: this frame is damaged.
    fn decode(&mut self, frame: &Frame) -> Result<Option<(MediaTime, Vec<f32>)>, Undecodable> {
        let mut decoded = Ok(None);
        let resample = &mut self.resample;
        let result = self.decoder.decode_au(&frame.data, |block| {
            decoded = convert(&block, frame.pts, resample);
            Ok(())
        });
        match (result, decoded) {
            (Ok(()), decoded) => decoded,
            (Err(_), _) => Ok(None),
        }
    }
}

fn convert(
    block: &syom::Frame<'_>,
    pts: MediaTime,
    resample: &mut Option<Resample>,
) -> Result<Option<(MediaTime, Vec<f32>)>, Undecodable> {
    // What is coded may differ from what the configuration announced.
    if !(RATE_MIN..=RATE_MAX).contains(&block.sample_rate) || block.planar.len() > CHANNELS_MAX {
        return Err(Undecodable::Refused);
    }
    if resample.as_ref().is_none_or(|known| known.rate != block.sample_rate || known.block_len != block.samples) {
        *resample = Some(Resample::new(block.sample_rate, block.samples).ok_or(Undecodable::Refused)?);
    }
    let Some(resample) = resample else { return Ok(None) };
    Ok(resample.process(pts, stereo(block.planar, block.meta.labels())))
}
