//! Whose turn it is: calls of one serialization key one after another, and so many calls at once.
//!
//! A call first waits for its key, then for a place, so that a crowded key does not take the places
//! of others. Both queues are first come first served. A call that waits inside an effect gives both
//! back and queues again afterwards.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;
use crate::limit::Limit;

/// The queues of one plugin.
#[derive(Debug)]
pub(crate) struct Turns {
    places: Arc<Semaphore>,
    keys: Mutex<BTreeMap<String, Key>>,
    queued: AtomicUsize,
    waiting: AtomicUsize,
    in_flight_max: usize,
    queued_max: usize,
    waiting_max: usize,
    callers_per_key_max: usize,
}

#[derive(Debug, Default)]
struct Key {
    order: Arc<tokio::sync::Mutex<()>>,
    callers: usize,
}

/// How many calls there are at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crowd {
    pub(crate) in_flight: usize,
    pub(crate) queued: usize,
    pub(crate) waiting: usize,
}

/// Permission to run, given back when dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Arc<Turns>,
    key: Option<String>,
    held: Option<Held>,
}

/// Dropped in this order: the place first, so that the next caller of the key finds one.
#[derive(Debug)]
struct Held {
    _place: OwnedSemaphorePermit,
    _key: Option<KeyHold>,
}

#[derive(Debug)]
struct KeyHold {
    _order: OwnedMutexGuard<()>,
    _caller: Caller,
}

/// One caller in a key's count.
#[derive(Debug)]
struct Caller {
    turns: Arc<Turns>,
    key: String,
}

/// One call in a count.
struct Counted<'a>(&'a AtomicUsize);

impl Turns {
    /// Empty queues.
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        let in_flight_max = limits.in_flight_max.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            places: Arc::new(Semaphore::new(in_flight_max)),
            keys: Mutex::default(),
            queued: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            in_flight_max,
            queued_max: limits.queued_max,
            waiting_max: limits.waiting_max,
            callers_per_key_max: limits.callers_per_key_max,
        })
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// As many wait as may, for this key or at all.
    pub(crate) async fn enter(self: &Arc<Self>, key: Option<&str>) -> Result<Turn, Limit> {
        let held = {
            let _queued = if self.has_free_place(key) {
                None
            } else {
                Some(Counted::one(&self.queued, self.queued_max).ok_or(Limit::Queued)?)
            };
            self.hold(key, self.callers_per_key_max).await?
        };
        Ok(Turn { turns: Arc::clone(self), key: key.map(str::to_owned), held: Some(held) })
    }

    /// Calls that run, wait for their turn, and wait inside an effect.
    pub(crate) fn crowd(&self) -> Crowd {
        Crowd {
            in_flight: self.in_flight_max.saturating_sub(self.places.available_permits()),
            queued: self.queued.load(Ordering::Relaxed),
            waiting: self.waiting.load(Ordering::Relaxed),
        }
    }

    /// Would a call go on at once? Then it needs no place in the queue.
    fn has_free_place(&self, key: Option<&str>) -> bool {
        self.places.available_permits() > 0 && key.is_none_or(|key| !self.keys().contains_key(key))
    }

    async fn hold(self: &Arc<Self>, key: Option<&str>, callers_max: usize) -> Result<Held, Limit> {
        let key = match key {
            Some(key) => Some(self.hold_key(key, callers_max).await?),
            None => None,
        };
        let place = Arc::clone(&self.places).acquire_owned().await.expect("the places are never closed");
        Ok(Held { _place: place, _key: key })
    }

    async fn hold_key(self: &Arc<Self>, key: &str, callers_max: usize) -> Result<KeyHold, Limit> {
        let order = {
            let mut keys = self.keys();
            let entry = keys.entry(key.to_owned()).or_default();
            if entry.callers >= callers_max {
                return Err(Limit::CallersPerKey);
            }
            entry.callers += 1;
            Arc::clone(&entry.order)
        };
        let caller = Caller { turns: Arc::clone(self), key: key.to_owned() };
        Ok(KeyHold { _order: order.lock_owned().await, _caller: caller })
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Key>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Gives key and place back while `wait` runs, then queues for them again; `None`: too many calls
    /// wait so, and nothing was done.
    pub(crate) async fn away<T>(&mut self, wait: impl Future<Output = T>) -> Option<T> {
        let turns = Arc::clone(&self.turns);
        let _waiting = Counted::one(&turns.waiting, turns.waiting_max)?;
        self.held = None;
        let found = wait.await;
        // One who was let in before is let in again: callers are bounded where they come from.
        self.held = turns.hold(self.key.as_deref(), usize::MAX).await.ok();
        Some(found)
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let mut keys = self.turns.keys();
        if let Some(entry) = keys.get_mut(&self.key) {
            entry.callers -= 1;
            if entry.callers == 0 {
                keys.remove(&self.key);
            }
        }
    }
}

impl<'a> Counted<'a> {
    fn one(count: &'a AtomicUsize, max: usize) -> Option<Self> {
        let counted = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| (now < max).then_some(now + 1));
        counted.ok().map(|_| Self(count))
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn calls_of_one_key_run_one_after_another_in_order() {
        let turns = Turns::new(&Limits::default());
        let first = turns.enter(Some("room")).await.unwrap();
        let mut second = Box::pin(turns.enter(Some("room")));
        let mut third = Box::pin(turns.enter(Some("room")));
        assert!(second.as_mut().now_or_never().is_none(), "the key is taken");
        assert!(third.as_mut().now_or_never().is_none(), "the key is taken");
        assert!(turns.enter(Some("other")).now_or_never().is_some(), "another key is free");
        assert!(turns.enter(None).now_or_never().is_some(), "no key is free");

        drop(first);
        assert!(third.as_mut().now_or_never().is_none(), "the second comes first");
        let second = second.as_mut().now_or_never().unwrap().unwrap();
        drop(second);
        drop(third.as_mut().now_or_never().unwrap().unwrap());
        assert!(turns.keys().is_empty(), "nothing is left behind");
    }

    #[tokio::test]
    async fn whoever_waits_in_an_effect_holds_nobody_up() {
        let turns = Turns::new(&Limits { in_flight_max: 1, waiting_max: 1, ..Limits::default() });
        let mut slow = turns.enter(Some("room")).await.unwrap();
        let (ready, wait) = tokio::sync::oneshot::channel::<()>();
        let mut away = Box::pin(slow.away(wait));
        assert!(away.as_mut().now_or_never().is_none(), "it waits");

        let mut quick = turns.enter(Some("room")).now_or_never().expect("key and place are free").unwrap();
        assert!(quick.away(async {}).await.is_none(), "only one may wait so");
        ready.send(()).unwrap();
        assert!(away.as_mut().now_or_never().is_none(), "it queues again");
        drop(quick);
        assert!(away.as_mut().now_or_never().flatten().is_some(), "it goes on");
    }

    #[tokio::test]
    async fn queues_are_bounded() {
        let limits = Limits { in_flight_max: 1, queued_max: 1, callers_per_key_max: 2, ..Limits::default() };
        let turns = Turns::new(&limits);
        let running = turns.enter(Some("room")).await.unwrap();
        let mut queued = Box::pin(turns.enter(Some("room")));
        assert!(queued.as_mut().now_or_never().is_none());
        assert_eq!(turns.enter(None).await.err(), Some(Limit::Queued), "the queue is full");
        drop(queued);
        assert!(turns.enter(None).now_or_never().is_none(), "who gave up has left the queue");
        drop(running);

        let turns = Turns::new(&Limits { callers_per_key_max: 1, ..Limits::default() });
        let _running = turns.enter(Some("room")).await.unwrap();
        assert_eq!(turns.enter(Some("room")).await.err(), Some(Limit::CallersPerKey), "the key is crowded");
    }
}
