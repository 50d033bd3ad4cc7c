//! The sound of a stream: its coded form, and what our decoder makes of it.

use std::sync::Arc;
use std::time::Duration;

use heliu_codec::{AudioDecoder, AudioOutput, Pool};
use heliu_container::aac::AudioConfig;
use heliu_container::flv::FlvFrame;
use heliu_model::{Format, Frame, MediaTime};

use crate::envelope::Envelope;
use crate::report::{AudioReport, Span, ToneReport};
use crate::spectrum::Spectrum;
use crate::timing::{Timing, thousandths};

const LOOK_EVERY: Duration = Duration::from_micros(100);
/// A sine's root mean square is so far below its amplitude.
const SINE_DB: f64 = 3.010_3;

/// All that is known of the sound.
pub(crate) struct Audio {
    origin_ms: i64,
    format: Arc<Format>,
    timing: Timing,
    decoder: AudioDecoder,
    envelope: Envelope,
    spectrum: Spectrum,
    power: f64,
    samples: u64,
    peak: f32,
    undecodable: Option<String>,
}

impl Audio {
    /// Begins with its first frame. `origin_ms`: the first time of the stream.
    pub(crate) fn new(first: &FlvFrame, origin_ms: i64, pool: &Pool) -> Self {
        Self {
            origin_ms,
            format: first.format.clone(),
            timing: Timing::default(),
            decoder: AudioDecoder::new(pool, Arc::new(|| {})),
            envelope: Envelope::default(),
            spectrum: Spectrum::new(),
            power: 0.0,
            samples: 0,
            peak: 0.0,
            undecodable: None,
        }
    }

    /// Takes the next frame and waits until it is decoded.
    pub(crate) fn handle(&mut self, frame: FlvFrame) {
        self.format = frame.format.clone();
        self.timing.note(frame.dts_ms, frame.data.len(), false);
        let FlvFrame { format, dts_ms, is_key, data, .. } = frame;
        let dts = MediaTime::from_millis(dts_ms - self.origin_ms);
        self.decoder.submit(Frame { format, dts, pts: dts, is_key, data });
        while !self.decoder.is_idle() {
            std::thread::sleep(LOOK_EVERY);
        }
        while let Some(output) = self.decoder.poll() {
            match output {
                AudioOutput::Samples { pts, samples } => self.hear(pts, &samples),
                AudioOutput::Dead(reason) => self.undecodable = Some(reason.to_string()),
            }
        }
    }

    pub(crate) fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Where sound begins after quiet.
    pub(crate) fn beeps(&self) -> Vec<f64> {
        self.envelope.beeps()
    }

    pub(crate) fn report(self) -> AudioReport {
        let Format::Aac(format) = &*self.format else { unreachable!("the reader's sound is AAC") };
        let config = AudioConfig::parse(&format.config).ok();
        let silences: Vec<Span> = self.envelope.silences();
        let tones: Vec<ToneReport> = self.spectrum.tones();
        let level = (self.samples > 0).then(|| (self.power / self.samples as f64).sqrt());
        AudioReport {
            codec: self.format.codec(),
            profile: config.map_or_else(|| "unknown".to_owned(), profile),
            sample_rate: format.sample_rate,
            channels: format.channels,
            timing: self.timing.report(self.origin_ms),
            damaged: self.decoder.stats().damaged,
            undecodable: self.undecodable,
            level_dbfs: level.and_then(decibels).map(|level| thousandths(level + SINE_DB)),
            peak_dbfs: decibels(self.peak.into()).map(thousandths),
            tones,
            silences,
        }
    }

    fn hear(&mut self, pts: MediaTime, samples: &[f32]) {
        let both: Vec<f32> = samples.chunks_exact(2).map(|pair| f32::midpoint(pair[0], pair[1])).collect();
        self.envelope.note(pts.0 as f64 / 1e6, &both);
        self.spectrum.note(&both);
        self.power += samples.iter().map(|&sample| f64::from(sample * sample)).sum::<f64>();
        self.samples += samples.len() as u64;
        self.peak = samples.iter().fold(self.peak, |peak, sample| peak.max(sample.abs()));
    }
}

/// ISO/IEC 14496-3 table 1.3; the words are ffprobe's.
fn profile(config: AudioConfig) -> String {
    match config.object_type {
        1 => "Main".to_owned(),
        2 if config.has_sbr => "HE-AAC".to_owned(),
        2 => "LC".to_owned(),
        other => other.to_string(),
    }
}

/// `None` for digital silence.
fn decibels(amplitude: f64) -> Option<f64> {
    (amplitude > 1e-9).then(|| 20.0 * amplitude.log10())
}
