//! A way that delays, shakes and loses what is sent over it.
//!
//! Not here: bandwidth. What is sent at one moment may all arrive at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use heliu_model::MediaTime;

use crate::rng::Rng;

/// Carries values from one simulated place to another.
#[derive(Debug)]
pub struct Link<T> {
    delay: Duration,
    jitter: Duration,
    loss: f64,
    keeps_order: bool,
    rng: Rng,
    sent: u64,
    latest: MediaTime,
    under_way: BTreeMap<(MediaTime, u64), T>,
}

impl<T> Link<T> {
    /// Every value takes `delay`, none is lost, order is kept.
    #[must_use]
    pub fn new(delay: Duration, seed: u64) -> Self {
        Self {
            delay,
            jitter: Duration::ZERO,
            loss: 0.0,
            keeps_order: true,
            rng: Rng::new(seed),
            sent: 0,
            latest: MediaTime(i64::MIN),
            under_way: BTreeMap::new(),
        }
    }

    /// Adds up to this much to each value's delay, evenly spread.
    #[must_use]
    pub fn jitter(self, jitter: Duration) -> Self {
        Self { jitter, ..self }
    }

    /// Loses values with this probability, 0 to 1.
    #[must_use]
    pub fn loss(self, loss: f64) -> Self {
        Self { loss, ..self }
    }

    /// Lets values overtake each other, as datagrams do; without, a late one holds up those behind it,
    /// as in a byte stream.
    #[must_use]
    pub fn overtaking(self) -> Self {
        Self { keeps_order: false, ..self }
    }

    /// Sends a value at `now`.
    pub fn send(&mut self, value: T, now: MediaTime) {
        if self.rng.chance(self.loss) {
            return;
        }
        let jitter_ns = u64::try_from(self.jitter.as_nanos()).unwrap_or(u64::MAX);
        let arrival = now + self.delay + Duration::from_nanos(self.rng.below(jitter_ns.saturating_add(1)));
        self.latest = self.latest.max(arrival);
        let arrival = if self.keeps_order { self.latest } else { arrival };
        self.under_way.insert((arrival, self.sent), value);
        self.sent += 1;
    }

    /// Nothing arrives before `until`, as when the way is interrupted and what is sent piles up.
    pub fn hold(&mut self, until: MediaTime) {
        let held = std::mem::take(&mut self.under_way);
        self.under_way = held.into_iter().map(|((arrival, sent), value)| ((arrival.max(until), sent), value)).collect();
        self.latest = self.latest.max(until);
    }

    /// When the next value arrives.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MediaTime> {
        self.under_way.keys().next().map(|(arrival, _)| *arrival)
    }

    /// The next value that has arrived by `now`.
    pub fn poll(&mut self, now: MediaTime) -> Option<T> {
        self.poll_timeout().filter(|arrival| *arrival <= now)?;
        self.under_way.pop_first().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_arrive_after_their_delay() {
        let mut link = Link::new(Duration::from_millis(20), 1);
        link.send('a', MediaTime::ZERO);
        link.send('b', MediaTime::from_millis(5));
        for (now, want) in [(19, None), (20, Some('a')), (24, None), (25, Some('b')), (99, None)] {
            assert_eq!(link.poll(MediaTime::from_millis(now)), want, "{now}");
        }
    }

    #[test]
    fn only_an_overtaking_link_changes_the_order() {
        for overtaking in [false, true] {
            let link = Link::new(Duration::ZERO, 3).jitter(Duration::from_millis(50));
            let mut link = if overtaking { link.overtaking() } else { link };
            (0..100).for_each(|n| link.send(n, MediaTime::from_millis(n)));
            let arrived: Vec<i64> = std::iter::from_fn(|| link.poll(MediaTime::from_millis(1_000))).collect();
            assert_eq!((arrived.len(), arrived.is_sorted()), (100, !overtaking));
        }
    }

    #[test]
    fn loss_has_its_probability() {
        let mut link = Link::new(Duration::ZERO, 5).loss(0.2);
        (0..10_000).for_each(|n| link.send(n, MediaTime(n)));
        let arrived = std::iter::from_fn(|| link.poll(MediaTime(10_000))).count();
        assert!((7_800..8_200).contains(&arrived), "{arrived}");
    }

    #[test]
    fn what_is_held_arrives_together_and_in_order() {
        let mut link = Link::new(Duration::from_millis(10), 1);
        (0..3).for_each(|n| link.send(n, MediaTime::from_millis(n)));
        link.hold(MediaTime::from_millis(500));
        link.send(3, MediaTime::from_millis(4));
        assert_eq!(link.poll(MediaTime::from_millis(499)), None);
        let arrived: Vec<i64> = std::iter::from_fn(|| link.poll(MediaTime::from_millis(500))).collect();
        assert_eq!(arrived, [0, 1, 2, 3]);
    }
}
