//! What a mix of four 1280x720p30 publishers costs: `cargo bench -p heliu-media --bench mixer`.
//!
//! The media plane runs as in the server: four RTMP publishers send over loopback, one mixer composes
//! them into 1280x720p30. Beside it, in the same run, the bare cost: the same frames decoded and the
//! mix encoded by the same codecs, with nothing in between. CPU seconds of the threads concerned, so
//! that a busy machine changes little; a picture that was given up is told.
//!
//! Needs ffmpeg to make the publishers' files.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use heliu_codec::{Composer, Pool, VideoDecoder, VideoEncoded, VideoEncoder, VideoEncoderConfig, VideoOutput};
use heliu_container::flv::{FlvReader, Tag, TagReader};
use heliu_media::{Admit, Config, Handle, Media};
use heliu_model::{
    Area, Attempt, Command, Composition, Draw, Encoding, Fit, Frame, Grant, Kind, Layout, MediaTime, MixerIntent,
    Picture, Primary, Rect, Refusal, Region, Revision, RtmpUrl, Scene, Size, Sound, Table, Takeover, Yuv,
};
use heliu_rtmp::{ClientEvent, ClientSession, MediaKind, media_message};

const HD: Size = Size { width: 1280, height: 720 };
const RATE: u32 = 30;
const PUBLISHERS: usize = 4;
/// Before the measurement: decoders run, rates have settled.
const WARM_UP: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(20);
const FILE_SECONDS: u64 = 25;
/// The host's own choice for this size and rate.
const BITRATE_KBPS: u32 = 2_211;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (0..PUBLISHERS).map(|number| make_file(folder.path(), number)).collect();
    let clips: Vec<Vec<Tag>> = files.iter().map(|file| tags(file)).collect();

    let [media, codec, pictures, dropped] = mix(&clips);
    let seconds = MEASURED.as_secs_f64();
    let mixed = (media + codec) / seconds;
    println!("mix of 4 x 720p30 into 720p30, CPU seconds per output second");
    println!("  codec threads {:.3}, workers {:.3}: {mixed:.3}", codec / seconds, media / seconds);
    println!("  {pictures:.0} pictures in {seconds:.0} s, {dropped:.0} given up");

    let [decode, encode] = bare(&clips);
    println!("bare, same codecs: decode {decode:.3}, encode {encode:.3}: {:.3}", decode + encode);
    println!("ratio {:.2}", mixed / (decode + encode));
}

/// Moving pictures without sound as an encoder sends them: about 2.5 Mbit/s, B pictures, a keyframe
/// every two seconds.
fn make_file(folder: &Path, number: usize) -> PathBuf {
    let file = folder.join(format!("{number}.flv"));
    let source = ["testsrc2", "mandelbrot", "testsrc", "smptehdbars"][number];
    let source = format!("{source}=s=1280x720:r=30");
    let coded = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 60 -b:v 2500k -maxrate 2500k -bufsize 2500k -f flv";
    let status = Process::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", &source, "-t", &FILE_SECONDS.to_string()])
        .args(coded.split(' '))
        .arg(&file)
        .status();
    assert!(status.expect("ffmpeg is installed").success());
    file
}

/// CPU of workers and of codec threads, pictures made and given up.
fn mix(clips: &[Vec<Tag>]) -> [f64; 4] {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (media, _events) = runtime.block_on(async {
        let rtmp = Some(([127, 0, 0, 1], 0).into());
        Media::start(Config { rtmp, workers: 1, ..Config::default() }, Arc::new(Everybody)).await.unwrap()
    });
    let handle = media.handle();
    runtime.block_on(handle.apply(Command::PutMixer("bench/m".parse().unwrap(), Revision(1), Arc::new(intent()))));
    let to = handle.rtmp_addr().unwrap();
    let measured = std::thread::scope(|scope| {
        for (number, clip) in clips.iter().enumerate() {
            scope.spawn(move || publish(to, number, clip));
        }
        std::thread::sleep(WARM_UP);
        let before = look(&handle);
        std::thread::sleep(MEASURED);
        let after = look(&handle);
        assert_eq!(regions(&handle), PUBLISHERS, "all are in the mix");
        [0, 1, 2, 3].map(|at| after[at] - before[at])
    });
    runtime.block_on(media.stop());
    drop(runtime);
    // Its codec threads end by themselves; those of the bare measurement are not to be mixed up with them.
    while cpu_seconds("codec-") > 0.0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    measured
}

fn look(handle: &Handle) -> [f64; 4] {
    let status = handle.status();
    let mixer = status.mixers.values().next().unwrap();
    [cpu_seconds("media-"), cpu_seconds("codec-"), mixer.pictures as f64, mixer.ticks_dropped as f64]
}

fn regions(handle: &Handle) -> usize {
    handle.status().mixers.values().next().map_or(0, |mixer| mixer.regions.len())
}

/// CPU seconds per media second of decoding all clips, and of encoding what a mix of them shows.
fn bare(clips: &[Vec<Tag>]) -> [f64; 2] {
    let pool = Pool::start(1).unwrap();
    let begin = cpu_seconds("codec-");
    let decoded: Vec<Vec<Picture>> = clips.iter().map(|clip| decode(&pool, clip)).collect();
    let decode = (cpu_seconds("codec-") - begin) / (decoded[0].len() as f64 / f64::from(RATE));

    let mut composer = Composer::default();
    let config = VideoEncoderConfig { size: HD, frame_rate: RATE, bitrate_kbps: BITRATE_KBPS, keyframe_ms: 2_000 };
    let mut encoder = VideoEncoder::new(&pool, config, Arc::new(|| {})).unwrap();
    let count = decoded.iter().map(Vec::len).min().unwrap();
    let (mut encode, mut copy) = (0.0, 0.0);
    for number in 0..count {
        let pictures: Vec<Picture> = decoded.iter().map(|clip| clip[number].clone()).collect();
        let canvas = composer.compose(&quarters(&pictures, number));
        let whole = Picture::new(HD, canvas.y().to_vec(), canvas.u().to_vec(), canvas.v().to_vec());
        let place = Rect { x: 0, y: 0, width: HD.width, height: HD.height };
        let ready = Composition { draws: vec![Draw { picture: whole, crop: place, place }], ..quarters(&[], number) };
        // The encoder's actor copies a picture into its canvas: that is not encoding.
        let before = own_cpu_seconds();
        composer.compose(&ready);
        copy += own_cpu_seconds() - before;
        let before = cpu_seconds("codec-");
        encoder.submit(ready, false).unwrap();
        pool.settle();
        encode += cpu_seconds("codec-") - before;
        assert!(matches!(encoder.poll(), Some(VideoEncoded::Frame(_))));
    }
    [decode, (encode - copy) / (count as f64 / f64::from(RATE))]
}

/// Every third picture is kept for three: all of them would not fit into memory.
fn decode(pool: &Pool, clip: &[Tag]) -> Vec<Picture> {
    let mut decoder = VideoDecoder::new(pool, Arc::new(|| {}));
    let mut pictures: Vec<Picture> = Vec::new();
    let mut count = 0;
    for frame in frames(clip) {
        decoder.submit(frame, Instant::now());
        pool.settle();
        while let Some(VideoOutput::Picture { picture, .. }) = decoder.poll() {
            let kept = pictures.last().filter(|_| count % 3 != 0).cloned().unwrap_or(picture);
            pictures.push(kept);
            count += 1;
        }
    }
    pictures
}

fn frames(clip: &[Tag]) -> Vec<Frame> {
    let mut reader = FlvReader::new();
    let read = clip.iter().filter_map(|tag| reader.handle_video(tag.timestamp_ms, tag.body.clone()).ok().flatten());
    let millis = MediaTime::from_millis;
    read.map(|read| Frame {
        format: read.format,
        dts: millis(read.dts_ms),
        pts: millis(read.pts_ms),
        is_key: read.is_key,
        data: read.data,
    })
    .collect()
}

fn quarters(pictures: &[Picture], number: usize) -> Composition {
    let [width, height] = [HD.width / 2, HD.height / 2];
    let draw = |(at, picture): (usize, &Picture)| Draw {
        picture: picture.clone(),
        crop: Rect { x: 0, y: 0, width: HD.width, height: HD.height },
        place: Rect { x: at as u32 % 2 * width, y: at as u32 / 2 * height, width, height },
    };
    let pts = MediaTime(number as i64 * 1_000_000_000 / i64::from(RATE));
    Composition { size: HD, background: Yuv::BLACK, draws: pictures.iter().enumerate().map(draw).collect(), pts }
}

fn intent() -> MixerIntent {
    let encoding = Encoding { size: Some(HD), frame_rate: Some(RATE), ..Encoding::default() };
    let region = |at: usize| Region {
        id: at.to_string(),
        area: Area { x: at as f32 % 2.0 * 0.5, y: (at / 2) as f32 * 0.5, w: 0.5, h: 0.5 },
        z: 0,
        fit: Fit::Crop,
        publication: None,
    };
    let sets = vec![(0..PUBLISHERS).map(region).collect()];
    let table = Table { sets, primary_sets: Vec::new(), primary: Primary::First, inputs: None, audio_only: false };
    MixerIntent {
        room: "bench/room".parse().unwrap(),
        publication: "mix".parse().unwrap(),
        scene: Some(Scene { encoding, background: "#000000".to_owned(), layout: Layout::Table(table) }),
        sound: Some(Sound { voices: None, encoding: Encoding::default() }),
    }
}

/// Lets everybody publish into the mixer's room.
struct Everybody;

impl Admit for Everybody {
    fn admit(&self, attempt: Attempt) -> BoxFuture<'static, Result<Grant, Refusal>> {
        let name = attempt.address.name().to_owned();
        Box::pin(async move {
            Ok(Grant {
                room: "bench/room".parse().unwrap(),
                participant: name.parse().unwrap(),
                publication: name.parse().unwrap(),
                audio: true,
                video: true,
                takeover: Takeover::Refuse,
                wait: Duration::ZERO,
                hold: Duration::ZERO,
                bitrate_kbps_max: None,
                time_max: None,
            })
        })
    }
}

/// Picture tags of an FLV file.
fn tags(file: &Path) -> Vec<Tag> {
    let mut reader = TagReader::new();
    reader.handle_bytes(&std::fs::read(file).unwrap());
    let tags = std::iter::from_fn(|| reader.poll().unwrap());
    tags.filter(|tag| tag.kind == Some(Kind::Video)).collect()
}

/// Sends a clip once, in real time.
fn publish(to: SocketAddr, number: usize, clip: &[Tag]) {
    let url = RtmpUrl::parse(&format!("rtmp://{to}/live/{number}")).unwrap();
    let mut socket = TcpStream::connect(to).unwrap();
    let mut session = ClientSession::publish(&url);
    let mut buffer = [0; 4_096];
    while session.poll_event() != Some(ClientEvent::Ready) {
        while let Some(bytes) = session.poll_output() {
            socket.write_all(&bytes).unwrap();
        }
        let len = socket.read(&mut buffer).unwrap();
        session.handle_bytes(&buffer[..len]).unwrap();
    }
    let start = Instant::now();
    for tag in clip {
        let due = start + Duration::from_millis(u64::from(tag.timestamp_ms));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let bytes = media_message(MediaKind::Video, tag.timestamp_ms, session.stream_id(), &[&tag.body]);
        if socket.write_all(&bytes).is_err() {
            return;
        }
    }
}

/// Of all threads of this process whose names begin so (`/proc`, nanoseconds of `schedstat`).
fn cpu_seconds(name: &str) -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten().map(|entry| entry.path());
    let is_named = |task: &PathBuf| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.starts_with(name));
    tasks.filter(is_named).map(|task| on_cpu(&task)).sum()
}

fn own_cpu_seconds() -> f64 {
    on_cpu(Path::new("/proc/thread-self"))
}

fn on_cpu(task: &Path) -> f64 {
    let stat = std::fs::read_to_string(task.join("schedstat")).unwrap_or_default();
    let nanos: f64 = stat.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0);
    nanos / 1e9
}
