//! Pictures in, pictures out.

use std::sync::Arc;

use bytes::Bytes;
use heliu_codec::{
    Busy, ConfigError, Undecodable, VideoDecoder, VideoEncoded, VideoEncoder, VideoEncoderConfig, VideoOutput,
};
use heliu_model::{Composition, Draw, Format, Frame, H264Format, MediaTime, Picture, Rect, Size, Yuv};

use crate::bench::{Bench, pictures, silent};
use crate::flv;

const SMALL: Size = Size { width: 320, height: 180 };
const LARGE: Size = Size { width: 640, height: 360 };
const RED: [u8; 3] = [81, 90, 240];
const GREEN: [u8; 3] = [145, 54, 34];

#[test]
fn what_is_encoded_comes_back_with_its_time_and_colours() {
    let bench = Bench::new();
    let frames = encode(&bench, SMALL, 0..30, &[]);
    let mut decoder = VideoDecoder::new(&bench.pool, silent());
    let shown = pictures(&bench.decode(&mut decoder, &frames));

    assert_eq!(shown.len(), 30);
    for (number, (pts, picture)) in shown.iter().enumerate() {
        let sent = heliu_codec::compose(&composition(SMALL, number));
        assert_eq!(*pts, tick(number));
        assert_eq!(picture.size(), SMALL);
        assert!(psnr(picture, &sent) > 34.0, "picture {number}: {} dB", psnr(picture, &sent));
    }
    let last = &shown[29].1;
    for (what, at, want) in [("left", [40, 90], RED), ("right", [280, 90], GREEN)] {
        let got = pixel(last, at);
        assert!(got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= 3), "{what}: {got:?}");
    }
    assert_eq!(decoder.stats(), heliu_codec::Stats::default());
}

#[test]
fn frames_are_made_as_rtmp_and_mp4_want_them() {
    let bench = Bench::new();
    let frames = encode(&bench, SMALL, 0..70, &[37]);

    let keys: Vec<usize> =
        frames.iter().enumerate().filter(|(_, frame)| frame.is_key).map(|(number, _)| number).collect();
    assert_eq!(keys, [0, 30, 37, 67], "each second, from the forced one anew");
    for frame in &frames {
        assert!(Arc::ptr_eq(&frame.format, &frames[0].format), "one format");
        assert_eq!(frame.pts, frame.dts);
        assert_eq!(nal_kinds(&frame.data), [if frame.is_key { 5 } else { 1 }], "one slice, nothing else");
    }
    let Format::H264(format) = &*frames[0].format else { panic!("not H.264") };
    assert_eq!((format.size, format.frame_rate), (SMALL, Some(30.0)));
    assert_eq!(format.record[..2], [1, 66], "baseline");
    assert_eq!(format.record[2] & 0x40, 0x40, "constrained");
}

#[test]
fn the_encoder_keeps_to_its_bitrate() {
    let bench = Bench::new();
    let frames = encode(&bench, LARGE, 0..120, &[]);
    let bits: usize = frames.iter().map(|frame| frame.data.len() * 8).sum();
    assert!(bits < 4 * 1_000_000 * 13 / 10, "{bits} bits in four seconds at 1000 kb/s");
}

#[test]
fn an_encoder_refuses_what_it_cannot_do() {
    let bench = Bench::new();
    let good = config(SMALL);
    for (config, want) in [
        (VideoEncoderConfig { size: Size { width: 321, height: 180 }, ..good }, ConfigError::Size),
        (VideoEncoderConfig { size: Size { width: 8, height: 180 }, ..good }, ConfigError::Size),
        (VideoEncoderConfig { size: Size { width: 4096, height: 180 }, ..good }, ConfigError::Size),
        (VideoEncoderConfig { size: Size { width: 2400, height: 2400 }, ..good }, ConfigError::Size),
        (VideoEncoderConfig { frame_rate: 0, ..good }, ConfigError::FrameRate),
        (VideoEncoderConfig { frame_rate: 61, ..good }, ConfigError::FrameRate),
        (VideoEncoderConfig { bitrate_kbps: 0, ..good }, ConfigError::Bitrate),
        (VideoEncoderConfig { keyframe_ms: 0, ..good }, ConfigError::KeyframeInterval),
    ] {
        assert_eq!(VideoEncoder::new(&bench.pool, config, silent()).map(drop), Err(want), "{config:?}");
    }
}

#[test]
fn a_busy_encoder_drops_the_tick() {
    let bench = Bench::new();
    let mut encoder = VideoEncoder::new(&bench.pool, config(SMALL), silent()).unwrap();
    let hold = bench.hold();
    let results: Vec<_> = (0..8).map(|number| encoder.submit(composition(SMALL, number), false)).collect();
    assert_eq!(results, [[Ok(()); 6].as_slice(), &[Err(Busy); 2]].concat());
    drop(hold);
    bench.settle();
    assert_eq!(std::iter::from_fn(|| encoder.poll()).count(), 6);
    assert_eq!(encoder.stats().overflowed, 2);
}

#[test]
fn b_pictures_come_out_in_order_and_on_time() {
    let bench = Bench::new();
    let frames = flv::frames(include_bytes!("../../fixtures/b_pictures.flv"));
    assert!(frames.iter().any(|frame| frame.pts > frame.dts), "the fixture has B pictures");
    let mut decoder = VideoDecoder::new(&bench.pool, silent());
    let shown = pictures(&bench.decode(&mut decoder, &frames));

    assert!(shown.len() >= 48, "{} of 50, two may still be waiting", shown.len());
    for (number, (pts, picture)) in shown.iter().enumerate() {
        assert_eq!(pts.as_millis(), 80 + 40 * number as i64);
        let want = 20 + 4 * number;
        assert!(usize::from(picture.y()[0]).abs_diff(want) <= 2, "picture {number} is {}", picture.y()[0]);
    }
}

#[test]
fn several_slices_and_cropping_are_decoded() {
    let bench = Bench::new();
    let frames = flv::frames(include_bytes!("../../fixtures/slices_cropped.flv"));
    assert!(nal_kinds(&frames[0].data).len() >= 4, "the fixture has slices");
    let mut decoder = VideoDecoder::new(&bench.pool, silent());
    let shown = pictures(&bench.decode(&mut decoder, &frames));
    assert!(shown.len() >= frames.len() - 2 && !shown.is_empty());
    assert!(shown.iter().all(|(_, picture)| picture.size() == Size { width: 322, height: 182 }));
}

#[test]
fn an_undecodable_track_is_dead_until_its_format_changes() {
    use heliu_container::Undecodable::{BadParameterSets, BitDepth, Chroma, Interlaced};
    let refused = Undecodable::Format;
    let bench = Bench::new();
    let good = encode(&bench, SMALL, 0..3, &[]);
    let aac = Arc::new(Format::Aac(heliu_model::AacFormat { config: Bytes::new(), sample_rate: 48_000, channels: 2 }));
    let strange = |format| good.iter().map(|frame| Frame { format: Arc::clone(&format), ..frame.clone() }).collect();
    for (what, frames, want) in [
        ("4:2:2", flv::frames(include_bytes!("../../fixtures/chroma_422.flv")), refused(Chroma(2))),
        ("ten bits", flv::frames(include_bytes!("../../fixtures/ten_bit.flv")), refused(BitDepth(10))),
        ("fields", flv::frames(include_bytes!("../../fixtures/interlaced.flv")), refused(Interlaced)),
        ("no sps", strange(with_record(&[1, 66, 192, 30, 255, 224, 0])), refused(BadParameterSets)),
        ("sound", strange(aac), Undecodable::Kind),
    ] {
        let mut decoder = VideoDecoder::new(&bench.pool, silent());
        let outputs = bench.decode(&mut decoder, &frames);
        assert!(matches!(outputs[..], [VideoOutput::Dead(reason)] if reason == want), "{what}: {outputs:?}");
        assert_eq!(pictures(&bench.decode(&mut decoder, &good)).len(), 3, "after {what}");
    }
}

#[test]
fn a_change_of_size_goes_on_with_the_next_picture() {
    let bench = Bench::new();
    let small = encode(&bench, SMALL, 0..3, &[]);
    let large = encode(&bench, LARGE, 3..6, &[]);
    let mut inside = large.clone();
    for frame in &mut inside {
        frame.format = Arc::clone(&small[0].format);
        if frame.is_key {
            frame.data = [&parameter_sets(&large[0].format)[..], &frame.data].concat().into();
        }
    }
    for (what, large) in [("by another format", large), ("by an sps inside the stream", inside)] {
        let mut decoder = VideoDecoder::new(&bench.pool, silent());
        let shown = pictures(&bench.decode(&mut decoder, &[small.clone(), large].concat()));
        let sizes: Vec<Size> = shown.iter().map(|(_, picture)| picture.size()).collect();
        assert_eq!(sizes, [SMALL, SMALL, SMALL, LARGE, LARGE, LARGE], "{what}");
    }
}

#[test]
fn after_damage_nothing_is_shown_before_a_keyframe() {
    let bench = Bench::new();
    let frames = encode(&bench, SMALL, 0..12, &[8]);
    let mut cut = frames.clone();
    cut[3].data = cut[3].data.slice(..cut[3].data.len() / 2);
    let mut smuggled = frames.clone();
    smuggled[3].data = [&[0, 0, 0, 8, 0x41, 0, 0, 1, 0x67, 1, 2, 3][..], &frames[3].data].concat().into();
    let mut lost = frames.clone();
    lost.remove(3);
    for (what, frames) in [("cut off", cut), ("a hidden start code", smuggled), ("a frame is missing", lost)] {
        let mut decoder = VideoDecoder::new(&bench.pool, silent());
        let outputs = bench.decode(&mut decoder, &frames);
        let times: Vec<MediaTime> = pictures(&outputs).iter().map(|(pts, _)| *pts).collect();
        let want: Vec<MediaTime> = [0, 1, 2, 8, 9, 10, 11].map(tick).to_vec();
        assert_eq!(times, want, "{what}");
        let asked = outputs.iter().filter(|output| matches!(output, VideoOutput::NeedKeyframe)).count();
        assert_eq!(asked, 1, "{what}");
        assert_eq!(decoder.stats().damaged, 1, "{what}");
    }
}

#[test]
fn who_joins_in_the_middle_asks_once_for_a_keyframe() {
    let bench = Bench::new();
    let frames = encode(&bench, SMALL, 0..8, &[5]);
    let mut decoder = VideoDecoder::new(&bench.pool, silent());
    let outputs = bench.decode(&mut decoder, &frames[1..]);
    assert!(matches!(outputs[0], VideoOutput::NeedKeyframe));
    assert_eq!((outputs.len(), pictures(&outputs).len()), (4, 3));
    assert_eq!(decoder.stats().awaited, 4);
}

#[test]
fn a_full_inbox_drops_up_to_the_next_keyframe() {
    let bench = Bench::new();
    let frames = encode(&bench, SMALL, 0..48, &[32, 40]);
    for (what, submitted, unmarked, overflowed, awaited, is_asked, first) in [
        ("no keyframe in the queue", 0..45, vec![30, 32], 33, 7, true, 40),
        ("a keyframe in the queue", 0..33, vec![32], 30, 0, false, 30),
        ("the newest is the keyframe", 0..33, vec![30], 32, 0, false, 32),
    ] {
        let mut decoder = VideoDecoder::new(&bench.pool, silent());
        let hold = bench.hold();
        let mut frames = frames.clone();
        unmarked.into_iter().for_each(|number: usize| frames[number].is_key = false);
        for frame in &frames[submitted] {
            decoder.submit(frame.clone(), bench.past);
        }
        let stats = decoder.stats();
        assert_eq!((stats.overflowed, stats.awaited), (overflowed, awaited), "{what}");
        drop(hold);
        bench.settle();
        let outputs: Vec<_> = std::iter::from_fn(|| decoder.poll()).collect();
        assert_eq!(outputs.iter().any(|output| matches!(output, VideoOutput::NeedKeyframe)), is_asked, "{what}");
        assert!(pictures(&outputs).iter().all(|(pts, _)| *pts >= tick(first)), "{what}");
    }
}

#[test]
fn pictures_nobody_takes_give_way_to_later_ones() {
    let bench = Bench::new();
    let frames = encode(&bench, SMALL, 0..10, &[]);
    let mut decoder = VideoDecoder::new(&bench.pool, silent());
    for frame in &frames {
        decoder.submit(frame.clone(), bench.past);
    }
    bench.settle();
    let outputs: Vec<_> = std::iter::from_fn(|| decoder.poll()).collect();
    let times: Vec<MediaTime> = pictures(&outputs).iter().map(|(pts, _)| *pts).collect();
    assert_eq!(times, [6, 7, 8, 9].map(tick));
    assert_eq!(decoder.stats().overtaken, 6);
}

pub fn encode(bench: &Bench, size: Size, numbers: std::ops::Range<usize>, forced: &[usize]) -> Vec<Frame> {
    let mut encoder = VideoEncoder::new(&bench.pool, config(size), silent()).unwrap();
    let mut frames = Vec::new();
    for number in numbers {
        encoder.submit(composition(size, number), forced.contains(&number)).unwrap();
        bench.settle();
        frames.extend(std::iter::from_fn(|| encoder.poll()).map(|encoded| match encoded {
            VideoEncoded::Frame(frame) => frame,
            VideoEncoded::Dead(reason) => panic!("{reason}"),
        }));
    }
    frames
}

fn config(size: Size) -> VideoEncoderConfig {
    VideoEncoderConfig { size, frame_rate: 30, bitrate_kbps: 1000, keyframe_ms: 1000 }
}

/// Red left, green right, and a moving gradient between.
fn composition(size: Size, number: usize) -> Composition {
    let side = Size { width: 64, height: 64 };
    let wave = |at: usize| (128.0 + 80.0 * (((at % 64 + number) as f64) / 10.0).sin()) as u8;
    let moving = Picture::new(side, (0..64 * 64).map(wave).collect(), vec![100; 32 * 32], vec![150; 32 * 32]);
    let third = size.width / 3 / 2 * 2;
    let draws = [Picture::filled(side, RED), moving, Picture::filled(side, GREEN)]
        .into_iter()
        .zip(0..)
        .map(|(picture, number)| Draw {
            picture,
            crop: Rect { x: 0, y: 0, width: 64, height: 64 },
            place: Rect { x: number * third, y: 0, width: third, height: size.height },
        })
        .collect();
    Composition { size, background: Yuv::BLACK, draws, pts: tick(number) }
}

fn tick(number: usize) -> MediaTime {
    MediaTime(number as i64 * 1_000_000_000 / 30)
}

fn with_record(record: &[u8]) -> Arc<Format> {
    Arc::new(Format::H264(H264Format { record: Bytes::copy_from_slice(record), size: SMALL, frame_rate: None }))
}

/// SPS and PPS of a record with one each, as NAL units with four-byte lengths.
fn parameter_sets(format: &Format) -> Vec<u8> {
    let Format::H264(format) = format else { panic!("not H.264") };
    let (sps_len, rest) = format.record[6..].split_first_chunk::<2>().unwrap();
    let (sps, rest) = rest.split_at(usize::from(u16::from_be_bytes(*sps_len)));
    let pps = &rest[3..];
    [sps, pps].iter().flat_map(|nal| [&(nal.len() as u32).to_be_bytes(), *nal].concat()).collect()
}

fn nal_kinds(mut data: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let Some((len, rest)) = data.split_first_chunk::<4>() {
        kinds.push(rest[0] & 0x1f);
        data = &rest[u32::from_be_bytes(*len) as usize..];
    }
    kinds
}

fn pixel(picture: &Picture, [x, y]: [usize; 2]) -> [u8; 3] {
    let width = picture.size().width as usize;
    let chroma = y / 2 * width.div_ceil(2) + x / 2;
    [picture.y()[y * width + x], picture.u()[chroma], picture.v()[chroma]]
}

fn psnr(a: &Picture, b: &Picture) -> f64 {
    let error: f64 = a.y().iter().zip(b.y()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * a.y().len() as f64 / error.max(1.0)).log10()
}
