//! What waits to leave on one connection, and the rule by which a slow receiver loses frames.
//!
//! Bounded in bytes. Control bytes always fit, or the connection is over. A frame that finds the backlog
//! full is dropped with all that follow, up to the next keyframe that finds it half empty: the receiver
//! loses whole groups of pictures for himself only. Dropped frames are counted.
//!
//! A picture leaves at once. Sound rides along with the next picture, or leaves after [`SOUND_WAIT`]: a
//! write costs nearly the same whatever it carries, and is most of what a player costs.
//!
//! A plain value: [`SendQueue`](crate::queue::SendQueue) keeps one on a worker,
//! [`Outbox`](crate::outbox::Outbox) one between a worker and the edge.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use heliu_model::{Frame, Kind, Traffic};

/// Frames: about four seconds at 8 Mbit/s. They are shared by all who wait for them.
const FRAME_BYTES_MAX: usize = 4 << 20;
/// Control bytes beyond this: the other side does not read at all.
const CONTROL_BYTES_MAX: usize = 256 << 10;
/// How long sound waits for a picture. They come every 40 ms at 25 a second; nobody hears the difference,
/// because what is heard with the next picture is there with the next picture. Half of it would let most
/// sound leave alone: 48 writes a second for each player instead of 25, or of 30 at 30 pictures.
const SOUND_WAIT: Duration = Duration::from_millis(40);
/// A connection whose backlog does not move for so long is cut. The kernel has taken some seconds' worth
/// before that, and within 30 s of its last read a viewer shall be gone.
const STUCK_AFTER: Duration = Duration::from_secs(15);

/// Bytes in the order in which they leave.
#[derive(Debug)]
pub struct Backlog {
    waiting: VecDeque<Bytes>,
    len_bytes: usize,
    state: State,
    moved_at: Instant,
    has_video: bool,
    /// Sound waits for a picture since then.
    lingers: Option<Instant>,
    counts: Counts,
}

/// How far its connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Frames are taken.
    Flowing,
    /// None is, until the next keyframe.
    Skipping,
    /// Nothing is taken any more; what waits still leaves.
    Finishing,
    /// Nothing leaves any more.
    Cut,
}

/// What went through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes written.
    pub bytes: u64,
    /// Frames taken.
    pub frames: u64,
    /// Frames given up.
    pub frames_dropped: u64,
}

impl From<Counts> for Traffic {
    fn from(counts: Counts) -> Self {
        let Counts { bytes, frames, frames_dropped } = counts;
        Self { bytes, frames, frames_dropped }
    }
}

impl Backlog {
    pub fn new(now: Instant) -> Self {
        Self {
            waiting: VecDeque::new(),
            len_bytes: 0,
            state: State::Flowing,
            moved_at: now,
            has_video: false,
            lingers: None,
            counts: Counts::default(),
        }
    }

    /// Takes bytes that must arrive. Too many of them cut the connection.
    pub fn push_control(&mut self, bytes: Bytes, now: Instant) {
        if matches!(self.state, State::Finishing | State::Cut) || bytes.is_empty() {
            return;
        }
        if self.len_bytes > FRAME_BYTES_MAX + CONTROL_BYTES_MAX {
            self.cut();
            return;
        }
        self.push(bytes, now);
    }

    /// Would this frame be taken? Decides and counts; bytes follow by [`Backlog::push`].
    pub fn admits(&mut self, frame: &Frame) -> bool {
        let is_video = frame.kind() == Kind::Video;
        self.has_video |= is_video;
        let starts = frame.is_key && (is_video || !self.has_video);
        let len = self.len_bytes;
        self.state = match self.state {
            State::Flowing if len + frame.data.len() > FRAME_BYTES_MAX && len > 0 => State::Skipping,
            State::Skipping if starts && len < FRAME_BYTES_MAX / 2 => State::Flowing,
            state => state,
        };
        let is_taken = self.state == State::Flowing;
        let count = if is_taken { &mut self.counts.frames } else { &mut self.counts.frames_dropped };
        *count += 1;
        is_taken
    }

    /// Takes the bytes of an admitted frame.
    pub fn push(&mut self, bytes: Bytes, now: Instant) {
        if self.len_bytes == 0 {
            self.moved_at = now;
        }
        self.len_bytes += bytes.len();
        self.waiting.push_back(bytes);
    }

    /// A frame of this kind has been taken: does all that waits leave at once?
    pub fn leaves_at_once(&mut self, kind: Kind, now: Instant) -> bool {
        let waits = kind == Kind::Audio && self.has_video;
        self.lingers = waits.then(|| self.lingers.unwrap_or(now));
        !waits
    }

    /// Has some sound waited long enough? It leaves then.
    pub fn take_lingering(&mut self, now: Instant) -> bool {
        let is_due = self.lingers.is_some_and(|since| now.saturating_duration_since(since) >= SOUND_WAIT);
        if is_due {
            self.lingers = None;
        }
        is_due
    }

    /// Does sound wait for a picture?
    pub fn lingers(&self) -> bool {
        self.lingers.is_some()
    }

    /// Takes nothing more; what waits still leaves.
    pub fn finish(&mut self) {
        if self.state != State::Cut {
            self.state = State::Finishing;
        }
    }

    /// Forgets what waits; nothing leaves any more.
    pub fn cut(&mut self) {
        self.state = State::Cut;
        self.waiting = VecDeque::new();
        self.len_bytes = 0;
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// How much waits.
    pub fn len_bytes(&self) -> usize {
        self.len_bytes
    }

    pub fn is_empty(&self) -> bool {
        self.len_bytes == 0
    }

    /// Has it not moved for too long?
    pub fn is_stuck(&self, now: Instant) -> bool {
        self.len_bytes > 0 && now.saturating_duration_since(self.moved_at) >= STUCK_AFTER
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What leaves next.
    pub fn front(&self, chunks_max: usize) -> impl Iterator<Item = &Bytes> {
        self.waiting.iter().take(chunks_max)
    }

    /// Hands out what leaves next.
    pub fn pop(&mut self, now: Instant) -> Option<Bytes> {
        let bytes = self.waiting.pop_front()?;
        self.note_left(bytes.len(), now);
        Some(bytes)
    }

    /// So many bytes have left.
    pub fn advance(&mut self, written: usize, now: Instant) {
        let mut left = written;
        while left > 0 {
            let Some(first) = self.waiting.front_mut() else { break };
            if first.len() > left {
                first.advance(left);
                left = 0;
            } else {
                left -= first.len();
                self.waiting.pop_front();
            }
        }
        self.note_left(written, now);
    }

    fn note_left(&mut self, len: usize, now: Instant) {
        self.len_bytes = self.len_bytes.saturating_sub(len);
        self.counts.bytes += len as u64;
        self.moved_at = now;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use heliu_model::{Format, H264Format, MediaTime, Size};

    use super::*;

    #[test]
    fn a_full_backlog_drops_up_to_a_keyframe_that_finds_it_half_empty() {
        let now = Instant::now();
        let mut backlog = Backlog::new(now);
        for (what, is_key, len, drained, want) in [
            ("fits", true, 3 << 20, 0, true),
            ("is too much", false, 2 << 20, 0, false),
            ("would fit, but refers to a dropped one", false, 1, 0, false),
            ("a keyframe, but the backlog is still over half", true, 1, 0, false),
            ("a delta after the backlog has drained", false, 1, 2 << 20, false),
            ("a keyframe", true, 1, 0, true),
            ("and on", false, 1, 0, true),
        ] {
            if drained > 0 {
                backlog.advance(drained, now);
            }
            let frame = frame(is_key, len);
            assert_eq!(backlog.admits(&frame), want, "{what}");
            if want {
                backlog.push(frame.data, now);
            }
        }
        assert_eq!(backlog.counts(), Counts { bytes: 2 << 20, frames: 3, frames_dropped: 4 });
    }

    #[test]
    fn a_receiver_that_never_reads_control_bytes_is_cut() {
        let now = Instant::now();
        let mut backlog = Backlog::new(now);
        for _ in 0..200 {
            backlog.push_control(Bytes::from(vec![0; 64 << 10]), now);
        }
        assert_eq!(backlog.state(), State::Cut);
        assert!(backlog.is_empty());
    }

    #[test]
    fn only_what_waits_too_long_is_stuck() {
        let start = Instant::now();
        let mut backlog = Backlog::new(start);
        assert!(!backlog.is_stuck(start + STUCK_AFTER), "nothing waits");
        backlog.push(Bytes::from_static(b"1234"), start + STUCK_AFTER);
        assert!(!backlog.is_stuck(start + STUCK_AFTER), "it has just come");
        backlog.advance(1, start + 2 * STUCK_AFTER);
        assert!(!backlog.is_stuck(start + 2 * STUCK_AFTER), "it moves");
        backlog.push(Bytes::from_static(b"5"), start + 3 * STUCK_AFTER);
        assert!(backlog.is_stuck(start + 3 * STUCK_AFTER), "what came behind it does not count");
        assert_eq!(backlog.pop(start), Some(Bytes::from_static(b"234")));
    }

    #[test]
    fn sound_rides_along_with_pictures_if_there_are_any() {
        let now = Instant::now();
        let mut backlog = Backlog::new(now);
        let later = now + SOUND_WAIT;
        assert!(backlog.leaves_at_once(Kind::Audio, now), "no picture is to be expected");
        assert!(backlog.admits(&frame(true, 10)));
        assert!(backlog.leaves_at_once(Kind::Video, now));
        assert!(!backlog.leaves_at_once(Kind::Audio, now));
        assert!(!backlog.leaves_at_once(Kind::Audio, later), "the second does not begin the wait anew");
        assert!(!backlog.take_lingering(now) && backlog.lingers(), "not long enough");
        assert!(backlog.take_lingering(later), "it has waited long enough");
        assert!(!backlog.take_lingering(later), "once");
        assert!(!backlog.leaves_at_once(Kind::Audio, now) && backlog.leaves_at_once(Kind::Video, now));
        assert!(!backlog.take_lingering(later) && !backlog.lingers(), "it has left with the picture");
    }

    fn frame(is_key: bool, len: usize) -> Frame {
        let size = Size { width: 16, height: 16 };
        let format = Format::H264(H264Format { record: Bytes::new(), size, frame_rate: None });
        let time = MediaTime::ZERO;
        Frame { format: Arc::new(format), dts: time, pts: time, is_key, data: vec![0; len].into() }
    }
}
