//! The way of a publisher's sound into our decoder: a sized config, then sized frames. Nothing crashes,
//! and what comes out is sound.

use std::sync::Arc;

use bytes::Bytes;
use heliu_codec::{AudioDecoder, AudioOutput, Undecodable};
use heliu_container::aac::parse_format;
use heliu_model::{Format, Frame, MediaTime};

use crate::bench::Bench;
use crate::script::Script;

const FRAMES_MAX: i64 = 24;
/// A long block of 8 kHz in stereo at 48 kHz, and what the resampler held back.
const SAMPLES_MAX: usize = 4 * 2 * 1024 * 6;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let Ok(format) = parse_format(Bytes::copy_from_slice(script.sized())) else { return };
    let format = Arc::new(Format::Aac(format));
    let mut bench = Bench::take();
    let mut decoder = AudioDecoder::new(&bench.pool, Arc::new(|| {}));
    for at in 0..FRAMES_MAX {
        if script.is_empty() {
            break;
        }
        let time = MediaTime::from_millis(at * 21);
        let data = Bytes::copy_from_slice(script.sized());
        decoder.submit(Frame { format: Arc::clone(&format), dts: time, pts: time, is_key: true, data });
        bench.settle();
        while let Some(output) = decoder.poll() {
            check(&output);
        }
    }
}

/// One not-a-number would stay in a mix's filters for good.
fn check(output: &AudioOutput) {
    match output {
        AudioOutput::Samples { samples, .. } => {
            assert!(samples.len().is_multiple_of(2) && samples.len() <= SAMPLES_MAX, "{}", samples.len());
            assert!(samples.iter().all(|sample| sample.is_finite()), "a sample is a number");
        }
        AudioOutput::Dead(reason) => assert_ne!(*reason, Undecodable::Crashed),
    }
}
