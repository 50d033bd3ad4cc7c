//! Wall time for decisions and waiting for it; tests move both by hand.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use heliu_model::Timestamp;

/// The wall clock may be set while one waits, so nobody waits for it longer than this at a time.
const NAP_MAX: Duration = Duration::from_secs(30);

/// What time it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clock {
    Wall,
    /// Goes with tokio's clock, from the Unix epoch plus this.
    #[cfg(test)]
    Simulated(tokio::time::Instant, Timestamp),
}

impl Clock {
    pub(crate) fn now(self) -> Timestamp {
        match self {
            Self::Wall => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(millis(since))
            }
            #[cfg(test)]
            Self::Simulated(start, at) => Timestamp(at.0 + millis(start.elapsed())),
        }
    }

    /// Waits until then, or a while; `None` waits a while, too. The caller looks at the clock again.
    pub(crate) async fn nap(self, until: Option<Timestamp>) {
        let left = until.map_or(NAP_MAX, |until| Duration::from_millis(until.0.saturating_sub(self.now().0)));
        tokio::time::sleep(left.min(NAP_MAX)).await;
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
