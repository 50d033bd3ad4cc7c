//! Packets to frames: puts them in order, waits for what is sent again, and gives out what is whole.
//!
//! Packets in order pass through at once. Behind a gap they wait, until the missing ones come or have
//! been waited for long enough; then pictures are dropped up to the next keyframe, so that nobody is
//! shown a broken one, and sound goes on.
//!
//! Not here: asking for what is missing ([`crate::Receiver`]), and how often a keyframe is asked for.

mod pictures;
mod reorder;
mod sounds;

use std::time::Duration;

use bytes::Bytes;
use heliu_model::{Frame, Kind, MediaTime};

use crate::{Codec, Discards, Meta, SenderClock};

use pictures::Pictures;
use reorder::{Reorder, Step};
use sounds::Sounds;

/// How long a gap is waited for unless told else.
pub const WAIT_DEFAULT: Duration = Duration::from_millis(200);
/// What comes later than that is of no use to a mix.
const WAIT_MAX: Duration = Duration::from_millis(500);
/// So many times may a packet be asked for while it is waited for.
const TRIES: u32 = 4;

/// Makes the frames of one track.
#[derive(Debug)]
pub struct FrameAssembler {
    reorder: Reorder,
    content: Content,
    stats: AssemblerStats,
}

/// What became of a track's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AssemblerStats {
    /// Frames given out.
    pub frames: u64,
    /// Gaps that were not waited for any longer.
    pub gaps: u64,
    /// Packets, and pictures (each counts once), that were dropped, by reason.
    pub discards: Discards,
}

#[derive(Debug)]
enum Content {
    Pictures(Pictures),
    Sounds(Sounds),
}

impl FrameAssembler {
    /// H.264. `parameter_sets`: SPS and PPS as NAL units as SDP may carry them (`sprop-parameter-sets`,
    /// decoded); malformed ones are left out, and those in the packets replace them. `wait`: how long a
    /// gap is waited for ([`WAIT_DEFAULT`]).
    #[must_use]
    pub fn h264(parameter_sets: &[Bytes], wait: Duration) -> Self {
        Self::new(Content::Pictures(Pictures::new(parameter_sets)), wait)
    }

    /// Opus. `channels`: 1 or 2, what a decoder should make of it. `wait`: as for H.264.
    #[must_use]
    pub fn opus(channels: u8, wait: Duration) -> Self {
        Self::new(Content::Sounds(Sounds::new(channels)), wait)
    }

    fn new(content: Content, wait: Duration) -> Self {
        Self { reorder: Reorder::new(wait), content, stats: AssemblerStats::default() }
    }

    /// Waits from here on as the way there and back suggests ([`crate::Receiver::round_trip`]): for four
    /// askings, [`WAIT_DEFAULT`] to 500 ms.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.reorder.set_wait((round_trip * TRIES).clamp(WAIT_DEFAULT, WAIT_MAX));
    }

    /// Takes a packet that arrived at `now`. Take out all frames ([`Self::poll_frame`]) before the next.
    pub fn handle_packet(&mut self, meta: &Meta, payload: &[u8], now: MediaTime) {
        if let Err(reason) = self.reorder.handle_packet(meta, payload, now) {
            self.stats.discards.count(reason);
        }
        self.drain(now);
    }

    /// When [`Self::handle_timeout`] has something to do, if nothing comes before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MediaTime> {
        self.reorder.poll_timeout()
    }

    /// Waits no longer for what was missing too long at `now`.
    pub fn handle_timeout(&mut self, now: MediaTime) {
        self.drain(now);
    }

    /// The next frame, in the order of `dts`, on the room's clock.
    pub fn poll_frame(&mut self, clock: &mut SenderClock) -> Option<Frame> {
        let frame = match &mut self.content {
            Content::Pictures(pictures) => pictures.poll_frame(clock),
            Content::Sounds(sounds) => sounds.poll_frame(clock),
        };
        self.stats.frames += u64::from(frame.is_some());
        frame
    }

    /// Whether nothing can be shown before the publisher sends a keyframe: at the beginning, and behind a
    /// gap. Stays so until one has come whole; who asks limits the rate. Never for sound.
    #[must_use]
    pub fn poll_keyframe_wanted(&self) -> bool {
        match &self.content {
            Content::Pictures(pictures) => pictures.is_keyframe_wanted(),
            Content::Sounds(_) => false,
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> AssemblerStats {
        self.stats
    }

    /// Sound or pictures.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.content {
            Content::Pictures(_) => Codec::H264.kind(),
            Content::Sounds(_) => Codec::Opus.kind(),
        }
    }

    fn drain(&mut self, now: MediaTime) {
        while let Some(step) = self.reorder.poll(now) {
            if step == Step::Gap {
                self.stats.gaps += 1;
            }
            let dropped = match &mut self.content {
                Content::Pictures(pictures) => pictures.handle(step),
                Content::Sounds(sounds) => [sounds.handle(step), None],
            };
            dropped.into_iter().flatten().for_each(|reason| self.stats.discards.count(reason));
        }
    }
}

#[cfg(test)]
mod tests;
