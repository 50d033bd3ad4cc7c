//! Valid streams with some of their bytes changed. Whatever comes out, nothing crashes, and the next
//! track on the same thread is decoded as ever.

use std::sync::Arc;

use bytes::Bytes;
use heliu_codec::{AudioCodec, AudioDecoder, AudioOutput, Undecodable, VideoDecoder, VideoOutput};
use heliu_model::{AacFormat, Format, Frame, H264Format, OpusFormat, Size};
use proptest::prelude::*;

use crate::bench::{Bench, pictures, silent};
use crate::{audio, flv, video};

const GOOD: Size = Size { width: 64, height: 48 };

/// Which frame (counted around), which byte (counted around), what is done to it.
type Change = (usize, usize, Damage);

#[derive(Debug, Clone)]
enum Damage {
    Flip(u8),
    Set(u8),
    Cut,
    Insert(Vec<u8>),
    Lose,
    Swap,
    Record(u8),
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn changed_pictures_crash_nothing(which in 0_usize..3, changes in changes()) {
        let bench = Bench::new();
        let frames = match which {
            0 => video::encode(&bench, Size { width: 320, height: 180 }, 0..6, &[3]),
            1 => flv::frames(include_bytes!("../../fixtures/b_pictures.flv"))[..30].to_vec(),
            _ => flv::frames(include_bytes!("../../fixtures/slices_cropped.flv")),
        };
        let good = video::encode(&bench, GOOD, 0..2, &[]);
        let mut decoder = VideoDecoder::new(&bench.pool, silent());
        let outputs = bench.decode(&mut decoder, &changed(frames, &changes));
        let is_crashed = |output: &VideoOutput| matches!(output, VideoOutput::Dead(Undecodable::Crashed));
        prop_assert!(!outputs.iter().any(is_crashed), "{outputs:?}");
        let shown = pictures(&bench.decode(&mut decoder, &good));
        prop_assert_eq!(shown.last().map(|(_, picture)| picture.size()), Some(GOOD));
    }

    #[test]
    fn changed_sound_crashes_nothing(which in 0_usize..3, changes in changes()) {
        let bench = Bench::new();
        let frames = match which {
            0 => audio::aac(44_100, 2, 0.3, |_, time| (time * 3000.0).sin() as f32),
            1 => audio::encode(&bench, AudioCodec::Opus, 15, |time| [(time * 3000.0).sin() as f32; 2]),
            _ => flv::frames(include_bytes!("../../fixtures/surround_44100.flv")),
        };
        let mut decoder = AudioDecoder::new(&bench.pool, silent());
        let good = audio::aac(48_000, 1, 0.1, |_, _| 0.5);
        for frame in changed(frames, &changes).into_iter().chain(good.iter().cloned()) {
            decoder.submit(frame);
        }
        bench.settle();
        let outputs: Vec<_> = std::iter::from_fn(|| decoder.poll()).collect();
        prop_assert!(!outputs.iter().any(|output| matches!(output, AudioOutput::Dead(Undecodable::Crashed))));
        let is_heard = matches!(outputs.last(), Some(AudioOutput::Samples { pts, .. }) if *pts == good[good.len() - 1].pts);
        prop_assert!(is_heard, "the good track is not heard");
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let damage = prop_oneof![
        4 => (0..8_u8).prop_map(|bit| Damage::Flip(1 << bit)),
        2 => any::<u8>().prop_map(Damage::Set),
        1 => Just(Damage::Cut),
        1 => proptest::collection::vec(any::<u8>(), 1..20).prop_map(Damage::Insert),
        1 => Just(Damage::Lose),
        1 => Just(Damage::Swap),
        1 => (0..8_u8).prop_map(|bit| Damage::Record(1 << bit)),
    ];
    proptest::collection::vec((any::<usize>(), any::<usize>(), damage), 1..6)
}

fn changed(mut frames: Vec<Frame>, changes: &[Change]) -> Vec<Frame> {
    for (number, at, damage) in changes {
        let count = frames.len();
        let frame = &mut frames[number % count];
        let mut data = frame.data.to_vec();
        let at = at % data.len().max(1);
        match damage {
            Damage::Flip(bit) if !data.is_empty() => data[at] ^= bit,
            Damage::Set(byte) if !data.is_empty() => data[at] = *byte,
            Damage::Flip(_) | Damage::Set(_) => {}
            Damage::Cut => data.truncate(at),
            Damage::Insert(bytes) => drop(data.splice(at..at, bytes.iter().copied())),
            Damage::Lose => data.clear(),
            Damage::Swap => {
                let other = frames[(number + 1) % count].data.clone();
                data = std::mem::replace(&mut frames[number % count].data, other).to_vec();
                frames[(number + 1) % count].data = data.into();
                continue;
            }
            Damage::Record(bit) => {
                let format = with_changed_header(&frame.format, at, *bit);
                frames.iter_mut().for_each(|frame| frame.format = Arc::clone(&format));
                continue;
            }
        }
        frame.data = data.into();
    }
    frames
}

fn with_changed_header(format: &Format, at: usize, bit: u8) -> Arc<Format> {
    let flipped = |header: &Bytes| {
        let mut header = header.to_vec();
        let at = at % header.len();
        header[at] ^= bit;
        Bytes::from(header)
    };
    Arc::new(match format {
        Format::H264(format) => Format::H264(H264Format { record: flipped(&format.record), ..format.clone() }),
        Format::Aac(format) => Format::Aac(AacFormat { config: flipped(&format.config), ..format.clone() }),
        Format::Opus(_) => Format::Opus(OpusFormat { channels: bit }),
    })
}
