//! How loud it is, millisecond by millisecond: silences, and beeps that begin out of silence.

use crate::report::Span;

/// Sample pairs per window.
const WINDOW: usize = 48;
const WINDOW_MS: f64 = 1.0;
/// Ten minutes, and blocks that overlap.
const WINDOWS_MAX: usize = 700_000;
/// -50 dBFS as the root mean square of a window; a sine's is 3 dB below its amplitude.
const QUIET: f32 = 0.002_236;
const SILENCE_MS_MIN: f64 = 300.0;
/// How long it must be quiet before a beep.
const BEFORE_BEEP_MS: f64 = 100.0;
/// A beep reaches its loudness within so much of its first sound, which a codec smears.
const RISE_MS: f64 = 60.0;

/// One millisecond of sound.
#[derive(Debug, Clone, Copy)]
struct Window {
    at_ms: f64,
    rms: f32,
}

/// The loudness of all that was heard.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    windows: Vec<Window>,
}

impl Envelope {
    /// Both channels as one, at 48 kHz.
    pub(crate) fn note(&mut self, pts_ms: f64, samples: &[f32]) {
        for (index, window) in samples.chunks(WINDOW).enumerate() {
            if self.windows.len() >= WINDOWS_MAX {
                return;
            }
            let power: f32 = window.iter().map(|sample| sample * sample).sum::<f32>() / window.len() as f32;
            self.windows.push(Window { at_ms: pts_ms + index as f64 * WINDOW_MS, rms: power.sqrt() });
        }
    }

    /// Quiet for a while.
    pub(crate) fn silences(&self) -> Vec<Span> {
        let runs = self.quiet_runs();
        let span = |run: &[Window]| Span { at_ms: run[0].at_ms.round() as i64, ms: len_ms(run).round() as i64 };
        runs.filter(|run| len_ms(run) >= SILENCE_MS_MIN).map(span).collect()
    }

    /// Where sound begins after quiet: the first millisecond that is half as loud as it gets.
    pub(crate) fn beeps(&self) -> Vec<f64> {
        let mut beeps = Vec::new();
        let mut at = 0;
        for run in self.windows.chunk_by(|a, b| is_quiet(a) == is_quiet(b)) {
            let is_pause = is_quiet(&run[0]) && len_ms(run) >= BEFORE_BEEP_MS;
            at += run.len();
            if is_pause {
                beeps.extend(self.onset(at));
            }
        }
        beeps
    }

    fn onset(&self, from: usize) -> Option<f64> {
        let first = self.windows.get(from)?;
        let rise: Vec<&Window> =
            self.windows[from..].iter().take_while(|window| window.at_ms < first.at_ms + RISE_MS).collect();
        let loudest = rise.iter().map(|window| window.rms).fold(0.0, f32::max);
        rise.iter().find(|window| window.rms >= loudest / 2.0).map(|window| window.at_ms)
    }

    fn quiet_runs(&self) -> impl Iterator<Item = &[Window]> {
        self.windows.chunk_by(|a, b| is_quiet(a) && is_quiet(b)).filter(|run| is_quiet(&run[0]))
    }
}

fn is_quiet(window: &Window) -> bool {
    window.rms < QUIET
}

/// What is missing between two windows is no silence; that the times tell.
fn len_ms(run: &[Window]) -> f64 {
    run.len() as f64 * WINDOW_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silences_and_beeps_are_found_where_they_are() {
        let mut envelope = Envelope::default();
        // Half a second of silence, a beep of 100 ms with a soft start, again.
        for second in 0..3 {
            let start = f64::from(second) * 600.0;
            envelope.note(start, &[0.0; 500 * WINDOW]);
            envelope.note(start + 500.0, &[0.004; 20 * WINDOW]);
            envelope.note(start + 520.0, &[0.25; 80 * WINDOW]);
        }
        assert_eq!(envelope.silences(), [0, 600, 1_200].map(|at_ms| Span { at_ms, ms: 500 }));
        assert_eq!(envelope.beeps(), [520.0, 1_120.0, 1_720.0]);
    }

    #[test]
    fn a_steady_tone_is_neither() {
        let mut envelope = Envelope::default();
        envelope.note(0.0, &[0.1; 1_000 * WINDOW]);
        assert!(envelope.silences().is_empty() && envelope.beeps().is_empty());
        assert!(Envelope::default().silences().is_empty());
    }
}
