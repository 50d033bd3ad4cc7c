//! The codec threads: they run whichever actor has the earliest deadline, sound before pictures.
//!
//! A run is one input of one actor, so a late tick of a mixer waits for at most one picture per
//! thread. An actor stands in the queue at most once, which is what makes it sequential. Sound goes
//! first because it costs little and a listener hears what a viewer would not see: pictures that are
//! overdue all together must not keep it waiting.
//!
//! Not here: what an actor is and how its turn may fail (`actor`).

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::effort::{Effort, Ledger, Work};

/// Codec threads. Clones share them; they end after the last clone and the last codec are dropped.
#[derive(Clone)]
pub struct Pool(Arc<Threads>);

struct Threads {
    queue: Arc<RunQueue>,
}

/// What an actor works on; the first goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Sound,
    Pictures,
}

/// Where an actor stands in the run queue: sound first, then the earliest deadline, then who came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    class: Class,
    pub(crate) deadline: Instant,
    number: u64,
}

/// Something that waits for a thread.
pub(crate) trait Run: Send + Sync {
    /// Does one piece of work; `place` is where it stood.
    fn run(self: Arc<Self>, place: Place);
}

/// Holds every runnable actor once: bounded by the number of codecs.
pub(crate) struct RunQueue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    idle: Condvar,
    pub(crate) ledger: Ledger,
}

struct Waiting {
    runs: BTreeMap<Place, Arc<dyn Run>>,
    number: u64,
    running: usize,
    is_closed: bool,
}

impl Pool {
    /// Starts `threads` codec threads, at least one.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(threads: usize) -> std::io::Result<Self> {
        let waiting = Waiting { runs: BTreeMap::new(), number: 0, running: 0, is_closed: false };
        let [changed, idle] = [Condvar::new(), Condvar::new()];
        let queue = Arc::new(RunQueue { waiting: Mutex::new(waiting), changed, idle, ledger: Ledger::default() });
        let pool = Self(Arc::new(Threads { queue: Arc::clone(&queue) }));
        for number in 0..threads.max(1) {
            let queue = Arc::clone(&queue);
            thread::Builder::new().name(format!("codec-{number}")).spawn(move || queue.serve())?;
        }
        tracing::debug!(threads, simd = crate::has_simd(), "codec threads started");
        Ok(pool)
    }

    /// Blocks until nothing waits and nothing runs: for whoever moves time by hand and wants all that
    /// was submitted worked on. With somebody else submitting meanwhile, it may never come back.
    pub fn settle(&self) {
        let queue = &self.0.queue;
        let is_busy = |waiting: &mut Waiting| waiting.running > 0 || !waiting.runs.is_empty();
        drop(queue.idle.wait_while(queue.lock(), is_busy).unwrap_or_else(PoisonError::into_inner));
    }

    /// What all codecs of these threads have done so far.
    #[must_use]
    pub fn efforts(&self) -> [(Work, Effort); Work::ALL.len()] {
        self.0.queue.ledger.read()
    }

    pub(crate) fn queue(&self) -> &Arc<RunQueue> {
        &self.0.queue
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.queue.lock().is_closed = true;
        self.queue.changed.notify_all();
    }
}

impl RunQueue {
    pub(crate) fn put(&self, class: Class, deadline: Instant, run: Arc<dyn Run>) -> Place {
        let mut waiting = self.lock();
        waiting.number += 1;
        let place = Place { class, deadline, number: waiting.number };
        waiting.runs.insert(place, run);
        drop(waiting);
        self.changed.notify_one();
        place
    }

    pub(crate) fn remove(&self, place: Place) {
        let run = self.lock().runs.remove(&place);
        // Dropped without the lock: the last reference to an actor drops its codec.
        drop(run);
    }

    fn serve(&self) {
        while let Some((place, run)) = self.next() {
            run.run(place);
            self.rest();
        }
    }

    fn rest(&self) {
        let mut waiting = self.lock();
        waiting.running -= 1;
        if waiting.running == 0 && waiting.runs.is_empty() {
            self.idle.notify_all();
        }
    }

    fn next(&self) -> Option<(Place, Arc<dyn Run>)> {
        let mut waiting = self.lock();
        loop {
            if let Some(first) = waiting.runs.pop_first() {
                waiting.running += 1;
                return Some(first);
            }
            if waiting.is_closed {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No code of others runs under this lock, so a poisoned one is still whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
