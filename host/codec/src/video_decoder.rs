//! H.264 to pictures.
//!
//! Access units go in one by one; the library puts pictures into the order they are shown and each
//! has the time of the frame it came from. A change of format or of the SPS, and every recovery,
//! begins with a fresh library instance, so no picture outlives the memory it was decoded for.
//!
//! Not here: what reaches the library at all (`parameter_sets`).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use heliu_model::{Format, Frame, MediaTime, Picture};

use crate::actor::{Actor, Machine, Mailbox, Outlet};
use crate::effort::{Effort, Work};
use crate::library::Library;
use crate::parameter_sets::{Flaw, ParameterSets};
use crate::{Pool, Stats, Undecodable, Wake};

/// Access units before the decoder. Full: everything up to the next keyframe is dropped, the one in
/// the queue if there is one, else one is asked for. Counted as `overflowed` and `awaited`.
const INBOX_MAX: usize = 32;

/// Pictures after the decoder. Full: the oldest is dropped and counted as `overtaken`.
const PICTURES_MAX: usize = 4;

/// What comes out of a decoder.
#[derive(Debug, Clone)]
pub enum VideoOutput {
    /// Pictures come in the order they are shown.
    Picture {
        /// The picture.
        picture: Picture,
        /// When it is shown.
        pts: MediaTime,
    },
    /// Nothing more comes before a keyframe does.
    NeedKeyframe,
    /// Nothing more comes before a frame of another format does.
    Dead(Undecodable),
}

/// One track's decoder.
pub struct VideoDecoder {
    actor: Actor<Decoding>,
    gate: Gate,
}

/// Before the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    /// The inbox was full and emptied.
    UntilKeyframe,
}

impl VideoDecoder {
    /// A decoder that runs on `pool` and learns its format from the first frame.
    #[must_use]
    pub fn new(pool: &Pool, wake: Wake) -> Self {
        let machine = Decoding { stream: Stream::Waiting { has_asked: false }, format: None };
        Self { actor: Actor::new(pool, machine, wake), gate: Gate::Open }
    }

    /// Hands over the next access unit in decoding order; the earlier its deadline, the sooner it runs.
    pub fn submit(&mut self, frame: Frame, deadline: Instant) {
        let gate = &mut self.gate;
        let has_note = self.actor.with(|mailbox| gate.admit(mailbox, frame, deadline));
        if has_note {
            self.actor.wake();
        }
    }

    /// What has come out since the last call.
    pub fn poll(&mut self) -> Option<VideoOutput> {
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

impl Gate {
    /// Applies the inbox's rule; true if a keyframe is asked for.
    fn admit(&mut self, mailbox: &mut Mailbox<Decoding>, frame: Frame, deadline: Instant) -> bool {
        if *self == Self::UntilKeyframe && !frame.is_key {
            mailbox.stats.awaited += 1;
            return false;
        }
        *self = Self::Open;
        if mailbox.inbox.len() < INBOX_MAX {
            mailbox.inbox.push_back((deadline, frame));
            return false;
        }
        if let Some(next_key) = mailbox.inbox.iter().skip(1).position(|(_, frame)| frame.is_key) {
            mailbox.stats.overflowed += mailbox.inbox.drain(..=next_key).len() as u64;
            mailbox.inbox.push_back((deadline, frame));
            return false;
        }
        mailbox.stats.overflowed += mailbox.inbox.drain(..).len() as u64;
        if frame.is_key {
            mailbox.inbox.push_back((deadline, frame));
            return false;
        }
        mailbox.stats.overflowed += 1;
        *self = Self::UntilKeyframe;
        Decoding::deliver(&mut mailbox.outbox, VideoOutput::NeedKeyframe, &mut mailbox.stats);
        true
    }
}

/// The codec thread's side.
struct Decoding {
    format: Option<Arc<Format>>,
    stream: Stream,
}

enum Stream {
    Waiting {
        has_asked: bool,
    },
    Running(Running),
    /// Until the format changes.
    Dead,
}

struct Running {
    library: Library,
    sets: ParameterSets,
}

impl Machine for Decoding {
    type Input = Frame;
    type Output = VideoOutput;
    const WORK: Work = Work::VideoDecode;

    fn turn(&mut self, frame: Frame, outlet: &mut Outlet<VideoOutput>) {
        self.note_format(&frame.format, outlet);
        let stream = std::mem::replace(&mut self.stream, Stream::Dead);
        self.stream = match stream.step(&frame, outlet) {
            Ok(stream) => stream,
            Err(Flaw::Damaged) => {
                outlet.stats().damaged += 1;
                outlet.send(VideoOutput::NeedKeyframe);
                Stream::Waiting { has_asked: true }
            }
            Err(Flaw::Undecodable(reason)) => {
                outlet.send(VideoOutput::Dead(reason));
                Stream::Dead
            }
        };
    }

    fn crashed() -> Option<VideoOutput> {
        Some(VideoOutput::Dead(Undecodable::Crashed))
    }

    /// Of the two notes one of each waits at most; of pictures the newest.
    fn deliver(outbox: &mut VecDeque<VideoOutput>, output: VideoOutput, stats: &mut Stats) {
        let is_same_kind = |other: &VideoOutput| std::mem::discriminant(other) == std::mem::discriminant(&output);
        let limit = if matches!(output, VideoOutput::Picture { .. }) { PICTURES_MAX } else { 1 };
        if outbox.iter().filter(|other| is_same_kind(other)).count() >= limit
            && let Some(oldest) = outbox.iter().position(is_same_kind)
        {
            outbox.remove(oldest);
            stats.overtaken += u64::from(limit == PICTURES_MAX);
        }
        outbox.push_back(output);
    }
}

impl Decoding {
    fn note_format(&mut self, format: &Arc<Format>, outlet: &mut Outlet<VideoOutput>) {
        let is_known = self.format.as_ref().is_some_and(|known| Arc::ptr_eq(known, format) || known == format);
        if is_known {
            return;
        }
        self.format = Some(Arc::clone(format));
        if let Stream::Running(running) = &mut self.stream {
            running.flush(outlet);
        }
        self.stream = Stream::Waiting { has_asked: false };
    }
}

impl Stream {
    fn step(self, frame: &Frame, outlet: &mut Outlet<VideoOutput>) -> Result<Self, Flaw> {
        let mut running = match self {
            Self::Dead => {
                outlet.stats().damaged += 1;
                return Ok(Self::Dead);
            }
            Self::Waiting { has_asked } if !frame.is_key => {
                outlet.stats().awaited += 1;
                if !has_asked {
                    outlet.send(VideoOutput::NeedKeyframe);
                }
                return Ok(Self::Waiting { has_asked: true });
            }
            Self::Waiting { .. } => Running::open(&frame.format)?,
            Self::Running(running) => running,
        };
        running.decode(frame, outlet)?;
        Ok(Self::Running(running))
    }
}

impl Running {
    fn open(format: &Format) -> Result<Self, Flaw> {
        let Format::H264(format) = format else { return Err(Flaw::Undecodable(Undecodable::Kind)) };
        let sets = ParameterSets::from_record(&format.record).map_err(Flaw::Undecodable)?;
        let library = primed(&sets)?;
        Ok(Self { library, sets })
    }

    fn decode(&mut self, frame: &Frame, outlet: &mut Outlet<VideoOutput>) -> Result<(), Flaw> {
        let unit = self.sets.convert(&frame.data)?;
        if unit.changes_sps {
            // ITU-T H.264 §7.4.1.2.1: an active SPS changes at an IDR picture only.
            if !frame.is_key {
                return Err(Flaw::Damaged);
            }
            self.flush(outlet);
            self.library = primed(&self.sets)?;
        }
        if !unit.has_slice {
            return Ok(());
        }
        let shown = self.library.decode(&unit.annex_b, frame.pts).map_err(|_| Flaw::Damaged)?;
        if let Some((pts, picture)) = shown {
            outlet.send(VideoOutput::Picture { picture, pts });
        }
        Ok(())
    }

    fn flush(&mut self, outlet: &mut Outlet<VideoOutput>) {
        while let Some((pts, picture)) = self.library.flush() {
            outlet.send(VideoOutput::Picture { picture, pts });
        }
    }
}

/// A library instance that knows the parameter sets.
fn primed(sets: &ParameterSets) -> Result<Library, Flaw> {
    let refused = Flaw::Undecodable(Undecodable::Refused);
    let mut library = Library::new().map_err(|_| refused)?;
    library.decode(&sets.annex_b(), MediaTime::ZERO).map_err(|_| refused)?;
    Ok(library)
}
