//! What waits to be written to one TCP connection.
//!
//! Bounded in bytes. Control bytes always fit, or the connection is over. A frame that finds the queue
//! full is dropped with all that follow, up to the next keyframe that finds it half empty: the viewer
//! loses whole groups of pictures for himself only. Dropped frames are counted.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use heliu_model::{Frame, Kind};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;

/// Frames: about four seconds at 8 Mbit/s.
const FRAME_BYTES_MAX: usize = 4 << 20;
/// Control bytes beyond this: the other side does not read at all.
const CONTROL_BYTES_MAX: usize = 256 << 10;
/// Chunks in one write.
const CHUNKS_PER_WRITE: usize = 64;
/// A connection whose queue does not move for so long is cut.
pub const STUCK_AFTER: Duration = Duration::from_secs(30);

/// Belongs to one connection; used from its worker only.
#[derive(Debug)]
pub struct SendQueue {
    waiting: RefCell<VecDeque<Bytes>>,
    len_bytes: Cell<usize>,
    state: Cell<State>,
    moved_at: Cell<Instant>,
    has_video: Cell<bool>,
    counts: Cell<Counts>,
    wake: Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Flowing,
    /// Until the next keyframe.
    Skipping,
    /// Nothing is taken any more; what waits is still written.
    Finishing,
    /// Nothing is written any more.
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

/// Why the writer stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// All was written after [`SendQueue::finish`].
    Clean,
    /// The socket failed, or [`SendQueue::cut`] was called.
    Broken,
}

impl SendQueue {
    pub fn new() -> Self {
        Self {
            waiting: RefCell::default(),
            len_bytes: Cell::new(0),
            state: Cell::new(State::Flowing),
            moved_at: Cell::new(Instant::now()),
            has_video: Cell::new(false),
            counts: Cell::default(),
            wake: Notify::new(),
        }
    }

    /// Takes bytes that must arrive. Too many of them cut the connection.
    pub fn push_control(&self, bytes: Bytes) {
        if matches!(self.state.get(), State::Finishing | State::Cut) || bytes.is_empty() {
            return;
        }
        if self.len_bytes.get() > FRAME_BYTES_MAX + CONTROL_BYTES_MAX {
            self.cut();
            return;
        }
        self.push(bytes);
    }

    /// Would this frame be taken? Decides and counts; bytes follow by [`SendQueue::push_frame`].
    pub fn admits(&self, frame: &Frame) -> bool {
        let is_video = frame.kind() == Kind::Video;
        self.has_video.set(self.has_video.get() || is_video);
        let starts = frame.is_key && (is_video || !self.has_video.get());
        let len = self.len_bytes.get();
        let state = match self.state.get() {
            State::Flowing if len + frame.data.len() > FRAME_BYTES_MAX && len > 0 => State::Skipping,
            State::Skipping if starts && len < FRAME_BYTES_MAX / 2 => State::Flowing,
            state => state,
        };
        self.state.set(state);
        let mut counts = self.counts.get();
        if state == State::Flowing {
            counts.frames += 1;
        } else {
            counts.frames_dropped += 1;
        }
        self.counts.set(counts);
        state == State::Flowing
    }

    /// Takes the bytes of an admitted frame.
    pub fn push_frame(&self, bytes: Bytes) {
        self.push(bytes);
    }

    /// Takes nothing more; the writer ends after what waits.
    pub fn finish(&self) {
        if self.state.get() != State::Cut {
            self.state.set(State::Finishing);
        }
        self.wake.notify_one();
    }

    /// Forgets what waits; the writer ends at once.
    pub fn cut(&self) {
        self.state.set(State::Cut);
        self.waiting.borrow_mut().clear();
        self.len_bytes.set(0);
        self.wake.notify_one();
    }

    /// Has it not moved for too long?
    pub fn is_stuck(&self, now: Instant) -> bool {
        self.len_bytes.get() > 0 && now.saturating_duration_since(self.moved_at.get()) >= STUCK_AFTER
    }

    /// What waits, for a test that is the writer.
    #[cfg(test)]
    pub fn take_all(&self) -> Vec<Bytes> {
        self.len_bytes.set(0);
        self.waiting.borrow_mut().drain(..).collect()
    }

    pub fn counts(&self) -> Counts {
        self.counts.get()
    }

    /// Writes until the queue is finished, cut or the socket fails.
    pub async fn write_to(&self, socket: &mut OwnedWriteHalf) -> Finish {
        loop {
            if self.write_waiting(socket).await.is_err() {
                self.cut();
            }
            match self.state.get() {
                State::Cut => return Finish::Broken,
                State::Finishing if self.len_bytes.get() == 0 => {
                    let _ = socket.shutdown().await;
                    return Finish::Clean;
                }
                State::Finishing | State::Flowing | State::Skipping => {}
            }
            if self.len_bytes.get() == 0 {
                self.wake.notified().await;
            }
        }
    }

    async fn write_waiting(&self, socket: &mut OwnedWriteHalf) -> std::io::Result<()> {
        while self.len_bytes.get() > 0 {
            let batch: Vec<Bytes> = self.waiting.borrow().iter().take(CHUNKS_PER_WRITE).cloned().collect();
            let slices: Vec<std::io::IoSlice<'_>> = batch.iter().map(|bytes| std::io::IoSlice::new(bytes)).collect();
            tokio::select! {
                written = socket.write_vectored(&slices) => self.advance(written?)?,
                () = self.until_cut() => return Err(std::io::ErrorKind::ConnectionAborted.into()),
            }
        }
        Ok(())
    }

    async fn until_cut(&self) {
        while self.state.get() != State::Cut {
            self.wake.notified().await;
        }
    }

    fn advance(&self, written: usize) -> std::io::Result<()> {
        if written == 0 {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        let mut left = written;
        let mut waiting = self.waiting.borrow_mut();
        while left > 0 {
            let Some(first) = waiting.front_mut() else { break };
            if first.len() > left {
                bytes::Buf::advance(first, left);
                left = 0;
            } else {
                left -= first.len();
                waiting.pop_front();
            }
        }
        self.len_bytes.set(self.len_bytes.get().saturating_sub(written));
        self.moved_at.set(Instant::now());
        let mut counts = self.counts.get();
        counts.bytes += written as u64;
        self.counts.set(counts);
        Ok(())
    }

    fn push(&self, bytes: Bytes) {
        if self.len_bytes.get() == 0 {
            self.moved_at.set(Instant::now());
        }
        self.len_bytes.set(self.len_bytes.get() + bytes.len());
        self.waiting.borrow_mut().push_back(bytes);
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use heliu_model::{Format, H264Format, MediaTime, Size};

    use super::*;

    #[test]
    fn a_full_queue_drops_up_to_a_keyframe_that_finds_it_half_empty() {
        let queue = SendQueue::new();
        for (what, is_key, len, drained, want) in [
            ("fits", true, 3 << 20, 0, true),
            ("is too much", false, 2 << 20, 0, false),
            ("would fit, but refers to a dropped one", false, 1, 0, false),
            ("a keyframe, but the queue is still over half", true, 1, 0, false),
            ("a delta after the queue has drained", false, 1, 2 << 20, false),
            ("a keyframe", true, 1, 0, true),
            ("and on", false, 1, 0, true),
        ] {
            if drained > 0 {
                queue.advance(drained).unwrap();
            }
            let frame = frame(is_key, len);
            assert_eq!(queue.admits(&frame), want, "{what}");
            if want {
                queue.push_frame(frame.data);
            }
        }
        assert_eq!(queue.counts(), Counts { bytes: 2 << 20, frames: 3, frames_dropped: 4 });
    }

    #[test]
    fn a_viewer_that_never_reads_control_bytes_is_cut() {
        let queue = SendQueue::new();
        for _ in 0..200 {
            queue.push_control(Bytes::from(vec![0; 64 << 10]));
        }
        assert_eq!(queue.state.get(), State::Cut);
        assert_eq!(queue.len_bytes.get(), 0);
    }

    fn frame(is_key: bool, len: usize) -> Frame {
        let size = Size { width: 16, height: 16 };
        let format = Format::H264(H264Format { record: Bytes::new(), size, frame_rate: None });
        let time = MediaTime::ZERO;
        Frame { format: Arc::new(format), dts: time, pts: time, is_key, data: vec![0; len].into() }
    }
}
