//! How long a guest has computed.
//!
//! A tick of the engine's clock stops a running guest every few milliseconds; the time since it was
//! last let run is charged, at most one tick of it: whatever is longer was the machine's doing, not
//! the guest's. Waiting is not charged, for a guest that waits is not polled.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two ticks of the engine's clock.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Shared between the guest's future and the engine's callback.
#[derive(Debug, Clone)]
pub(crate) struct Meter(Arc<Mutex<Account>>);

#[derive(Debug)]
struct Account {
    left: Duration,
    running_since: Option<Instant>,
}

/// The guest has used up its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UsedUp;

impl Meter {
    /// Allows so much computing.
    pub(crate) fn new(allowed: Duration) -> Self {
        Self(Arc::new(Mutex::new(Account { left: allowed, running_since: None })))
    }

    /// Runs `future`, charging the time inside its polls.
    pub(crate) async fn charge<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| {
            self.with(|account| account.running_since = Some(Instant::now()));
            let polled = future.as_mut().poll(context);
            self.with(|account| account.settle(Instant::now(), None));
            polled
        })
        .await
    }

    /// The engine's clock has ticked while the guest ran.
    pub(crate) fn tick(&self) -> Result<(), UsedUp> {
        let now = Instant::now();
        self.with(|account| {
            account.settle(now, Some(now));
            if account.left.is_zero() { Err(UsedUp) } else { Ok(()) }
        })
    }

    /// Is nothing left?
    pub(crate) fn is_used_up(&self) -> bool {
        self.with(|account| account.left.is_zero())
    }

    fn with<T>(&self, change: impl FnOnce(&mut Account) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Account {
    fn settle(&mut self, now: Instant, running_since: Option<Instant>) {
        if let Some(since) = self.running_since {
            let ran = now.saturating_duration_since(since).min(TICK);
            self.left = self.left.saturating_sub(ran);
        }
        self.running_since = running_since;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_running_is_charged_and_at_most_a_tick_at_once() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut account = Account { left: Duration::from_millis(12), running_since: None };

        for (what, now, then, left) in [
            ("let run", 0, Some(at(0)), 12),
            ("ran three", 3, Some(at(3)), 9),
            ("the machine was away", 500, None, 4),
            ("waited", 900, Some(at(900)), 4),
            ("used up", 905, None, 0),
        ] {
            account.settle(at(now), then);
            assert_eq!(account.left, Duration::from_millis(left), "{what}");
        }
    }
}
