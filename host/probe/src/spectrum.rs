//! Which tones are heard: the mean spectrum of all windows, and its peaks.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use crate::report::ToneReport;
use crate::timing::thousandths;

const RATE: f64 = 48_000.0;
/// A third of a second: lines of 2.9 Hz.
const LEN: usize = 16_384;
const STEP: usize = LEN / 2;
const TONES_MAX: usize = 8;
/// A tone is at least so loud, ...
const DBFS_MIN: f64 = -60.0;
/// ... stands so far above half of all lines, ...
const ABOVE_FLOOR_DB: f64 = 20.0;
/// ... and is the loudest of so many lines to each side.
const NEIGHBOURS: usize = 4;
/// Nothing below is a tone.
const HZ_MIN: f64 = 20.0;

/// Sums up what is heard. Both channels as one, at 48 kHz.
pub(crate) struct Spectrum {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    pending: Vec<f32>,
    input: Vec<f32>,
    output: Vec<Complex<f32>>,
    /// Squares of amplitudes, one per line.
    power: Vec<f64>,
    windows: u64,
}

impl Spectrum {
    pub(crate) fn new() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(LEN);
        let hann = |n: usize| 0.5 - 0.5 * (std::f32::consts::TAU * n as f32 / LEN as f32).cos();
        Self {
            window: (0..LEN).map(hann).collect(),
            pending: Vec::with_capacity(2 * LEN),
            input: fft.make_input_vec(),
            output: fft.make_output_vec(),
            power: vec![0.0; LEN / 2 + 1],
            windows: 0,
            fft,
        }
    }

    pub(crate) fn note(&mut self, samples: &[f32]) {
        for part in samples.chunks(LEN) {
            self.pending.extend_from_slice(part);
            while self.pending.len() >= LEN {
                self.transform();
                self.pending.drain(..STEP);
            }
        }
    }

    /// The loudest first. Less than a window is taken with silence behind it.
    pub(crate) fn tones(mut self) -> Vec<ToneReport> {
        if self.windows == 0 {
            if self.pending.is_empty() {
                return Vec::new();
            }
            self.pending.resize(LEN, 0.0);
            self.transform();
        }
        let windows = self.windows as f64;
        let levels: Vec<f64> = self.power.iter().map(|power| decibels((power / windows).sqrt())).collect();
        let mut tones: Vec<ToneReport> = peaks(&levels);
        tones.sort_by(|a, b| b.dbfs.total_cmp(&a.dbfs));
        tones.truncate(TONES_MAX);
        tones
    }

    fn transform(&mut self) {
        let windowed = self.pending.iter().zip(&self.window).map(|(sample, weight)| sample * weight);
        self.input.iter_mut().zip(windowed).for_each(|(place, value)| *place = value);
        self.fft.process(&mut self.input, &mut self.output).expect("both were made by it");
        // The window lets half of a sine's amplitude through, and a line holds half of that.
        let scale = 4.0 / LEN as f64;
        for (power, line) in self.power.iter_mut().zip(&self.output) {
            let amplitude = f64::from(line.norm()) * scale;
            *power += amplitude * amplitude;
        }
        self.windows += 1;
    }
}

/// Lines that stand out, each moved to where the parabola through it and its neighbours peaks.
fn peaks(levels: &[f64]) -> Vec<ToneReport> {
    let least = DBFS_MIN.max(floor(levels) + ABOVE_FLOOR_DB);
    let first = (HZ_MIN * LEN as f64 / RATE) as usize;
    let lines = first.max(NEIGHBOURS)..levels.len().saturating_sub(NEIGHBOURS);
    let stands_out = |&at: &usize| {
        let around = &levels[at - NEIGHBOURS..=at + NEIGHBOURS];
        levels[at] >= least && around.iter().all(|&other| other <= levels[at])
    };
    lines.filter(stands_out).map(|at| peak(levels, at)).collect()
}

fn peak(levels: &[f64], at: usize) -> ToneReport {
    let [before, here, after] = [levels[at - 1], levels[at], levels[at + 1]];
    let bend = before - 2.0 * here + after;
    let offset = if bend < 0.0 { (0.5 * (before - after) / bend).clamp(-0.5, 0.5) } else { 0.0 };
    ToneReport {
        hz: thousandths((at as f64 + offset) * RATE / LEN as f64),
        dbfs: thousandths(here - 0.25 * (before - after) * offset),
    }
}

fn floor(levels: &[f64]) -> f64 {
    let mut sorted = levels.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn decibels(amplitude: f64) -> f64 {
    20.0 * amplitude.max(1e-9).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_are_told_with_pitch_and_level() {
        let tones = heard(2 * 48_000, |t| 0.25 * sine(440.0, t) + 0.025 * sine(1_001.3, t));
        let [low, high] = tones.as_slice() else { panic!("two tones: {tones:?}") };
        assert!((low.hz - 440.0).abs() < 0.2 && (low.dbfs + 12.04).abs() < 0.2, "{low:?}");
        assert!((high.hz - 1_001.3).abs() < 0.2 && (high.dbfs + 32.04).abs() < 0.2, "{high:?}");
    }

    #[test]
    fn noise_and_silence_have_no_tones() {
        let mut seed = 1_u32;
        let noise = heard(4 * 48_000, |_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            0.2 * (f64::from(seed >> 8) / f64::from(1 << 23) - 1.0)
        });
        assert_eq!(noise, []);
        assert_eq!(heard(48_000, |_| 0.0), []);
        assert_eq!(heard(0, |_| 0.0), []);
    }

    #[test]
    fn a_short_tone_is_heard() {
        let tones = heard(4_800, |t| 0.5 * sine(1_000.0, t));
        assert!(tones.first().is_some_and(|tone| (tone.hz - 1_000.0).abs() < 3.0), "{tones:?}");
    }

    fn heard(len: usize, mut sample: impl FnMut(f64) -> f64) -> Vec<ToneReport> {
        let mut spectrum = Spectrum::new();
        let samples: Vec<f32> = (0..len).map(|n| sample(n as f64 / RATE) as f32).collect();
        samples.chunks(1_024).for_each(|block| spectrum.note(block));
        spectrum.tones()
    }

    fn sine(hz: f64, seconds: f64) -> f64 {
        (std::f64::consts::TAU * hz * seconds).sin()
    }
}
