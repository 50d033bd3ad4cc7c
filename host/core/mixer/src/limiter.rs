//! Keeps a sum of voices under full scale without being heard doing it.
//!
//! One gain for both channels, down before a peak arrives (look-ahead) and up again slowly, so that
//! every voice loses the same and nothing is bent. Below the ceiling samples pass untouched, only
//! later by the look-ahead. Held minimum, slow release, moving average: since the average ends when
//! the peak leaves the delay, no output is over the ceiling.

use std::collections::VecDeque;

/// What the output does not exceed: leaves an encoder room for its own overshoot.
pub(crate) const CEILING: f32 = 0.98;
/// By how many sample frames the output is later than the input: 5 ms.
pub(crate) const LOOK_AHEAD_FRAMES: usize = 240;

const HOLD_FRAMES: usize = LOOK_AHEAD_FRAMES + 1;
/// Way back per sample frame: 63 % in 300 ms, far slower than the beat of two tones that disturb.
const RELEASE: f64 = 1.0 / 14_400.0;

/// The way back ends here; the rest of it could not be heard.
const RELEASED: f64 = 1.0 - 1e-6;

/// The state between two blocks.
#[derive(Debug)]
pub(crate) struct Limiter {
    /// What came in and did not go out.
    delayed: Vec<[f32; 2]>,
    /// Rising gains below 1 with the frames they were wanted at: the first is the smallest of the hold.
    lowest: VecDeque<(u64, f64)>,
    frame: u64,
    released: f64,
    /// The released gains the average is made of.
    gains: Vec<f64>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self {
            delayed: vec![[0.0; 2]; LOOK_AHEAD_FRAMES],
            lowest: VecDeque::with_capacity(HOLD_FRAMES + 1),
            frame: 0,
            released: 1.0,
            gains: vec![1.0; HOLD_FRAMES],
        }
    }
}

impl Limiter {
    /// Limits finite samples in place.
    pub(crate) fn process(&mut self, block: &mut [[f32; 2]]) {
        self.delayed.extend_from_slice(block);
        if self.is_idle() && block.iter().all(|frame| peak(*frame) <= CEILING) {
            block.copy_from_slice(&self.delayed[..block.len()]);
        } else {
            self.limit(block);
        }
        self.delayed.drain(..block.len());
    }

    /// Would quiet sound pass untouched?
    fn is_idle(&self) -> bool {
        self.lowest.is_empty() && self.gains.iter().all(|gain| *gain == 1.0)
    }

    fn limit(&mut self, block: &mut [[f32; 2]]) {
        for frame in &*block {
            let released = self.release(peak(*frame));
            self.gains.push(released);
        }
        // Summed afresh for every block, so that rounding errors live for 20 ms and not for a week.
        let mut sum: f64 = self.gains[..HOLD_FRAMES].iter().sum();
        let steps = self.gains[HOLD_FRAMES..].iter().zip(&self.gains).map(|(gain, over)| gain - over);
        for ((frame, delayed), step) in block.iter_mut().zip(&self.delayed).zip(steps) {
            sum += step;
            let gain = (sum / HOLD_FRAMES as f64) as f32;
            *frame = delayed.map(|sample| sample * gain);
        }
        self.gains.drain(..block.len());
    }

    fn release(&mut self, peak: f32) -> f64 {
        if peak > CEILING {
            let wanted = f64::from(CEILING) / f64::from(peak);
            while self.lowest.back().is_some_and(|(_, gain)| *gain >= wanted) {
                self.lowest.pop_back();
            }
            self.lowest.push_back((self.frame, wanted));
        }
        if self.lowest.front().is_some_and(|(frame, _)| frame + HOLD_FRAMES as u64 <= self.frame) {
            self.lowest.pop_front();
        }
        self.frame += 1;
        let lowest = self.lowest.front().map_or(1.0, |(_, gain)| *gain);
        self.released = lowest.min(self.released + (1.0 - self.released) * RELEASE);
        if self.released > RELEASED {
            self.released = 1.0;
        }
        self.released
    }
}

fn peak([left, right]: [f32; 2]) -> f32 {
    left.abs().max(right.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    const RATE: f32 = 48_000.0;

    #[test]
    fn quiet_sound_passes_untouched_and_late_by_the_look_ahead() {
        let input: Vec<[f32; 2]> = (0..4_096).map(|n| [tone(n, 440.0) * 0.9, -0.3]).collect();
        let output = limited(&input);
        assert_eq!(output[LOOK_AHEAD_FRAMES..], input[..input.len() - LOOK_AHEAD_FRAMES]);
    }

    #[test]
    fn one_full_scale_tone_loses_a_fifth_of_a_decibel() {
        let output = limited(&(0..48_000).map(|n| [tone(n, 1_000.0); 2]).collect::<Vec<_>>());
        let loss = decibel(power(&output, 1_000.0));
        assert!((-0.3..=0.0).contains(&loss), "{loss} dB");
    }

    #[test]
    fn two_full_scale_tones_stay_under_the_ceiling_and_equally_loud() {
        for (low, high) in [(440.0, 1_000.0), (100.0, 9_000.0), (999.0, 1_001.0), (50.0, 60.0)] {
            let input: Vec<[f32; 2]> = (0..96_000).map(|n| [tone(n, low) + tone(n, high); 2]).collect();
            let output = limited(&input);
            assert!(loudest(&output) <= CEILING + 1e-5, "{low} {high}: {}", loudest(&output));
            let difference = decibel(power(&output, low)) - decibel(power(&output, high));
            assert!(difference.abs() < 1.0, "{low} {high}: {difference} dB apart");
            assert!(decibel(power(&output, low)) > -7.5, "{low} {high}: {}", decibel(power(&output, low)));
        }
    }

    #[test]
    fn a_click_of_any_size_is_caught_wherever_it_falls() {
        for height in [1.0, 4.0, 100.0, 1e6] {
            for at in [0, 1, 239, 240, 241, 1_000, 1_023] {
                let mut input = vec![[0.5_f32, -0.5]; 4_096];
                input[at][1] = height;
                assert!(loudest(&limited(&input)) <= CEILING + 1e-5, "{height} at {at}");
            }
        }
    }

    #[test]
    fn the_gain_comes_back() {
        let mut input = vec![[0.5_f32; 2]; 48_000 * 4];
        input[0] = [50.0; 2];
        let output = limited(&input);
        assert!((output[output.len() - 1][0] - 0.5).abs() < 1e-4);
    }

    fn limited(input: &[[f32; 2]]) -> Vec<[f32; 2]> {
        let mut limiter = Limiter::default();
        let mut output = input.to_vec();
        output.chunks_mut(1_024).for_each(|block| limiter.process(block));
        output
    }

    fn tone(n: usize, hertz: f32) -> f32 {
        (TAU * (n as f32 * hertz / RATE).fract()).sin()
    }

    fn loudest(output: &[[f32; 2]]) -> f32 {
        output.iter().flatten().fold(0.0, |loudest, sample| loudest.max(sample.abs()))
    }

    /// Amplitude of one frequency over the last second.
    fn power(output: &[[f32; 2]], hertz: f32) -> f32 {
        let second = &output[output.len() - 48_000..];
        let (mut sine, mut cosine) = (0.0_f64, 0.0_f64);
        for (n, [left, _]) in second.iter().enumerate() {
            let angle = TAU * (n as f32 * hertz / RATE).fract();
            sine += f64::from(left * angle.sin());
            cosine += f64::from(left * angle.cos());
        }
        (sine.hypot(cosine) / 24_000.0) as f32
    }

    fn decibel(amplitude: f32) -> f32 {
        20.0 * amplitude.log10()
    }
}
