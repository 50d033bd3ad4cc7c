//! Tracks through the codecs, in time: what is heard and seen keeps the moment it had. Codec threads work
//! between two steps; nothing waits by the wall clock.

mod wiring;

use std::f64::consts::TAU;
use std::time::Duration;

use heliu_codec::{AudioDecoder, AudioEncoder, AudioEncoderConfig, AudioOutput, VideoDecoder, VideoOutput};
use heliu_container::flv::{FlvReader, TagReader};
use heliu_model::{Format, MediaTime, OpusFormat};

use super::*;

/// The bound for a transcoder.
const OFFSET_MAX: f64 = 0.010;
/// Seconds of silence before the tone.
const ONSET: f64 = 0.7;

#[test]
fn sound_is_heard_when_it_was_made_whatever_the_codecs_are() {
    for (what, from, rendition, rounding_ms) in [
        ("for a browser", AudioCodec::Aac, Rendition::Opus, 0),
        ("for a player", AudioCodec::Opus, Rendition::Aac, 0),
        ("by RTMP's clock", AudioCodec::Aac, Rendition::Opus, 1),
    ] {
        let pool = Pool::start(1).unwrap();
        let mut frames = tone(&pool, from, 2.0);
        if rounding_ms > 0 {
            frames.iter_mut().for_each(|frame| frame.pts = MediaTime::from_millis(frame.pts.as_millis()));
        }
        let (mut transcoder, _) = transcoder(&pool, rendition);
        let made = run(&pool, &mut transcoder, &frames);
        let onset = onset(&pool, &made);
        assert!((onset - ONSET).abs() < OFFSET_MAX, "{what}: {onset:.4} s, not {ONSET}");
        assert_eq!(made[0].format.codec(), rendition.as_str(), "{what}");
        let mut totals = Totals::default();
        transcoder.add_totals(&mut totals);
        assert_eq!((totals.transcoded.frames, totals.transcoded.frames_dropped), (made.len() as u64, 0), "{what}");
        assert!(totals.transcoded.busy_us > 0, "{what}");
    }
}

#[test]
fn who_comes_late_catches_up_with_all_that_was_kept() {
    let pool = Pool::start(1).unwrap();
    let frames = tone(&pool, AudioCodec::Aac, 12.0);
    let (mut transcoder, _) = transcoder(&pool, Rendition::Opus);
    frames.iter().for_each(|frame| transcoder.deliver(frame));
    let mut made = Vec::new();
    for _ in 0..frames.len() {
        pool.settle();
        made.extend(transcoder.drive().unwrap());
    }
    // The last block is not whole.
    assert!((590..=600).contains(&made.len()), "{} packets of 12 s", made.len());
    assert_steps(&made, Duration::from_millis(20));
}

#[test]
fn another_publisher_and_a_gap_leave_equal_steps() {
    let pool = Pool::start(1).unwrap();
    let mut frames = tone(&pool, AudioCodec::Aac, 1.0);
    // One with another codec goes on after a while.
    let after = tone(&pool, AudioCodec::Opus, 1.0).into_iter().map(|frame| {
        let pts = frame.pts + Duration::from_millis(1_300);
        Frame { pts, dts: pts, ..frame }
    });
    frames.extend(after);
    let (mut transcoder, _) = transcoder(&pool, Rendition::Aac);
    let made = run(&pool, &mut transcoder, &frames);
    assert_steps(&made, Duration::from_nanos(21_333_333));
    let last = made.last().unwrap().pts.as_millis();
    assert!((2_200..2_300).contains(&last), "{last} ms");
}

#[test]
fn sound_that_cannot_be_decoded_is_told() {
    let pool = Pool::start(1).unwrap();
    let mut frames = tone(&pool, AudioCodec::Aac, 0.2);
    let main_profile = heliu_model::AacFormat { config: vec![0x09, 0x90].into(), sample_rate: 48_000, channels: 2 };
    frames.iter_mut().for_each(|frame| frame.format = Arc::new(Format::Aac(main_profile.clone())));
    let (mut transcoder, _) = transcoder(&pool, Rendition::Opus);
    transcoder.deliver(&frames[0]);
    pool.settle();
    let reason = transcoder.drive().unwrap_err();
    assert!(reason.contains("object type 1"), "{reason}");

    let opus = Arc::new(Format::Opus(OpusFormat { channels: 2 }));
    let (mut transcoder, _) = self::transcoder(&pool, Rendition::Aac);
    transcoder.deliver(&Frame { format: opus, data: vec![0xFF, 0].into(), ..frames[0].clone() });
    pool.settle();
    assert!(transcoder.drive().unwrap().is_empty());
    let mut totals = Totals::default();
    transcoder.add_totals(&mut totals);
    assert_eq!(totals.transcoded.frames_dropped, 1, "a packet that means nothing");
}

#[test]
fn a_pyramid_becomes_pictures_in_order_at_their_times() {
    let pool = Pool::start(1).unwrap();
    let frames = pyramid();
    let (mut transcoder, _) = transcoder(&pool, Rendition::WithoutBPictures);
    let made = run(&pool, &mut transcoder, &frames);
    assert!(made.len() + 3 >= frames.len(), "{} of {}", made.len(), frames.len());
    assert!(made[0].is_key && made.windows(2).all(|pair| pair[0].dts < pair[1].dts));
    let times: Vec<MediaTime> = frames.iter().map(|frame| frame.pts).collect();
    assert!(made.iter().all(|frame| frame.dts == frame.pts && times.contains(&frame.pts)), "no picture is moved");
    let size = |frame: &Frame| match &*frame.format {
        Format::H264(format) => Some(format.size),
        Format::Aac(_) | Format::Opus(_) => None,
    };
    assert_eq!(size(&made[0]), size(&frames[0]));
    assert_eq!(shown(&pool, &made), made.len());
}

#[test]
fn what_is_kept_is_decoded_only_and_a_keyframe_follows_it() {
    let pool = Pool::start(1).unwrap();
    let frames = pyramid();
    let (past, live) = frames.split_at(frames.len() / 2);
    let (mut transcoder, _) = transcoder(&pool, Rendition::WithoutBPictures);
    past.iter().for_each(|frame| transcoder.deliver(frame));
    transcoder.go_live();
    let made = run(&pool, &mut transcoder, live);
    let last = past.last().unwrap().dts;
    assert!(made[0].is_key && made[0].dts > last, "{:?} after {last:?}", made[0].dts);
    assert!(made.len() + 3 >= live.len(), "{} of {}", made.len(), live.len());

    transcoder.force_keyframe();
    let again: Vec<Frame> = frames.iter().map(|frame| moved(frame, Duration::from_secs(60))).collect();
    assert!(run(&pool, &mut transcoder, &again)[0].is_key);
}

fn transcoder(pool: &Pool, rendition: Rendition) -> (Transcoder, Arc<Notify>) {
    Transcoder::new(&"cam".parse().unwrap(), rendition, RoomClock::start(), pool).unwrap()
}

fn run(pool: &Pool, transcoder: &mut Transcoder, frames: &[Frame]) -> Vec<Frame> {
    let mut made = Vec::new();
    for frame in frames {
        transcoder.deliver(frame);
        // A codec's answer is another one's question.
        for _ in 0..3 {
            pool.settle();
            made.extend(transcoder.drive().unwrap());
        }
    }
    for _ in 0..frames.len() {
        pool.settle();
        made.extend(transcoder.drive().unwrap());
    }
    made
}

/// Silence, then 1 kHz.
fn tone(pool: &Pool, codec: AudioCodec, seconds: f64) -> Vec<Frame> {
    let config = AudioEncoderConfig { codec, bitrate_kbps: 128 };
    let mut encoder = AudioEncoder::new(pool, config, Arc::new(|| {})).unwrap();
    let len = codec.block_len();
    let mut frames = Vec::new();
    for block in 0..(seconds * 48_000.0) as usize / len {
        let sample = |number: usize| {
            let time = (block * len + number) as f64 / 48_000.0;
            if time < ONSET { 0.0 } else { (0.6 * (TAU * 1_000.0 * time).sin()) as f32 }
        };
        let samples = (0..len).flat_map(|number| [sample(number); 2]).collect();
        encoder.submit(MediaTime((block * len) as i64 * 1_000_000_000 / 48_000), samples);
        pool.settle();
        frames.extend(encoder.poll());
    }
    frames
}

/// Seconds.
fn onset(pool: &Pool, frames: &[Frame]) -> f64 {
    let mut decoder = AudioDecoder::new(pool, Arc::new(|| {}));
    for frame in frames {
        decoder.submit(frame.clone());
        pool.settle();
        while let Some(AudioOutput::Samples { pts, samples }) = decoder.poll() {
            if let Some(at) = samples.iter().step_by(2).position(|sample| sample.abs() > 0.3) {
                return pts.0 as f64 / 1e9 + at as f64 / 48_000.0;
            }
        }
    }
    panic!("no tone");
}

fn assert_steps(made: &[Frame], step: Duration) {
    for pair in made.windows(2) {
        let gap = pair[1].pts.since(pair[0].pts);
        assert!(gap.abs_diff(step) < Duration::from_micros(1), "{gap:?} at {:?}", pair[0].pts);
    }
}

/// x264's default: B pictures that others refer to.
fn pyramid() -> Vec<Frame> {
    let mut tags = TagReader::new();
    tags.handle_bytes(include_bytes!("../../../../codec/fixtures/b_pictures.flv"));
    let mut reader = FlvReader::new();
    let mut frames = Vec::new();
    while let Some(tag) = tags.poll().unwrap() {
        if tag.kind == Some(Kind::Video)
            && let Some(read) = reader.handle_video(tag.timestamp_ms, tag.body).unwrap()
        {
            let [dts, pts] = [read.dts_ms, read.pts_ms].map(MediaTime::from_millis);
            frames.push(Frame { format: read.format, dts, pts, is_key: read.is_key, data: read.data });
        }
    }
    frames
}

fn moved(frame: &Frame, by: Duration) -> Frame {
    Frame { dts: frame.dts + by, pts: frame.pts + by, ..frame.clone() }
}

fn shown(pool: &Pool, frames: &[Frame]) -> usize {
    let mut decoder = VideoDecoder::new(pool, Arc::new(|| {}));
    let mut count = 0;
    for frame in frames {
        decoder.submit(frame.clone(), std::time::Instant::now());
        pool.settle();
        while let Some(output) = decoder.poll() {
            count += usize::from(matches!(output, VideoOutput::Picture { .. }));
        }
    }
    count
}
