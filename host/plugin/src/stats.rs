//! What happened to the calls of one plugin, in numbers: counted by everybody, read as one value.
//!
//! Names of causes and limits are those an operator reads on a dashboard; they stay as they are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::fault::Fault;
use crate::limit::Limit;
use crate::turns::Crowd;

/// The counters of one plugin.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) calls: Counter,
    pub(crate) conflicts: Counter,
    pub(crate) reruns: Counter,
    pub(crate) replays: Counter,
    pub(crate) denials: Counter,
    pub(crate) instances: Counter,
    pub(crate) breaker_opened: Counter,
    faults: [Counter; Fault::ALL.len()],
    limits: [Counter; Limit::ALL.len()],
}

/// One moment of a plugin. Counts only grow, from the plugin's load on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatsSnapshot {
    /// Calls that began, whatever their kind.
    pub calls: u64,
    /// Commits that met another call.
    pub conflicts: u64,
    /// Runs after the first of a call.
    pub reruns: u64,
    /// Those of them that were fed recorded answers, because an effect had happened.
    pub replays: u64,
    /// Host calls refused with `denied`.
    pub denials: u64,
    /// Computing time of all runs.
    pub cpu: Duration,
    /// Instances made.
    pub instances: u64,
    /// How often the breaker opened: the plugin failed again and again.
    pub breaker_opened: u64,
    /// Is it open at this moment?
    pub is_breaker_open: bool,
    /// Linear memory of all instances at this moment, in bytes.
    pub memory_len: usize,
    /// Calls that run at this moment.
    pub in_flight: usize,
    /// Calls that wait for their turn at this moment.
    pub queued: usize,
    /// Calls that wait inside an effect at this moment.
    pub waiting: usize,
    /// Calls that ended in a fault, by cause: every cause, in a fixed order.
    pub faults: Vec<(&'static str, u64)>,
    /// How often a limit was met, by the limit's name: every limit, in a fixed order.
    pub limits: Vec<(&'static str, u64)>,
}

/// What is no counter.
pub(crate) struct Moment {
    pub(crate) cpu: Duration,
    pub(crate) is_breaker_open: bool,
    pub(crate) memory_len: usize,
    pub(crate) crowd: Crowd,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    /// So many more.
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// So far.
    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Stats {
    /// The counters, with what others know of this moment.
    pub(crate) fn snapshot(&self, now: &Moment) -> StatsSnapshot {
        let values = |counters: &[Counter]| counters.iter().map(Counter::value).collect::<Vec<_>>();
        StatsSnapshot {
            calls: self.calls.value(),
            conflicts: self.conflicts.value(),
            reruns: self.reruns.value(),
            replays: self.replays.value(),
            denials: self.denials.value(),
            cpu: now.cpu,
            instances: self.instances.value(),
            breaker_opened: self.breaker_opened.value(),
            is_breaker_open: now.is_breaker_open,
            memory_len: now.memory_len,
            in_flight: now.crowd.in_flight,
            queued: now.crowd.queued,
            waiting: now.crowd.waiting,
            faults: Fault::ALL.map(Fault::as_str).into_iter().zip(values(&self.faults)).collect(),
            limits: Limit::ALL.map(Limit::as_str).into_iter().zip(values(&self.limits)).collect(),
        }
    }

    /// A call ended in a fault.
    pub(crate) fn count_fault(&self, fault: Fault) {
        count(&Fault::ALL, &self.faults, &fault);
    }

    /// A limit was met.
    pub(crate) fn count_limit(&self, limit: Limit) {
        count(&Limit::ALL, &self.limits, &limit);
    }
}

fn count<T: PartialEq>(all: &[T], counters: &[Counter], one: &T) {
    if let Some(at) = all.iter().position(|each| each == one) {
        counters[at].increment();
    }
}

impl StatsSnapshot {
    /// Calls that ended in this fault.
    #[must_use]
    pub fn fault(&self, fault: Fault) -> u64 {
        find(&self.faults, fault.as_str())
    }

    /// How often this limit was met.
    #[must_use]
    pub fn limit(&self, limit: Limit) -> u64 {
        find(&self.limits, limit.as_str())
    }
}

fn find(counts: &[(&'static str, u64)], name: &str) -> u64 {
    counts.iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| *count)
}
