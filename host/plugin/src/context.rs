//! What every call of one plugin shares: whose it is, where it reads and writes, what it may.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use heliu_model::Namespace;
use heliu_store::Store;

use crate::apps::Apps;
use crate::config::{Limits, Secret};
use crate::memory::SharedMemory;
use crate::meter::Spending;
use crate::plane::Plane;
use crate::stats::Stats;

/// Shared by all calls of one plugin.
pub(crate) struct Context {
    pub(crate) namespace: Namespace,
    pub(crate) store: Store,
    pub(crate) plane: Arc<dyn Plane>,
    pub(crate) apps: Arc<Apps>,
    /// The operator's table as JSON text.
    pub(crate) config: String,
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// Names of secrets the guest may read in clear.
    pub(crate) readable_secrets: BTreeSet<String>,
    pub(crate) limits: Limits,
    pub(crate) stats: Stats,
    pub(crate) spending: Arc<Spending>,
    pub(crate) memory: Arc<SharedMemory>,
    /// Durable records written.
    pub(crate) writes: Allowance,
    pub(crate) log_lines: Allowance,
    pub(crate) denial_lines: Allowance,
}

impl Context {
    /// Counts a call the operator did not grant, and says so at most once a minute.
    pub(crate) fn deny(&self, what: &str) {
        self.stats.denials.increment();
        if self.denial_lines.take() {
            tracing::warn!(plugin = %self.namespace, what, "a plugin asked for what it is not granted");
        }
    }
}

/// So many in each span of time.
#[derive(Debug)]
pub(crate) struct Allowance {
    span: Duration,
    max: u32,
    used: Mutex<(Instant, u32)>,
}

impl Allowance {
    /// `max` in each `span`.
    pub(crate) fn new(span: Duration, max: u32) -> Self {
        Self { span, max, used: Mutex::new((Instant::now(), 0)) }
    }

    /// Takes one, if there is one left.
    pub(crate) fn take(&self) -> bool {
        self.take_at(1, Instant::now())
    }

    /// Takes so many, also if there are fewer left. False: there were.
    pub(crate) fn take_all(&self, count: u32) -> bool {
        self.take_at(count, Instant::now())
    }

    /// Is there one left?
    pub(crate) fn has_some(&self) -> bool {
        self.take_at(0, Instant::now()) && self.used().1 < self.max
    }

    fn take_at(&self, count: u32, now: Instant) -> bool {
        let mut used = self.used();
        if now.saturating_duration_since(used.0) >= self.span {
            *used = (now, 0);
        }
        used.1 = used.1.saturating_add(count);
        used.1 <= self.max
    }

    fn used(&self) -> MutexGuard<'_, (Instant, u32)> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_comes_back_with_the_next_span() {
        let allowance = Allowance::new(Duration::from_secs(1), 2);
        let start = Instant::now() + Duration::from_secs(10);
        for (millis, want) in [(0, true), (10, true), (20, false), (999, false), (1_000, true)] {
            assert_eq!(allowance.take_at(1, start + Duration::from_millis(millis)), want, "at {millis} ms");
        }
    }
}
