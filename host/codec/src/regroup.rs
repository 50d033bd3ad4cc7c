//! Decoded sound as blocks of one length, each exactly where the one before ended.
//!
//! Frames of one codec are other blocks than those of the next, their times are rounded and drift
//! against their samples. A small distance between both is closed by bending half a percent (unheard),
//! a hole is filled with silence, what overlaps is left out: who encodes the blocks makes a stream whose
//! steps are all equal, and in sync.
//!
//! Not here: several voices and what is due when. That is the mixer's.

use std::collections::VecDeque;

use heliu_model::MediaTime;

use crate::resample::RATE;

/// Times that miss the end of what is there by less are taken for contiguous: they are rounded, by some
/// encoders to whole frames.
const CONTIGUOUS_NS: i64 = 40_000_000;
/// Longest hole that is filled with silence; behind a longer one blocks begin anew.
const HOLE_NS_MAX: i64 = 1_000_000_000;
/// So much of a miss is believed at a time.
const BELIEF: i64 = 32;
/// A distance below this is left alone.
const DEAD_NS: i64 = 1_000_000;
/// So many pairs are bent by one: half a percent.
const BEND_EVERY: usize = 200;
/// Pairs over which sound begins again after a hole: 2.5 ms.
const FADE_LEN: usize = 120;

/// What was done to the sound.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Regrouped {
    /// Pairs of silence where something was missing.
    pub filled: u64,
    /// Pairs that came for a time that was over.
    pub dropped: u64,
}

/// 48 kHz stereo, interleaved. Poll it dry after each push: it holds less than a block then.
#[derive(Debug)]
pub struct Regroup {
    block_len: usize,
    waiting: VecDeque<f32>,
    /// The time of the first pair of all, and how many pairs stand before those that wait.
    start: Option<MediaTime>,
    given: u64,
    /// How far the times of what comes lie behind its samples, smoothed. Negative: before.
    miss_ns: i64,
    regrouped: Regrouped,
}

impl Regroup {
    /// To blocks of so many pairs.
    #[must_use]
    pub fn new(block_len: usize) -> Self {
        let waiting = VecDeque::with_capacity(4 * block_len);
        Self { block_len, waiting, start: None, given: 0, miss_ns: 0, regrouped: Regrouped::default() }
    }

    /// Takes sound that begins at `pts`; an odd sample at the end is ignored.
    pub fn push(&mut self, pts: MediaTime, samples: &[f32]) {
        let samples = &samples[..samples.len() / 2 * 2];
        if samples.is_empty() {
            return;
        }
        let Some(end) = self.end() else { return self.begin(pts, samples) };
        let miss = pts.0.saturating_sub(end.0);
        if miss.saturating_abs() <= CONTIGUOUS_NS {
            self.miss_ns += (miss - self.miss_ns) / BELIEF;
            self.bend(samples);
        } else if miss < 0 {
            self.regrouped.dropped += samples.len() as u64 / 2;
        } else if miss <= HOLE_NS_MAX {
            self.fill(miss);
            self.fade_in(samples);
        } else {
            self.regrouped.dropped += self.waiting.len() as u64 / 2;
            self.begin(pts, samples);
        }
    }

    /// The next whole block and when its first pair is heard.
    pub fn poll(&mut self) -> Option<(MediaTime, Vec<f32>)> {
        if self.waiting.len() < 2 * self.block_len {
            return None;
        }
        let pts = self.time_of(self.given)?;
        self.given += self.block_len as u64;
        Some((pts, self.waiting.drain(..2 * self.block_len).collect()))
    }

    /// What was done so far.
    #[must_use]
    pub fn regrouped(&self) -> Regrouped {
        self.regrouped
    }

    fn begin(&mut self, pts: MediaTime, samples: &[f32]) {
        self.waiting.clear();
        (self.start, self.given, self.miss_ns) = (Some(pts), 0, 0);
        self.fade_in(samples);
    }

    /// Where what waits ends.
    fn end(&self) -> Option<MediaTime> {
        self.time_of(self.given + self.waiting.len() as u64 / 2)
    }

    fn time_of(&self, pair: u64) -> Option<MediaTime> {
        let span = i128::from(pair) * 1_000_000_000 / i128::from(RATE);
        self.start.map(|start| MediaTime(start.0.saturating_add(i64::try_from(span).unwrap_or(i64::MAX))))
    }

    /// Takes samples with a few more or less of them where they have drifted from their times.
    fn bend(&mut self, samples: &[f32]) {
        let len = samples.len() / 2;
        let most = (len / BEND_EVERY).max(1) as i64;
        let wanted = self.miss_ns * i64::from(RATE) / 1_000_000_000;
        let by = if self.miss_ns.abs() < DEAD_NS || len < 2 { 0 } else { wanted.clamp(-most, most) };
        if by == 0 {
            self.waiting.extend(samples);
            return;
        }
        self.miss_ns -= by * 1_000_000_000 / i64::from(RATE);
        let bent = (len as i64 + by).max(2) as usize;
        let step = (len - 1) as f64 / (bent - 1) as f64;
        for at in 0..bent {
            let place = at as f64 * step;
            let first = (place as usize).min(len - 2);
            let share = (place - first as f64) as f32;
            let pair = |side: usize| {
                let [from, to] = [samples[2 * first + side], samples[2 * first + 2 + side]];
                from + (to - from) * share
            };
            self.waiting.extend([pair(0), pair(1)]);
        }
    }

    fn fill(&mut self, hole_ns: i64) {
        let pairs = (hole_ns * i64::from(RATE) / 1_000_000_000) as usize;
        self.waiting.extend(std::iter::repeat_n(0.0, 2 * pairs));
        self.regrouped.filled += pairs as u64;
    }

    fn fade_in(&mut self, samples: &[f32]) {
        let faded =
            samples.iter().enumerate().map(|(at, sample)| sample * ((at / 2) as f32 / FADE_LEN as f32).min(1.0));
        self.waiting.extend(faded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK_NS: i64 = 20_000_000;

    #[test]
    fn blocks_follow_exactly_and_stay_in_sync_whatever_the_times_are_like() {
        for (what, drift_ppm, rounding) in [
            ("exact", 0, 1),
            ("milliseconds", 0, 1_000_000),
            ("whole frames, now and then", 0, 20_000_000),
            ("a fast clock", 500, 1_000_000),
            ("a slow clock", -500, 1_000_000),
        ] {
            let mut regroup = Regroup::new(960);
            let (mut last, mut worst) = (None::<i64>, 0);
            for number in 0..10_000_i64 {
                let exact = number * 1024 * 1_000_000_000 / 48_000;
                let told = exact + exact * drift_ppm / 1_000_000;
                regroup.push(MediaTime(told / rounding * rounding), &[0.5; 2048]);
                while let Some((pts, block)) = regroup.poll() {
                    assert_eq!(block.len(), 1920, "{what}");
                    assert!(last.is_none_or(|last| (pts.0 - last - BLOCK_NS).abs() <= 1), "{what}: {pts:?}");
                    last = Some(pts.0);
                }
                worst = worst.max((regroup.end().unwrap().0 - told - 21_333_333).abs());
            }
            assert!(worst < 12_000_000 && (rounding > 1_000_000 || worst < 5_000_000), "{what}: {worst} ns");
            assert_eq!(regroup.regrouped(), Regrouped::default(), "{what}");
        }
    }

    #[test]
    fn a_hole_is_silent_and_what_overlaps_is_left_out() {
        for (what, pts_ms, blocks, want) in [
            ("contiguous", 20, 2, Regrouped::default()),
            ("rounded", 41, 2, Regrouped::default()),
            ("a hole", 120, 7, Regrouped { filled: 4_800, dropped: 0 }),
            ("one too long", 1_100, 2, Regrouped::default()),
            ("what is over", -100, 1, Regrouped { filled: 0, dropped: 960 }),
        ] {
            let mut regroup = Regroup::new(960);
            regroup.push(MediaTime::ZERO, &[0.5; 1920]);
            let mut out: Vec<_> = regroup.poll().into_iter().collect();
            regroup.push(MediaTime::from_millis(pts_ms), &[0.5; 1920]);
            out.extend(std::iter::from_fn(|| regroup.poll()));
            assert_eq!((out.len(), regroup.regrouped()), (blocks, want), "{what}");
            if want.filled > 0 {
                assert!(out[1..6].iter().all(|(_, block)| block.iter().all(|sample| *sample == 0.0)), "{what}");
            }
        }
    }

    #[test]
    fn odd_and_empty_pieces_are_taken() {
        let mut regroup = Regroup::new(960);
        for samples in [&[][..], &[1.0], &[1.0; 3], &[1.0; 5]] {
            regroup.push(MediaTime::ZERO, samples);
        }
        assert_eq!((regroup.poll(), regroup.waiting.len()), (None, 6));
    }
}
