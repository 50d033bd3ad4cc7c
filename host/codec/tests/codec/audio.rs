//! Sound in, sound out.

use std::f64::consts::TAU;
use std::sync::Arc;

use bytes::Bytes;
use heliu_codec::{AudioCodec, AudioDecoder, AudioEncoder, AudioEncoderConfig, AudioOutput, ConfigError, Undecodable};
use heliu_model::{AacFormat, Format, Frame, MediaTime};

use crate::bench::{Bench, silent};
use crate::flv;

/// Hz and amplitude of the tone in one channel.
pub type Tone = (f64, f64);

#[test]
fn tones_of_any_rate_and_layout_keep_pitch_and_loudness() {
    const HALF: f64 = std::f64::consts::FRAC_1_SQRT_2;
    for (rate, channels, left, right) in [
        (8_000, vec![(440.0, 0.5)], vec![(440.0, 0.5)], vec![(440.0, 0.5)]),
        (11_025, vec![(1000.0, 0.5)], vec![(1000.0, 0.5)], vec![(1000.0, 0.5)]),
        (
            22_050,
            vec![(300.0, 0.3), (5000.0, 0.4)],
            vec![(300.0, 0.3), (5000.0, 0.0)],
            vec![(300.0, 0.0), (5000.0, 0.4)],
        ),
        (44_100, vec![(1000.0, 0.5)], vec![(1000.0, 0.5)], vec![(1000.0, 0.5)]),
        (
            44_100,
            vec![(700.0, 0.2), (9000.0, 0.4)],
            vec![(700.0, 0.2), (9000.0, 0.0)],
            vec![(700.0, 0.0), (9000.0, 0.4)],
        ),
        (48_000, vec![(440.0, 0.5), (880.0, 0.25)], vec![(440.0, 0.5)], vec![(880.0, 0.25)]),
        (96_000, vec![(1000.0, 0.5), (3000.0, 0.5)], vec![(1000.0, 0.5)], vec![(3000.0, 0.5)]),
        (
            32_000,
            vec![(300.0, 0.3), (500.0, 0.3), (700.0, 0.3), (60.0, 0.3), (1100.0, 0.3), (1300.0, 0.3)],
            vec![(300.0, 0.3), (500.0, 0.0), (700.0, 0.3 * HALF), (60.0, 0.0), (1100.0, 0.3 * HALF), (1300.0, 0.0)],
            vec![(300.0, 0.0), (500.0, 0.3), (700.0, 0.3 * HALF), (60.0, 0.0), (1100.0, 0.0), (1300.0, 0.3 * HALF)],
        ),
    ] {
        let frames = aac(rate, channels.len(), 1.2, |channel, time| wave(channels[channel], time));
        let heard = decode(&Bench::new(), &frames);
        for (side, wants) in [left, right].iter().enumerate() {
            for (pitch, want) in wants {
                let got = heard.amplitude(side, *pitch);
                let what = format!("{rate} Hz, {} channels, side {side}, {pitch} Hz", channels.len());
                assert!((got - want).abs() < 0.03 * want + 0.01, "{what}: {got:.3}, not {want:.3}");
            }
        }
    }
}

#[test]
fn surround_of_another_encoder_lies_on_the_right_sides() {
    let frames = flv::frames(include_bytes!("../../fixtures/surround_44100.flv"));
    let heard = decode(&Bench::new(), &frames);
    for (pitch, left, right) in [
        (300.0, 0.3, 0.0),
        (500.0, 0.0, 0.3),
        (700.0, 0.212, 0.212),
        (50.0, 0.0, 0.0),
        (1100.0, 0.212, 0.0),
        (1300.0, 0.0, 0.212),
    ] {
        for (side, want) in [left, right].into_iter().enumerate() {
            let got = heard.amplitude(side, pitch);
            assert!((got - want).abs() < 0.03, "{pitch} Hz, side {side}: {got:.3}, not {want:.3}");
        }
    }
}

#[test]
fn sound_is_heard_when_it_was_made() {
    for rate in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 88_200, 96_000] {
        let frames = aac(rate, 1, 1.0, |_, time| if time < 0.4 { 0.0 } else { wave((1000.0, 0.6), time) });
        let began = decode(&Bench::new(), &frames).began();
        assert!((began - 0.4).abs() < 0.004, "{rate} Hz: {began:.4} s, not 0.4");
    }
}

#[test]
fn what_is_encoded_comes_back_in_time_and_never_clips_the_encoder() {
    let bench = Bench::new();
    let frames = encode(&bench, AudioCodec::Aac, 60, |time| {
        let tone = if time < 0.4 { 0.0 } else { wave((1000.0, 0.6), time) };
        [tone, 0.5 * tone]
    });
    assert_eq!(frames.len(), 60);
    for pair in frames.windows(2) {
        let step = pair[1].pts.0 - pair[0].pts.0;
        assert!((step - 21_333_333).abs() <= 1, "{step} ns");
        assert!(pair[0].is_key && Arc::ptr_eq(&pair[0].format, &pair[1].format));
    }
    let heard = decode(&bench, &frames);
    assert!((heard.began() - 0.4).abs() < 0.003, "{:.4} s", heard.began());
    for (side, want) in [0.6, 0.3].into_iter().enumerate() {
        assert!((heard.amplitude(side, 1000.0) - want).abs() < 0.02, "side {side}");
    }

    let frames = encode(&bench, AudioCodec::Aac, 60, |time| [wave((1000.0, 5.0), time), f32::NAN]);
    assert_eq!(frames.len(), 60);
    assert!((decode(&bench, &frames).amplitude(0, 1000.0) - 1.26).abs() < 0.1, "a clipped sine");
}

#[test]
fn the_encoder_keeps_to_its_bitrate_and_to_its_bounds() {
    let bench = Bench::new();
    let noise = |time: f64| [wave((997.0, 0.3), time) + wave((7919.0, 0.3), time), wave((3001.0, 0.5), time)];
    let bits: usize = encode(&bench, AudioCodec::Aac, 94, noise).iter().map(|frame| frame.data.len() * 8).sum();
    assert!((200_000..280_000).contains(&bits), "{bits} bits in two seconds at 128 kb/s");

    for bitrate_kbps in [0, 15, 513] {
        let encoder = AudioEncoder::new(
            &bench.pool,
            AudioEncoderConfig { bitrate_kbps, ..AudioEncoderConfig::default() },
            silent(),
        );
        assert_eq!(encoder.map(drop), Err(ConfigError::Bitrate));
    }
    let mut encoder = AudioEncoder::new(&bench.pool, AudioEncoderConfig::default(), silent()).unwrap();
    encoder.submit(MediaTime::ZERO, vec![0.0; 100]);
    bench.settle();
    assert_eq!(encoder.stats().damaged, 1);
}

#[test]
fn a_change_of_format_goes_on_in_the_other_one() {
    let bench = Bench::new();
    let first = aac(44_100, 2, 0.5, |_, time| wave((500.0, 0.5), time));
    let mut second = aac(22_050, 1, 1.0, |_, time| wave((900.0, 0.5), time));
    for frame in &mut second {
        let shifted = MediaTime(frame.pts.0 + 550_000_000);
        (frame.pts, frame.dts) = (shifted, shifted);
    }
    let heard = decode(&bench, &[first, second].concat());
    assert!((heard.amplitude(0, 900.0) - 0.5).abs() < 0.02, "{}", heard.amplitude(0, 900.0));
    assert!((heard.end() - 1.55).abs() < 0.1, "{}", heard.end());
}

#[test]
fn an_undecodable_track_is_dead_until_its_format_changes() {
    use heliu_container::Undecodable::{Channels, ObjectType};
    let bench = Bench::new();
    let good = aac(48_000, 2, 0.3, |_, time| wave((440.0, 0.5), time));
    let with_config = |config: &[u8]| format(&[config], 48_000, 2);
    for (what, format, want) in [
        ("empty", with_config(&[]), Undecodable::Format(ObjectType(0))),
        ("main profile", with_config(&[0x09, 0x90]), Undecodable::Format(ObjectType(1))),
        ("7.1", with_config(&[0x11, 0xb8]), Undecodable::Format(Channels(8))),
        ("pictures", picture_format(), Undecodable::Kind),
    ] {
        let mut decoder = AudioDecoder::new(&bench.pool, silent());
        for frame in &good {
            decoder.submit(Frame { format: Arc::clone(&format), ..frame.clone() });
        }
        bench.settle();
        let outputs: Vec<_> = std::iter::from_fn(|| decoder.poll()).collect();
        assert!(matches!(outputs[..], [AudioOutput::Dead(reason)] if reason == want), "{what}: {outputs:?}");
        decoder.submit(good[0].clone());
        bench.settle();
        assert!(matches!(decoder.poll(), Some(AudioOutput::Samples { .. })), "after {what}");
    }
}

#[test]
fn a_damaged_frame_is_lost_and_the_next_is_heard() {
    let bench = Bench::new();
    let mut frames = aac(48_000, 2, 0.5, |_, time| wave((440.0, 0.5), time));
    frames[5].data = Bytes::from_static(&[0xff; 20]);
    frames[9].data = Bytes::new();
    let mut decoder = AudioDecoder::new(&bench.pool, silent());
    frames.iter().for_each(|frame| decoder.submit(frame.clone()));
    bench.settle();
    assert_eq!(std::iter::from_fn(|| decoder.poll()).count(), frames.len() - 2);
    assert_eq!(decoder.stats().damaged, 2);
}

#[test]
fn full_queues_of_sound_lose_the_oldest() {
    let bench = Bench::new();
    let frames = aac(48_000, 1, 2.0, |_, time| wave((440.0, 0.5), time));
    let mut decoder = AudioDecoder::new(&bench.pool, silent());
    let hold = bench.hold();
    frames[..70].iter().for_each(|frame| decoder.submit(frame.clone()));
    drop(hold);
    bench.settle();
    frames[70..80].iter().for_each(|frame| decoder.submit(frame.clone()));
    bench.settle();
    let stats = decoder.stats();
    assert_eq!((stats.overflowed, stats.overtaken), (6, 10));
    let Some(AudioOutput::Samples { pts, .. }) = decoder.poll() else { panic!("no samples") };
    assert_eq!(pts, frames[16].pts);
}

/// What was decoded, as one piece.
pub struct Heard {
    begin: f64,
    samples: Vec<f32>,
}

impl Heard {
    /// Over the last but one tenth to six tenths of a second.
    pub fn amplitude(&self, side: usize, pitch: f64) -> f64 {
        let samples: Vec<f32> = self.samples.iter().skip(side).step_by(2).copied().collect();
        let window = &samples[samples.len().saturating_sub(48 * 250)..samples.len() - 48 * 50];
        let (sin, cos) = window.iter().enumerate().fold((0.0, 0.0), |(sin, cos), (number, sample)| {
            let phase = TAU * pitch * number as f64 / 48_000.0;
            (sin + f64::from(*sample) * phase.sin(), cos + f64::from(*sample) * phase.cos())
        });
        2.0 * (sin * sin + cos * cos).sqrt() / window.len() as f64
    }

    /// Seconds until the first sample of some loudness.
    pub fn began(&self) -> f64 {
        let first = self.samples.iter().step_by(2).position(|sample| sample.abs() > 0.3).unwrap();
        self.begin + first as f64 / 48_000.0
    }

    pub fn end(&self) -> f64 {
        self.begin + self.samples.len() as f64 / 96_000.0
    }
}

/// Decodes and checks that each block begins where the one before ended.
pub fn decode(bench: &Bench, frames: &[Frame]) -> Heard {
    let mut decoder = AudioDecoder::new(&bench.pool, silent());
    let mut heard = Heard { begin: f64::NAN, samples: Vec::new() };
    for frame in frames {
        decoder.submit(frame.clone());
        bench.settle();
        while let Some(output) = decoder.poll() {
            let AudioOutput::Samples { pts, samples } = output else { panic!("{output:?}") };
            if heard.samples.is_empty() {
                heard.begin = pts.0 as f64 / 1e9;
            }
            assert!((heard.end() - pts.0 as f64 / 1e9).abs() < 0.022, "a gap at {pts:?}: {}", heard.end());
            heard.samples.extend(samples);
        }
    }
    assert_eq!(decoder.stats(), heliu_codec::Stats::default());
    heard
}

pub fn encode(bench: &Bench, codec: AudioCodec, blocks: usize, sound: impl Fn(f64) -> [f32; 2]) -> Vec<Frame> {
    let config = AudioEncoderConfig { codec, ..AudioEncoderConfig::default() };
    let mut encoder = AudioEncoder::new(&bench.pool, config, silent()).unwrap();
    let len = codec.block_len();
    let mut frames = Vec::new();
    for block in 0..blocks {
        let samples = (0..len).flat_map(|number| sound((block * len + number) as f64 / 48_000.0)).collect();
        encoder.submit(MediaTime((block * len) as i64 * 1_000_000_000 / 48_000), samples);
        bench.settle();
        frames.extend(std::iter::from_fn(|| encoder.poll()));
    }
    frames
}

/// Frames of AAC-LC with the times a muxer gives them: the first decodes to what lies before the start.
pub fn aac(rate: u32, channels: usize, seconds: f64, sound: impl Fn(usize, f64) -> f32) -> Vec<Frame> {
    let options = syom::EncodeOptions::raw().with_bitrate_bps((rate * 2).min(64_000) * channels as u32);
    let mut encoder = syom::Encoder::new(rate, channels, &options).unwrap();
    let format = format(&[encoder.asc()], rate, channels as u8);
    let len = (seconds * f64::from(rate)) as usize;
    let plane = |channel| (0..len).map(|number| sound(channel, number as f64 / f64::from(rate))).collect();
    let planes: Vec<Vec<f32>> = (0..channels).map(plane).collect();
    let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
    let mut frames: Vec<Frame> = Vec::new();
    let mut keep = |frame: syom::EncodedFrame<'_>| {
        let pts = MediaTime((frames.len() as i64 - 1) * 1024 * 1_000_000_000 / i64::from(rate));
        let data = Bytes::copy_from_slice(frame.payload);
        frames.push(Frame { format: Arc::clone(&format), dts: pts, pts, is_key: true, data });
        Ok(())
    };
    encoder.feed(&planes, &mut keep).unwrap();
    encoder.finish(&mut keep).unwrap();
    frames
}

fn format(config: &[&[u8]], sample_rate: u32, channels: u8) -> Arc<Format> {
    Arc::new(Format::Aac(AacFormat { config: config.concat().into(), sample_rate, channels }))
}

fn picture_format() -> Arc<Format> {
    let size = heliu_model::Size { width: 2, height: 2 };
    Arc::new(Format::H264(heliu_model::H264Format { record: Bytes::new(), size, frame_rate: None }))
}

pub fn wave((pitch, amplitude): Tone, time: f64) -> f32 {
    (amplitude * (TAU * pitch * time).sin()) as f32
}
