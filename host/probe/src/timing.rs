//! Times, rates and key frames of one track.

use crate::report::{KeyframeReport, StepReport, TimingReport};

/// Steps that are remembered for their median; ten minutes of 100 pictures a second.
const STEPS_MAX: usize = 65_536;

/// What is known of a track's times.
#[derive(Debug, Default)]
pub(crate) struct Timing {
    frames: u64,
    bytes: u64,
    first_ms: i64,
    last_ms: i64,
    steps: Vec<i64>,
    backward: u64,
    keyframes: u64,
    is_first_key: bool,
    last_key_ms: Option<i64>,
    distances: Vec<i64>,
}

impl Timing {
    pub(crate) fn note(&mut self, dts_ms: i64, len: usize, is_key: bool) {
        if self.frames == 0 {
            self.first_ms = dts_ms;
            self.is_first_key = is_key;
        } else {
            let step = dts_ms - self.last_ms;
            self.backward += u64::from(step <= 0);
            remember(&mut self.steps, step);
        }
        if is_key {
            self.keyframes += 1;
            if let Some(last) = self.last_key_ms.replace(dts_ms) {
                remember(&mut self.distances, dts_ms - last);
            }
        }
        self.last_ms = dts_ms;
        self.frames += 1;
        self.bytes += len as u64;
    }

    /// From the first frame to the last.
    pub(crate) fn between_ms(&self) -> i64 {
        (self.last_ms - self.first_ms).max(0)
    }

    /// From the first frame to the last, and as long as a usual one lasts.
    pub(crate) fn span_ms(&self) -> i64 {
        self.between_ms() + self.usual_step_ms()
    }

    pub(crate) fn usual_step_ms(&self) -> i64 {
        summary(&self.steps).map_or(0, |steps| steps.median)
    }

    /// Times from `origin_ms` on.
    pub(crate) fn report(&self, origin_ms: i64) -> TimingReport {
        let between_ms = self.between_ms();
        let per_second = |count: f64, ms: i64| (ms > 0).then(|| thousandths(count * 1_000.0 / ms as f64));
        TimingReport {
            frames: self.frames,
            frame_rate: per_second(self.frames.saturating_sub(1) as f64, between_ms),
            bitrate_kbps: per_second(self.bytes as f64 * 8.0 / 1_000.0, self.span_ms()),
            first_ms: self.first_ms - origin_ms,
            last_ms: self.last_ms - origin_ms,
            step_ms: summary(&self.steps),
            backward: self.backward,
        }
    }

    pub(crate) fn keyframes(&self) -> KeyframeReport {
        KeyframeReport { count: self.keyframes, is_first: self.is_first_key, distance_ms: summary(&self.distances) }
    }
}

/// Smallest, median and largest; `None` of nothing.
pub(crate) fn summary(values: &[i64]) -> Option<StepReport> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    Some(StepReport { min, median: sorted[sorted.len() / 2], max })
}

/// As many digits as are worth reading.
pub(crate) fn thousandths(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

fn remember(values: &mut Vec<i64>, value: i64) {
    if values.len() < STEPS_MAX {
        values.push(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_steps_are_those_of_the_timestamps() {
        let mut timing = Timing::default();
        for n in 0..50 {
            timing.note(1_000 + n * 40, 500, n % 25 == 0);
        }
        timing.note(1_000 + 49 * 40, 500, false);
        let report = timing.report(1_000);
        assert_eq!((report.frames, report.first_ms, report.last_ms, report.backward), (51, 0, 1_960, 1));
        assert_eq!(report.step_ms, Some(StepReport { min: 0, median: 40, max: 40 }));
        assert_eq!(report.bitrate_kbps, Some(102.0));
        let keyframes = timing.keyframes();
        assert_eq!((keyframes.count, keyframes.is_first), (2, true));
        assert_eq!(keyframes.distance_ms, Some(StepReport { min: 1_000, median: 1_000, max: 1_000 }));
    }

    #[test]
    fn one_frame_has_no_rate() {
        let mut timing = Timing::default();
        timing.note(7, 100, true);
        let report = timing.report(7);
        assert_eq!((report.frame_rate, report.bitrate_kbps, report.step_ms), (None, None, None));
    }
}
