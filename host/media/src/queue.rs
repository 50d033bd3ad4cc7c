//! What waits to be written to one TCP connection, and the writing.
//!
//! Bounds and drops are those of its [`Backlog`]. What waits when the queue is finished has two seconds
//! to leave.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use bytes::Bytes;
use heliu_model::{Frame, Kind};
use tokio::io::{AsyncWriteExt, WriteHalf};
use tokio::sync::Notify;

use crate::backlog::{Backlog, Counts, State};
use crate::net::Stream;

/// Chunks in one write.
const CHUNKS_PER_WRITE: usize = 64;
/// What waits at the end may take so long to leave.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Belongs to one connection; used from its worker only.
#[derive(Debug)]
pub struct SendQueue {
    backlog: RefCell<Backlog>,
    finish_by: Cell<Option<Instant>>,
    wake: Notify,
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
        let backlog = RefCell::new(Backlog::new(Instant::now()));
        Self { backlog, finish_by: Cell::new(None), wake: Notify::new() }
    }

    /// Takes bytes that must arrive. Too many of them cut the connection.
    pub fn push_control(&self, bytes: Bytes) {
        self.backlog.borrow_mut().push_control(bytes, Instant::now());
        self.wake.notify_one();
    }

    /// Would this frame be taken? Decides and counts; bytes follow by [`SendQueue::push_frame`].
    pub fn admits(&self, frame: &Frame) -> bool {
        self.backlog.borrow_mut().admits(frame)
    }

    /// Takes bytes of an admitted frame; [`SendQueue::release`] follows behind the last of them.
    pub fn push_frame(&self, bytes: Bytes) {
        self.backlog.borrow_mut().push(bytes, Instant::now());
    }

    /// A frame of this kind is complete.
    pub fn release(&self, kind: Kind) {
        if self.backlog.borrow_mut().leaves_at_once(kind, Instant::now()) {
            self.wake.notify_one();
        }
    }

    /// Lets sound go that has waited long enough for a picture. True: some waits still.
    pub fn release_sound(&self, now: Instant) -> bool {
        let mut backlog = self.backlog.borrow_mut();
        if backlog.take_lingering(now) {
            self.wake.notify_one();
        }
        backlog.lingers()
    }

    /// Takes nothing more; the writer ends after what waits.
    pub fn finish(&self) {
        self.backlog.borrow_mut().finish();
        self.finish_by.set(self.finish_by.get().or(Some(Instant::now() + LAST_WORDS)));
        self.wake.notify_one();
    }

    /// Forgets what waits; the writer ends at once.
    pub fn cut(&self) {
        self.backlog.borrow_mut().cut();
        self.wake.notify_one();
    }

    /// Has it not moved for too long?
    pub fn is_stuck(&self, now: Instant) -> bool {
        self.backlog.borrow().is_stuck(now)
    }

    /// What waits, for a test that is the writer.
    #[cfg(test)]
    pub fn take_all(&self) -> Vec<Bytes> {
        let mut backlog = self.backlog.borrow_mut();
        std::iter::from_fn(|| backlog.pop(Instant::now())).collect()
    }

    /// How much waits to be written.
    pub fn waiting_bytes(&self) -> u64 {
        self.backlog.borrow().len_bytes() as u64
    }

    pub fn counts(&self) -> Counts {
        self.backlog.borrow().counts()
    }

    /// Writes until the queue is finished, cut or the socket fails.
    pub async fn write_to(&self, socket: &mut WriteHalf<Stream>) -> Finish {
        loop {
            if self.write_waiting(socket).await.is_err() {
                self.cut();
            }
            match self.state() {
                State::Cut => return Finish::Broken,
                State::Finishing if self.is_empty() => {
                    let _ = socket.shutdown().await;
                    return Finish::Clean;
                }
                State::Finishing | State::Flowing | State::Skipping => {}
            }
            if self.is_empty() {
                self.wake.notified().await;
            }
        }
    }

    async fn write_waiting(&self, socket: &mut WriteHalf<Stream>) -> std::io::Result<()> {
        while !self.is_empty() {
            let batch: Vec<Bytes> = self.backlog.borrow().front(CHUNKS_PER_WRITE).cloned().collect();
            let slices: Vec<std::io::IoSlice<'_>> = batch.iter().map(|bytes| std::io::IoSlice::new(bytes)).collect();
            let written = tokio::select! {
                written = socket.write_vectored(&slices) => written?,
                () = self.until_given_up() => return Err(std::io::ErrorKind::ConnectionAborted.into()),
            };
            if written == 0 {
                return Err(std::io::ErrorKind::WriteZero.into());
            }
            self.backlog.borrow_mut().advance(written, Instant::now());
        }
        // TLS may hold back the end of what it has taken.
        tokio::select! {
            flushed = socket.flush() => flushed,
            () = self.until_given_up() => Err(std::io::ErrorKind::ConnectionAborted.into()),
        }
    }

    async fn until_given_up(&self) {
        while self.state() != State::Cut {
            match self.finish_by.get() {
                Some(by) if tokio::time::timeout_at(by.into(), self.wake.notified()).await.is_err() => return,
                Some(_) => {}
                None => self.wake.notified().await,
            }
        }
    }

    fn state(&self) -> State {
        self.backlog.borrow().state()
    }

    fn is_empty(&self) -> bool {
        self.backlog.borrow().is_empty()
    }
}
