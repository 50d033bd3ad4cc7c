//! Opus in, Opus out.

use bytes::Bytes;
use heliu_codec::{AudioCodec, AudioDecoder, AudioEncoder, AudioEncoderConfig, AudioOutput, ConfigError, Stats};
use heliu_container::opus::Packet;
use heliu_model::{Format, Frame, MediaTime, OpusFormat};
use proptest::prelude::*;

use crate::audio::{decode, encode, wave};
use crate::bench::{Bench, silent};

/// Seconds.
const PACKET: f64 = 0.02;

#[test]
fn what_is_encoded_comes_back_in_time() {
    let bench = Bench::new();
    let frames = tone(&bench, 60);
    assert_eq!(frames.len(), 60);
    assert_eq!(frames[0].pts, MediaTime(-6_500_000), "the encoder looks ahead");
    for pair in frames.windows(2) {
        assert_eq!(pair[1].pts.0 - pair[0].pts.0, 20_000_000);
    }
    assert!(frames.iter().all(|frame| *frame.format == Format::Opus(OpusFormat { channels: 2 }) && frame.is_key));
    let heard = decode(&bench, &frames);
    assert!((heard.began() - 0.4).abs() < 0.003, "{:.4} s", heard.began());
    for (side, want) in [0.6, 0.3].into_iter().enumerate() {
        let got = heard.amplitude(side, 1000.0);
        assert!((got - want).abs() < 0.03, "side {side}: {got:.3}, not {want}");
    }
}

#[test]
fn the_encoder_keeps_to_its_bitrate_and_to_its_bounds() {
    let bench = Bench::new();
    let noise = |time: f64| [wave((997.0, 0.3), time) + wave((7919.0, 0.3), time), f32::NAN];
    let bits: usize = encode(&bench, AudioCodec::Opus, 100, noise).iter().map(|frame| frame.data.len() * 8).sum();
    assert!((150_000..300_000).contains(&bits), "{bits} bits in two seconds at 128 kb/s");

    for bitrate_kbps in [0, 15, 511] {
        let config = AudioEncoderConfig { codec: AudioCodec::Opus, bitrate_kbps };
        assert_eq!(AudioEncoder::new(&bench.pool, config, silent()).map(drop), Err(ConfigError::Bitrate));
    }
    let config = AudioEncoderConfig { codec: AudioCodec::Opus, ..AudioEncoderConfig::default() };
    let mut encoder = AudioEncoder::new(&bench.pool, config, silent()).unwrap();
    encoder.submit(MediaTime::ZERO, vec![0.0; 2048]);
    bench.settle();
    assert_eq!(encoder.stats().damaged, 1, "a block of AAC's length");
}

#[test]
fn a_gap_is_filled_and_counted_up_to_its_bound() {
    let bench = Bench::new();
    for (what, lost, concealed_ms) in [
        ("nothing is lost", 0, 0),
        ("one packet", 1, 20),
        ("three", 3, 60),
        ("as long as is guessed at", 6, 120),
        ("longer", 20, 120),
    ] {
        let mut frames = tone(&bench, 60);
        frames.drain(30..30 + lost);
        let (outputs, stats) = run(&bench, &frames);
        let ms = outputs.iter().map(|(_, samples)| samples.len()).sum::<usize>() / 96;
        assert_eq!(ms, 20 * frames.len() + concealed_ms, "{what}");
        assert_eq!(stats, Stats { concealed: u64::from(lost > 0), ..Stats::default() }, "{what}");
        let end_of = |(pts, samples): &(MediaTime, Vec<f32>)| pts.0 + samples.len() as i64 * 1_000_000 / 96;
        let is_closed = outputs.windows(2).all(|pair| end_of(&pair[0]) == pair[1].0.0);
        assert_eq!(is_closed, concealed_ms == 20 * lost, "{what}");
    }
}

#[test]
fn what_is_concealed_sounds_like_what_is_missing() {
    let bench = Bench::new();
    let mut frames = tone(&bench, 60);
    frames.remove(40);
    let (outputs, _) = run(&bench, &frames);
    let loudness = |samples: &[f32]| samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    assert!(loudness(&outputs[40].1) > 0.3, "a tone goes on");
}

#[test]
fn rounded_times_are_no_gaps() {
    let bench = Bench::new();
    let mut frames = tone(&bench, 60);
    for (number, frame) in frames.iter_mut().enumerate() {
        frame.pts = MediaTime(frame.pts.0 + [0, 900_000, -900_000][number % 3]);
    }
    assert_eq!(run(&bench, &frames).1, Stats::default());
}

#[test]
fn a_damaged_packet_is_lost_and_made_up() {
    let bench = Bench::new();
    for (what, data) in [
        ("nothing", vec![]),
        ("a count of none", vec![0xFF, 0]),
        ("more than 120 ms", vec![0xFF, 7]),
        ("absurdly long", vec![0xFC; 200_000]),
    ] {
        let mut frames = tone(&bench, 30);
        frames[20].data = Bytes::from(data);
        let (outputs, stats) = run(&bench, &frames);
        assert_eq!(outputs.len(), 30, "{what}");
        assert_eq!((stats.damaged, stats.concealed), (1, 1), "{what}");
    }
}

#[test]
fn every_duration_and_layout_is_heard() {
    let bench = Bench::new();
    for (what, toc, samples) in [
        ("celt, 2.5 ms", 0b1110_0000, 120),
        ("celt, stereo, 20 ms", 0b1111_1100, 960),
        ("silk, mono, 60 ms", 0b0001_1000, 2880),
        ("hybrid, 10 ms", 0b0111_0000, 480),
    ] {
        let data = Bytes::from([&[toc][..], &[0x55; 60]].concat());
        let (outputs, stats) = run(&bench, &[packet(data)]);
        assert_eq!((outputs[0].1.len(), stats.damaged), (2 * samples, 0), "{what}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn what_we_take_the_library_takes_and_the_reverse(
        toc: u8,
        count in prop_oneof![Just(0x03), Just(0x83), Just(0x41), any::<u8>()],
        rest in proptest::collection::vec(prop_oneof![3 => 0..8_u8, 1 => any::<u8>()], 0..60),
    ) {
        let data = [&[toc, count], &rest[..]].concat();
        let ours = Packet::parse(&data).map(|packet| (packet.samples() as usize, usize::from(packet.frames())));
        let theirs = ::opus::packet::parse(&data).map(|packet| packet.frames.len()).and_then(|frames| {
            Ok((::opus::packet::get_nb_samples(&data, 48_000)?, frames))
        });
        prop_assert_eq!(ours.ok(), theirs.ok());
    }

    #[test]
    fn arbitrary_packets_are_sound_or_damage(
        packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..6),
    ) {
        let bench = Bench::new();
        let frames: Vec<Frame> = packets.into_iter().map(|data| packet(data.into())).collect();
        let (outputs, _) = run(&bench, &frames);
        prop_assert!(outputs.iter().flat_map(|(_, samples)| samples).all(|sample| sample.is_finite()));
    }
}

/// 1 kHz from 0.4 s on, the right side at half.
fn tone(bench: &Bench, packets: usize) -> Vec<Frame> {
    let begin = if packets as f64 * PACKET > 1.0 { 0.4 } else { 0.0 };
    encode(bench, AudioCodec::Opus, packets, |time| {
        let tone = if time < begin { 0.0 } else { wave((1000.0, 0.6), time) };
        [tone, 0.5 * tone]
    })
}

fn packet(data: Bytes) -> Frame {
    let pts = MediaTime::ZERO;
    let format = Format::Opus(OpusFormat { channels: 2 });
    Frame { format: format.into(), dts: pts, pts, is_key: true, data }
}

fn run(bench: &Bench, frames: &[Frame]) -> (Vec<(MediaTime, Vec<f32>)>, Stats) {
    let mut decoder = AudioDecoder::new(&bench.pool, silent());
    let mut outputs = Vec::new();
    for frame in frames {
        decoder.submit(frame.clone());
        bench.settle();
        while let Some(output) = decoder.poll() {
            let AudioOutput::Samples { pts, samples } = output else { panic!("{output:?}") };
            outputs.push((pts, samples));
        }
    }
    (outputs, decoder.stats())
}
