//! What is heard: who, how loud, without clicks, never broken numbers.

use std::f32::consts::TAU;

use heliu_mixer::{BLOCK_FRAMES, Input, Mixer, Output};
use heliu_model::{MediaTime, MixerIntent, Voice};

use crate::story::{id, input, intent};

const CHUNKS_A_SECOND: usize = 48_000 / BLOCK_FRAMES;

#[test]
fn two_full_scale_tones_come_out_equally_loud_and_nothing_clips() {
    let heard = heard(&intent(1), &[("a", 440.0, 1.0), ("b", 1_000.0, 1.0)], 4);
    let loudest = heard.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
    assert!(loudest <= 0.981, "{loudest}");
    let (a, b) = (decibel(&heard, 440.0), decibel(&heard, 1_000.0));
    assert!((a - b).abs() < 1.0 && a > -7.0, "{a} dB and {b} dB");
}

#[test]
fn one_full_scale_tone_passes_nearly_untouched() {
    let heard = heard(&intent(1), &[("a", 1_000.0, 1.0)], 4);
    let level = decibel(&heard, 1_000.0);
    assert!((-0.3..=0.05).contains(&level), "{level} dB");
}

#[test]
fn sound_that_needs_no_help_is_copied() {
    let heard = heard(&intent(1), &[("a", 440.0, 0.5)], 2);
    let spoken = tone(440.0, 0.5, 0..96_000);
    let found = (0..24_000).find(|by| heard[24_000..44_000] == spoken[24_000 - by..44_000 - by]);
    assert!(found.is_some(), "the same bits, later");
}

#[test]
fn voices_and_gains_are_as_wished() {
    let voice = |name: &str, gain| Voice { publication: id(name), gain };
    for (what, voices, want) in [
        ("everybody but mixers", None, [Some(-12.0), Some(-12.0), None]),
        (
            "those named, as loud as said",
            Some(vec![voice("a", 2.0), voice("mixed", 0.5)]),
            [Some(-6.0), None, Some(-18.0)],
        ),
        ("nobody", Some(vec![]), [None, None, None]),
        ("no gain above four", Some(vec![voice("a", 100.0)]), [Some(0.0), None, None]),
        ("no gain that is no number", Some(vec![voice("a", f32::NAN), voice("b", -1.0)]), [None, None, None]),
    ] {
        let mut intent = intent(1);
        intent.sound.as_mut().expect("there").voices = voices;
        let heard = heard(&intent, &[("a", 440.0, 0.25), ("b", 1_000.0, 0.25), ("mixed", 3_000.0, 0.25)], 3);
        for (hertz, want) in [440.0, 1_000.0, 3_000.0].into_iter().zip(want) {
            let level = decibel(&heard, hertz);
            match want {
                Some(want) => assert!((level - want).abs() < 0.3, "{what}: {hertz} Hz at {level} dB"),
                None => assert!(level < -80.0, "{what}: {hertz} Hz at {level} dB"),
            }
        }
    }
}

#[test]
fn only_announced_sound_with_a_gain_is_decoded() {
    let mut intent = intent(1);
    let gains = [("a", 1.0), ("b", 0.0)].map(|(name, gain)| Voice { publication: id(name), gain });
    for (voices, want) in [(None, [true, true, false]), (Some(gains.to_vec()), [true, false, false])] {
        intent.sound.as_mut().expect("there").voices = voices;
        let mut mixer = Mixer::new(&intent, MediaTime::ZERO);
        for name in ["a", "b", "mute"] {
            mixer.add_input(Input { has_audio: name != "mute", ..input(name) }, MediaTime::ZERO);
        }
        assert_eq!(["a", "b", "mute"].map(|name| mixer.is_heard(&id(name))), want);
    }
}

#[test]
fn joins_leaves_stalls_and_gains_make_no_click() {
    let mut intent = intent(1);
    let mut stage = Stage::new(&intent);
    stage.mixer.add_input(input("a"), MediaTime::ZERO);
    for chunk in 0..8 * CHUNKS_A_SECOND {
        match chunk {
            50 => intent.sound.as_mut().expect("there").voices = Some(vec![]),
            100 => intent.sound.as_mut().expect("there").voices = None,
            250 => stage.mixer.remove_input(&id("a")),
            300 => stage.mixer.add_input(input("a"), MediaTime::ZERO),
            _ => (),
        }
        stage.mixer.update(&intent);
        // A hole of 100 ms in the presentation times, a long and a short stall, a jump of 3 s.
        let is_away = (150..200).contains(&chunk) || (220..226).contains(&chunk);
        let jump = [0, 100_000_000, 3_000_000_000][usize::from(chunk > 120) + usize::from(chunk > 330)];
        stage.turn(chunk, jump, (!is_away).then_some(("a", 100.0, 0.5)).as_slice());
    }
    // A 100 Hz tone of 0.5 climbs by 0.0066 a sample at most, fades add a little.
    let steps = stage.heard.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    let worst = steps.enumerate().fold((0, 0.0_f32), |worst, step| if step.1 > worst.1 { step } else { worst });
    assert!(worst.1 < 0.012, "a step of {} at {} ms", worst.1, worst.0 / 48);
    let silent = stage.heard.iter().filter(|sample| **sample == 0.0).count() / 48;
    assert!((2_500..5_000).contains(&silent), "{silent} ms of silence");
}

#[test]
fn broken_numbers_are_silenced() {
    let mut stage = Stage::new(&intent(1));
    stage.mixer.add_input(input("a"), MediaTime::ZERO);
    let nonsense = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -f32::MAX, f32::MIN_POSITIVE / 2.0];
    for chunk in 0..100 {
        let samples: Vec<f32> = (0..2 * BLOCK_FRAMES).map(|n| nonsense[n % nonsense.len()]).collect();
        let now = MediaTime(chunk as i64 * 64_000_000 / 3);
        stage.mixer.handle_samples(&id("a"), now, &samples, now);
        stage.turn(chunk, 0, &[]);
    }
    assert!(stage.heard.iter().all(|sample| sample.abs() <= 0.981));
    assert!(stage.mixer.stats().samples_insane > 100_000);
}

#[test]
fn odd_chunks_are_taken() {
    let mut stage = Stage::new(&intent(1));
    stage.mixer.add_input(input("a"), MediaTime::ZERO);
    for (chunk, len) in [0, 1, 2, 3, 4_095, 200_001, 0, 7].into_iter().enumerate() {
        let now = MediaTime(chunk as i64 * 64_000_000 / 3);
        stage.mixer.handle_samples(&id("a"), now, &vec![0.25; len], now);
        let stats = stage.mixer.input_stats(&id("a")).expect("an input");
        assert!(stats.frames_len <= 48_000, "{stats:?}");
        stage.turn(chunk, 0, &[]);
    }
}

/// Runs a mixer on tones and keeps what the left ear hears.
struct Stage {
    mixer: Mixer,
    heard: Vec<f32>,
}

impl Stage {
    fn new(intent: &MixerIntent) -> Self {
        Self { mixer: Mixer::new(intent, MediaTime::ZERO), heard: Vec::new() }
    }

    /// One block's time: name, frequency and amplitude of who speaks.
    fn turn(&mut self, chunk: usize, jump: i64, speakers: &[(&str, f32, f32)]) {
        let now = MediaTime(chunk as i64 * 64_000_000 / 3);
        for (name, hertz, amplitude) in speakers {
            let frames = chunk * BLOCK_FRAMES..(chunk + 1) * BLOCK_FRAMES;
            let samples: Vec<f32> =
                tone(*hertz, *amplitude, frames).into_iter().flat_map(|sample| [sample; 2]).collect();
            self.mixer.handle_samples(&id(name), MediaTime(now.0 + jump), &samples, now);
        }
        while let Some(output) = self.mixer.poll(now) {
            if let Output::Samples { samples, .. } = output {
                self.heard.extend(samples.chunks(2).map(|frame| frame[0]));
            }
        }
    }
}

fn heard(intent: &MixerIntent, speakers: &[(&str, f32, f32)], seconds: usize) -> Vec<f32> {
    let mut stage = Stage::new(intent);
    for (name, ..) in speakers {
        stage.mixer.add_input(Input { is_mixed: *name == "mixed", ..input(name) }, MediaTime::ZERO);
    }
    (0..seconds * CHUNKS_A_SECOND).for_each(|chunk| stage.turn(chunk, 0, speakers));
    stage.heard
}

fn tone(hertz: f32, amplitude: f32, frames: std::ops::Range<usize>) -> Vec<f32> {
    let turn = |frame: usize| (frame as f64 * f64::from(hertz) / 48_000.0).fract() as f32;
    frames.map(|frame| amplitude * (TAU * turn(frame)).sin()).collect()
}

/// Level of one frequency over the last second.
fn decibel(heard: &[f32], hertz: f32) -> f32 {
    let second = &heard[heard.len() - 48_000..];
    let (mut sine, mut cosine) = (0.0_f64, 0.0_f64);
    for (n, sample) in second.iter().enumerate() {
        let angle = std::f64::consts::TAU * (n as f64 * f64::from(hertz) / 48_000.0).fract();
        sine += f64::from(*sample) * angle.sin();
        cosine += f64::from(*sample) * angle.cos();
    }
    20.0 * (sine.hypot(cosine) / 24_000.0).log10() as f32
}
