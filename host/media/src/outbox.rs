//! What waits for a viewer whose connection is the edge's: filled by a worker, emptied by the edge.
//!
//! Bounds and drops are those of its [`Backlog`]; bytes are shared by all viewers of a publication.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use heliu_model::{Frame, Kind, Traffic};
use tokio::sync::Notify;

use crate::backlog::{Backlog, State};

/// Shared by the two sides. A lock is held for a few instructions only.
#[derive(Debug)]
pub struct Outbox {
    inner: Mutex<Inner>,
    left: Notify,
}

#[derive(Debug)]
struct Inner {
    backlog: Backlog,
    reader: Option<Waker>,
}

/// What the edge finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// These leave next.
    Bytes(Bytes),
    /// All has left, and nothing follows.
    End,
    /// The viewer did not read, or the room broke: what it got is not whole.
    Cut,
}

impl Outbox {
    pub fn new() -> Arc<Self> {
        let inner = Inner { backlog: Backlog::new(Instant::now()), reader: None };
        Arc::new(Self { inner: Mutex::new(inner), left: Notify::new() })
    }

    /// Worker: would this frame be taken? Decides and counts; bytes follow by [`Outbox::push`].
    pub fn admits(&self, frame: &Frame) -> bool {
        self.lock().backlog.admits(frame)
    }

    /// Worker: takes the bytes of an admitted frame of this kind, and what must stand before it.
    pub fn push(&self, kind: Kind, bytes: impl IntoIterator<Item = Bytes>) {
        self.change(|backlog| {
            let now = Instant::now();
            bytes.into_iter().for_each(|bytes| backlog.push(bytes, now));
            backlog.leaves_at_once(kind, now)
        });
    }

    /// Worker: lets sound go that has waited long enough for a picture. True: some waits still.
    pub fn release_sound(&self, now: Instant) -> bool {
        let mut lingers = false;
        self.change(|backlog| {
            let is_due = backlog.take_lingering(now);
            lingers = backlog.lingers();
            is_due
        });
        lingers
    }

    /// Worker: nothing follows.
    pub fn finish(&self) {
        self.change(|backlog| {
            backlog.finish();
            true
        });
    }

    /// Worker: nothing leaves any more.
    pub fn cut(&self) {
        self.change(|backlog| {
            backlog.cut();
            true
        });
    }

    /// Worker: has it not moved for too long?
    pub fn is_stuck(&self, now: Instant) -> bool {
        self.lock().backlog.is_stuck(now)
    }

    /// Worker: how much waits.
    pub fn waiting_bytes(&self) -> u64 {
        self.lock().backlog.len_bytes() as u64
    }

    /// Worker: what has left so far.
    pub fn traffic(&self) -> Traffic {
        self.lock().backlog.counts().into()
    }

    /// Worker: waits until the viewer has gone.
    pub async fn until_left(&self) {
        self.left.notified().await;
    }

    /// Edge: is there something to take?
    pub fn poll_filled(&self, context: &mut Context<'_>) -> Poll<bool> {
        let mut inner = self.lock();
        match inner.backlog.state() {
            _ if !inner.backlog.is_empty() => Poll::Ready(true),
            State::Finishing | State::Cut => Poll::Ready(false),
            State::Flowing | State::Skipping => {
                inner.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Edge: takes what leaves next.
    pub fn poll_take(&self, context: &mut Context<'_>) -> Poll<Taken> {
        let mut inner = self.lock();
        if let Some(bytes) = inner.backlog.pop(Instant::now()) {
            return Poll::Ready(Taken::Bytes(bytes));
        }
        match inner.backlog.state() {
            State::Finishing => Poll::Ready(Taken::End),
            State::Cut => Poll::Ready(Taken::Cut),
            State::Flowing | State::Skipping => {
                inner.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Edge: the viewer has gone.
    pub fn leave(&self) {
        self.lock().backlog.cut();
        self.left.notify_one();
    }

    /// Wakes the edge if `change` says so.
    fn change(&self, change: impl FnOnce(&mut Backlog) -> bool) {
        let mut inner = self.lock();
        let wakes = change(&mut inner.backlog);
        let reader = if wakes { inner.reader.take() } else { None };
        drop(inner);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
