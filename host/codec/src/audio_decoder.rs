//! AAC or Opus to 48 kHz stereo.
//!
//! The time of a frame is the time of the samples it decodes to: the encoder's delay is the sender's
//! to account for, as every muxer does.
//!
//! Not here: gaps in AAC. A lost frame is a step in `pts` that the mixer conceals.

mod aac;
mod opus;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use heliu_model::{Format, Frame, MediaTime};

use self::aac::AacStream;
use self::opus::OpusStream;
use crate::actor::{Actor, Machine, Outlet};
use crate::effort::{Effort, Work};
use crate::{Pool, Stats, Undecodable, Wake};

/// Frames before the decoder, over a second. Full: the oldest is dropped and counted as `overflowed`.
const INBOX_MAX: usize = 64;

/// Blocks after the decoder. Full: the oldest is dropped and counted as `overtaken`.
const BLOCKS_MAX: usize = 64;

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
    Aac(Box<AacStream>),
    Opus(OpusStream),
    /// Until the format changes.
    Dead,
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
            self.stream = Stream::open(&frame.format).unwrap_or_else(|reason| dead(reason, outlet));
        }
        match &mut self.stream {
            Stream::Aac(aac) => {
                if let Err(reason) = aac.decode(&frame, outlet) {
                    self.stream = dead(reason, outlet);
                }
            }
            Stream::Opus(opus) => opus.decode(&frame, outlet),
            Stream::Dead => outlet.stats().damaged += 1,
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

impl Stream {
    fn open(format: &Format) -> Result<Self, Undecodable> {
        match format {
            Format::Aac(format) => Ok(Self::Aac(Box::new(AacStream::open(format)?))),
            Format::Opus(_) => Ok(Self::Opus(OpusStream::open()?)),
            Format::H264(_) => Err(Undecodable::Kind),
        }
    }
}

fn dead(reason: Undecodable, outlet: &mut Outlet<AudioOutput>) -> Stream {
    outlet.send(AudioOutput::Dead(reason));
    Stream::Dead
}
