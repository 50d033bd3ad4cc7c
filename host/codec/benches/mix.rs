//! What a mix of four 720p pictures costs per picture, part by part: `cargo bench -p heliu-codec`.
//!
//! Prints milliseconds of one codec thread. Moving synthetic pictures; real ones cost about as much.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use heliu_codec::{Composer, Pool, VideoDecoder, VideoEncoded, VideoEncoder, VideoEncoderConfig, VideoOutput, Wake};
use heliu_model::{Composition, Draw, Frame, MediaTime, Picture, Rect, Size, Yuv};

const HD: Size = Size { width: 1280, height: 720 };
const PICTURES: usize = 150;

fn main() {
    let inputs: Vec<Picture> = (0..60).map(moving).collect();
    let pool = Pool::start(1).unwrap();

    let mut composer = Composer::default();
    measure("compose 4 x 720p into 720p", |number| {
        composer.compose(&quarters(&inputs, number));
    });
    measure("compose 4 x 720p into 720p, thirds", |number| {
        composer.compose(&thirds(&inputs, number));
    });

    let mut frames = Vec::new();
    let (wake, bell) = bell();
    let config = VideoEncoderConfig { size: HD, frame_rate: 30, bitrate_kbps: 2000, keyframe_ms: 2000 };
    let mut encoder = VideoEncoder::new(&pool, config, wake).unwrap();
    measure("compose and encode 720p", |number| {
        encoder.submit(quarters(&inputs, number), false).unwrap();
        frames.push(wait(&bell, || match encoder.poll()? {
            VideoEncoded::Frame(frame) => Some(frame),
            VideoEncoded::Dead(reason) => panic!("{reason}"),
        }));
    });
    let bits: usize = frames.iter().map(|frame: &Frame| frame.data.len() * 8).sum();
    println!("{:>44} {:9.0} kb/s", "at", bits as f64 / PICTURES as f64 * 30.0 / 1000.0);

    let (wake, rings) = self::bell();
    let mut decoder = VideoDecoder::new(&pool, wake);
    measure("decode 720p", |number| {
        decoder.submit(frames[number].clone(), Instant::now());
        wait(&rings, || match decoder.poll()? {
            VideoOutput::Picture { picture, .. } => Some(picture),
            other => panic!("{other:?}"),
        });
    });
}

fn measure(what: &str, mut work: impl FnMut(usize)) {
    let start = Instant::now();
    (0..PICTURES).for_each(&mut work);
    println!("{what:>44} {:9.3} ms", start.elapsed().as_secs_f64() * 1000.0 / PICTURES as f64);
}

fn bell() -> (Wake, Receiver<()>) {
    let (ring, rings) = channel();
    let ring = Mutex::new(ring);
    (Arc::new(move || ring.lock().unwrap().send(()).unwrap_or_default()), rings)
}

fn wait<T>(bell: &Receiver<()>, mut poll: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(output) = poll() {
            return output;
        }
        bell.recv().unwrap();
    }
}

fn quarters(inputs: &[Picture], number: usize) -> Composition {
    let crop = Rect { x: 0, y: 0, width: HD.width, height: HD.height };
    mix(inputs, number, crop, [HD.width / 2, HD.height / 2])
}

/// A factor between two and four: half, then bilinear.
fn thirds(inputs: &[Picture], number: usize) -> Composition {
    let crop = Rect { x: 0, y: 0, width: HD.width, height: HD.height };
    mix(inputs, number, crop, [426, 240])
}

fn mix(inputs: &[Picture], number: usize, crop: Rect, [width, height]: [u32; 2]) -> Composition {
    let place = |at: u32| Rect { x: at % 2 * width, y: at / 2 * height, width, height };
    let picture = |at: u32| inputs[(number + 7 * at as usize) % inputs.len()].clone();
    let draws = (0..4).map(|at| Draw { picture: picture(at), crop, place: place(at) }).collect();
    Composition { size: HD, background: Yuv::BLACK, draws, pts: MediaTime(number as i64 * 33_333_333) }
}

fn moving(number: usize) -> Picture {
    let width = HD.width as usize;
    let luma = |at: usize| {
        let (x, y) = (at % width + 3 * number, at / width + number);
        let texture = (x.wrapping_mul(31) ^ y.wrapping_mul(17)) & 15;
        (60 + (x / 8 % 16) * 6 + (y / 16 % 8) * 4 + texture) as u8
    };
    let (len, half) = Picture::plane_lens(HD);
    Picture::new(HD, (0..len).map(luma).collect(), vec![110; half], vec![140; half])
}
