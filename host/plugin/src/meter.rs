//! How long a guest has computed.
//!
//! A tick of the engine's clock stops a running guest every few milliseconds; the time since it was
//! last let run is charged, at most one tick of it: whatever is longer was the machine's doing, not
//! the guest's. Waiting is not charged, for a guest that waits is not polled. What is charged to a guest
//! is taken from its plugin's share as well.
//!
//! Guests of one plugin compute on all cores but one at a time: a plugin whose calls all loop leaves a
//! thread to everybody else. Each tick a guest gives its seat to the next.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::share::Share;
use crate::stats::Counter;

/// Between two ticks of the engine's clock.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// What all guests of a plugin compute.
#[derive(Debug)]
pub(crate) struct Spending {
    share: Mutex<Share>,
    micros: Counter,
    seats: Semaphore,
}

/// Shared between the guest's future and the engine's callback.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    account: Arc<Mutex<Account>>,
    spending: Arc<Spending>,
}

#[derive(Debug)]
struct Account {
    left: Duration,
    running_since: Option<Instant>,
}

/// The guest has used up its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UsedUp;

impl Spending {
    /// Nothing computed yet; at most so many percent of a core, 0 for no ceiling.
    pub(crate) fn new(percent_max: u32) -> Arc<Self> {
        let cores = available_parallelism().map_or(1, usize::from);
        Self::with_seats(percent_max, cores.saturating_sub(1).max(1))
    }

    fn with_seats(percent_max: u32, seats: usize) -> Arc<Self> {
        let share = Mutex::new(Share::new(percent_max, Instant::now()));
        Arc::new(Self { share, micros: Counter::default(), seats: Semaphore::new(seats) })
    }

    /// How long no call may begin; `None`: begin.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.share().wait(Instant::now())
    }

    /// All that was computed so far.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_micros(self.micros.value())
    }

    fn take(&self, ran: Duration) {
        self.share().take(ran);
        self.micros.add(u64::try_from(ran.as_micros()).unwrap_or(u64::MAX));
    }

    fn share(&self) -> MutexGuard<'_, Share> {
        self.share.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Meter {
    /// Allows so much computing.
    pub(crate) fn new(allowed: Duration, spending: Arc<Spending>) -> Self {
        let account = Account { left: allowed, running_since: None };
        Self { account: Arc::new(Mutex::new(account)), spending }
    }

    /// Allows so much from here on, for another run.
    pub(crate) fn restart(&self, allowed: Duration) {
        *self.account() = Account { left: allowed, running_since: None };
    }

    /// Runs `future`, charging the time inside its polls; each waits for a seat.
    pub(crate) async fn charge<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            let seat = self.spending.seats.acquire().await.expect("the seats are never closed");
            let polled = poll_fn(|context| {
                self.account().running_since = Some(Instant::now());
                let polled = future.as_mut().poll(context);
                self.settle(Instant::now(), None);
                Poll::Ready(polled)
            });
            let polled = polled.await;
            drop(seat);
            match polled {
                Poll::Ready(output) => return output,
                Poll::Pending => until_woken().await,
            }
        }
    }

    /// The engine's clock has ticked while the guest ran.
    pub(crate) fn tick(&self) -> Result<(), UsedUp> {
        let now = Instant::now();
        self.settle(now, Some(now));
        if self.is_used_up() { Err(UsedUp) } else { Ok(()) }
    }

    /// Is nothing left?
    pub(crate) fn is_used_up(&self) -> bool {
        self.account().left.is_zero()
    }

    fn settle(&self, now: Instant, running_since: Option<Instant>) {
        let ran = self.account().settle(now, running_since);
        self.spending.take(ran);
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Goes on when whoever was polled last has woken this task.
async fn until_woken() {
    let mut has_waited = false;
    poll_fn(|_| if std::mem::replace(&mut has_waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

impl Account {
    /// Charges what ran until `now`, and says how much that was.
    fn settle(&mut self, now: Instant, running_since: Option<Instant>) -> Duration {
        let since = std::mem::replace(&mut self.running_since, running_since);
        let ran = since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since).min(TICK));
        self.left = self.left.saturating_sub(ran);
        ran
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn only_running_is_charged_and_at_most_a_tick_at_once() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut account = Account { left: Duration::from_millis(12), running_since: None };

        for (what, now, then, ran, left) in [
            ("let run", 0, Some(at(0)), 0, 12),
            ("ran three", 3, Some(at(3)), 3, 9),
            ("the machine was away", 500, None, 5, 4),
            ("waited", 900, Some(at(900)), 0, 4),
            ("used up", 905, None, 5, 0),
        ] {
            assert_eq!(account.settle(at(now), then), Duration::from_millis(ran), "{what}");
            assert_eq!(account.left, Duration::from_millis(left), "{what}");
        }
    }

    #[tokio::test]
    async fn guests_of_a_plugin_take_turns_on_its_seats() {
        let spending = Spending::with_seats(0, 1);
        let log = Mutex::new(Vec::new());
        let guest = |name: &'static str| {
            let (log, meter) = (&log, Meter::new(Duration::from_secs(1), Arc::clone(&spending)));
            async move {
                let steps = async {
                    for _ in 0..3 {
                        log.lock().unwrap().push(name);
                        tokio::task::yield_now().await;
                    }
                };
                meter.charge(steps).await;
            }
        };
        let taken = spending.seats.acquire().await.unwrap();
        let mut waits = Box::pin(guest("c"));
        assert!(waits.as_mut().now_or_never().is_none() && log.lock().unwrap().is_empty(), "no seat is free");
        drop((taken, waits));
        tokio::join!(biased; guest("a"), guest("b"));
        assert_eq!(*log.lock().unwrap(), ["a", "b", "a", "b", "a", "b"]);
        assert_eq!(spending.seats.available_permits(), 1);
    }
}
