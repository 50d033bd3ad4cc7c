//! Stereo of any rate to 48 kHz.
//!
//! A block comes out with the time of its first sample: the resampler's delay and what it still holds
//! back are counted, so picture and sound stay together whatever the rate.

use heliu_model::MediaTime;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

/// Hz, what everything behind a decoder runs at.
pub(crate) const RATE: u32 = 48_000;

/// Transforms a frame is cut into: 512 samples of 1024. Half as long a delay as whole frames, and the
/// pass band still ends above 0.9 of the lower Nyquist frequency.
const TRANSFORMS: usize = 2;

/// From one fixed rate and block length.
pub(crate) struct Resample {
    pub(crate) rate: u32,
    /// Sample pairs of each block that goes in.
    pub(crate) block_len: usize,
    fft: Option<Fft<f32>>,
    /// Sample pairs that went in and came out.
    taken: u64,
    given: u64,
}

impl Resample {
    /// `None`: the library does not do this pair of rates.
    pub(crate) fn new(rate: u32, block_len: usize) -> Option<Self> {
        let fft = if rate == RATE { None } else { Some(fft(rate, block_len)?) };
        Some(Self { rate, block_len, fft, taken: 0, given: 0 })
    }

    /// Takes `block_len` sample pairs that begin at `pts`; returns what is ready and when it begins.
    pub(crate) fn process(&mut self, pts: MediaTime, stereo: Vec<f32>) -> Option<(MediaTime, Vec<f32>)> {
        let Some(fft) = &mut self.fft else { return Some((pts, stereo)) };
        let mut out = vec![0.0; 2 * fft.output_frames_next()];
        let out_len = out.len() / 2;
        let input = InterleavedSlice::new(&stereo, 2, self.block_len).ok()?;
        let mut output = InterleavedSlice::new_mut(&mut out, 2, out_len).ok()?;
        let (taken, given) = fft.process_into_buffer(&input, &mut output, None).ok()?;
        let pts = MediaTime(pts.0.saturating_add(self.offset_nanos()));
        self.taken += taken as u64;
        self.given += given as u64;
        out.truncate(2 * given);
        Some((pts, out))
    }

    /// From the first sample that goes in next to the first that comes out next; zero or negative.
    fn offset_nanos(&self) -> i64 {
        let delay = self.fft.as_ref().map_or(0, Resampler::output_delay) as i128;
        let out = (i128::from(self.given) - delay) * 1_000_000_000 / i128::from(RATE);
        let taken = i128::from(self.taken) * 1_000_000_000 / i128::from(self.rate);
        i64::try_from(out - taken).unwrap_or(0)
    }
}

fn fft(rate: u32, block_len: usize) -> Option<Fft<f32>> {
    let window = rubato::WindowFunction::BlackmanHarris2;
    Fft::new_custom(rate as usize, RATE as usize, block_len, TRANSFORMS, 2, window, FixedSync::Input).ok()
}
