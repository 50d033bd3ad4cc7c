//! Sound that is born as Opus, in the mix without another codec between.

use std::f64::consts::TAU;

use heliu_model::Format;

use super::*;

#[test]
fn the_tone_of_an_opus_publication_is_in_the_mix() {
    let mut story = Story::new();
    let clip = story.tone(1_000.0);
    assert!(clip.iter().all(|frame| matches!(*frame.format, Format::Opus(_))));
    story.run_to(500);
    story.join("browser", &clip, 20);
    story.run_to(3_000);

    let pushed = story.pushed();
    let heard = story.heard(&pushed);
    let [wanted, other] = [1_000.0, 700.0].map(|pitch| amplitude(&heard, pitch));
    assert!((wanted - 0.5).abs() < 0.05 && other < 0.02, "{wanted:.3} of the tone, {other:.3} of another");
    assert_eq!(story.mixer.status().inputs[0].frames_dropped, 0);
}

impl Story {
    /// Two seconds of it, coded as a browser does.
    fn tone(&self, pitch: f64) -> Vec<Frame> {
        let config = AudioEncoderConfig { codec: AudioCodec::Opus, bitrate_kbps: 64 };
        let mut encoder = AudioEncoder::new(&self.pool, config, Arc::new(|| {})).unwrap();
        let mut frames = Vec::new();
        for packet in 0..CLIP_MS / 20 {
            let wave = |number: i64| (0.5 * (TAU * pitch * (packet * 960 + number) as f64 / 48_000.0).sin()) as f32;
            encoder
                .submit(MediaTime::from_millis(packet * 20), (0..960).flat_map(|number| [wave(number); 2]).collect());
            self.pool.settle();
            frames.extend(encoder.poll());
        }
        frames
    }

    fn heard(&self, pushed: &[Frame]) -> Vec<f32> {
        let mut decoder = AudioDecoder::new(&self.pool, Arc::new(|| {}));
        let mut heard = Vec::new();
        for frame in pushed.iter().filter(|frame| frame.kind() == Kind::Audio) {
            decoder.submit(frame.clone());
            self.pool.settle();
            while let Some(AudioOutput::Samples { samples, .. }) = decoder.poll() {
                heard.extend(samples);
            }
        }
        heard
    }
}

/// Of the left side, over one of the last seconds.
fn amplitude(heard: &[f32], pitch: f64) -> f64 {
    let left: Vec<f32> = heard.iter().step_by(2).copied().collect();
    let second = &left[left.len() - 72_000..left.len() - 24_000];
    let (sin, cos) = second.iter().zip(0..).fold((0.0, 0.0), |(sin, cos), (sample, number)| {
        let phase = TAU * pitch * f64::from(number) / 48_000.0;
        (sin + f64::from(*sample) * phase.sin(), cos + f64::from(*sample) * phase.cos())
    });
    2.0 * (sin * sin + cos * cos).sqrt() / second.len() as f64
}
