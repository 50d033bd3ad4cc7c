//! What players have seen, all together.

use serde_json::{Value, json};

use crate::stamp::{Stamp, micros};

/// Of all players of one run; they share a thread.
#[derive(Debug, Default)]
pub struct Tally {
    /// Players whose first picture has come.
    pub started: usize,
    /// Pictures counted.
    pub pictures: u64,
    /// Sound frames counted.
    pub sounds: u64,
    /// Pictures that did not come between two that did.
    pub missing: u64,
    /// Players whose connection ended before their time.
    pub ended: usize,
    /// Why the first of them did.
    pub reason: Option<String>,
    is_counting: bool,
    latencies: Vec<u32>,
    startups: Vec<u32>,
}

impl Tally {
    /// From here on latencies and gaps count.
    pub fn begin(&mut self) {
        self.is_counting = true;
        (self.pictures, self.sounds, self.missing) = (0, 0, 0);
    }

    /// And no longer.
    pub fn end(&mut self) {
        self.is_counting = false;
    }

    /// A player's first picture, so many microseconds after it connected.
    pub fn start(&mut self, micros: u64) {
        self.started += 1;
        self.startups.push(clamp(micros));
    }

    /// A picture; the one before it had that number.
    pub fn picture(&mut self, stamp: Stamp, before: Option<u64>) {
        if !self.is_counting {
            return;
        }
        self.pictures += 1;
        self.missing += before.map_or(0, |before| stamp.number.saturating_sub(before + 1));
        self.latencies.push(clamp(micros().saturating_sub(stamp.left_at)));
    }

    /// A sound frame.
    pub fn sound(&mut self) {
        self.sounds += u64::from(self.is_counting);
    }

    /// For the report.
    pub fn report(&mut self) -> Value {
        json!({
            "started": self.started,
            "pictures": self.pictures,
            "sounds": self.sounds,
            "missing": self.missing,
            "ended": self.ended,
            "reason": self.reason,
            "startup_ms": spread(&mut self.startups),
            "latency_ms": spread(&mut self.latencies),
        })
    }
}

fn spread(micros: &mut [u32]) -> Value {
    micros.sort_unstable();
    let at = |share: f64| {
        let index = ((micros.len() as f64 * share) as usize).min(micros.len().saturating_sub(1));
        micros.get(index).map(|&micros| f64::from(micros) / 1_000.0)
    };
    json!({ "median": at(0.5), "p99": at(0.99), "max": at(1.0) })
}

fn clamp(micros: u64) -> u32 {
    u32::try_from(micros).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_count_while_counting() {
        let mut tally = Tally::default();
        let stamp = |number| Stamp { number, left_at: micros() };
        tally.picture(stamp(9), Some(1));
        tally.begin();
        for (number, before) in [(10, Some(9)), (13, Some(10)), (14, None)] {
            tally.picture(stamp(number), before);
        }
        tally.end();
        tally.picture(stamp(99), Some(14));
        assert_eq!((tally.pictures, tally.missing), (3, 2));
    }

    #[test]
    fn a_spread_is_told_in_milliseconds() {
        let mut micros: Vec<u32> = (0..100).rev().map(|n| n * 1_000).collect();
        assert_eq!(spread(&mut micros), json!({ "median": 50.0, "p99": 99.0, "max": 99.0 }));
        assert_eq!(spread(&mut []), json!({ "median": null, "p99": null, "max": null }));
    }
}
