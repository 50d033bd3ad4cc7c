//! What a pattern sounds: one sine, all the time or with each flash.
//!
//! A sample is a function of its number since time zero, so blocks join without a click wherever one
//! begins.

use heliu_model::MediaTime;

use crate::{FLASH_MS, Pattern};

/// Of the sine; full scale is 1, so this is -12 dBFS.
pub const AMPLITUDE: f32 = 0.25;

/// Samples per second and channel.
const RATE: i64 = 48_000;
/// Sample pairs of a block: what an AAC frame takes.
const BLOCK_LEN: i64 = 1_024;

/// Makes the sound of one pattern.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tone {
    hertz: u32,
    is_flashing: bool,
}

impl Tone {
    pub(crate) fn new(pattern: &Pattern) -> Self {
        Self { hertz: pattern.tone, is_flashing: pattern.is_flashing }
    }

    /// When a block begins.
    pub(crate) fn pts(block: i64) -> MediaTime {
        MediaTime(block.saturating_mul(BLOCK_LEN * 62_500) / 3)
    }

    /// The last block that begins by `now`.
    pub(crate) fn block_at(now: MediaTime) -> i64 {
        // Three more, because a block's time is rounded down to whole nanoseconds.
        now.0.max(0).saturating_mul(3).saturating_add(3) / (BLOCK_LEN * 62_500)
    }

    /// Left and right interleaved.
    pub(crate) fn samples(self, block: i64) -> Vec<f32> {
        let first = block * BLOCK_LEN;
        (first..first + BLOCK_LEN).flat_map(|number| [self.sample(number); 2]).collect()
    }

    fn sample(self, number: i64) -> f32 {
        let in_second = number.rem_euclid(RATE);
        if self.is_flashing && in_second >= FLASH_MS * RATE / 1_000 {
            return 0.0;
        }
        // Whole hertz: each second is like the one before, so the angle stays small and exact.
        let turns = (in_second * i64::from(self.hertz) % RATE) as f32 / RATE as f32;
        AMPLITUDE * (std::f32::consts::TAU * turns).sin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_each_other_on_the_clock() {
        for block in [0, 1, 2, 3, 46, 47, 168_749, 168_750] {
            let pts = Tone::pts(block);
            assert_eq!(Tone::block_at(pts), block);
            assert_eq!(Tone::block_at(pts - std::time::Duration::from_nanos(2)), (block - 1).max(0));
        }
        assert_eq!(Tone::pts(168_750), MediaTime::from_millis(3_600_000), "an hour is an hour");
    }

    #[test]
    fn a_tone_has_its_pitch_and_level() {
        let tone = Tone { hertz: 1_000, is_flashing: false };
        let samples: Vec<f32> = (0..47).flat_map(|block| tone.samples(block)).step_by(2).collect();
        let crossings = samples[..48_000].windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        assert!((999..=1_000).contains(&crossings), "{crossings}");
        let loudest = samples.iter().copied().fold(0.0, f32::max);
        assert!((loudest - AMPLITUDE).abs() < 0.001, "{loudest}");
    }

    #[test]
    fn beeps_begin_with_each_second() {
        let tone = Tone { hertz: 1_000, is_flashing: true };
        for (number, is_loud) in [(12, true), (4_788, true), (4_812, false), (47_988, false), (48_012, true)] {
            assert_eq!(tone.sample(number).abs() > 0.2, is_loud, "sample {number}");
        }
    }
}
