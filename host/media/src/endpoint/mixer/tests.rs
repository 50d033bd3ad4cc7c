//! A mix on its whole way in simulated time: coded pictures and sound through decoders, mixer, encoders
//! and a push, read by the server's side of RTMP and decoded again. Codec threads work between two steps
//! of the clock, or are held still on purpose; nothing waits by the wall clock.

mod sound;

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use heliu_container::flv::FlvReader;
use heliu_model::{
    Area, Composition, EgressId, Encoding, Fit, Layout, Picture, Primary, Region, RtmpUrl, Scene, Sound, Table, Yuv,
};
use heliu_room::{Delivery, Formats};
use heliu_rtmp::{ClientEvent, ClientSession, Media, ServerEvent, ServerSession};
use heliu_sim::Rng;

use super::*;
use crate::endpoint::{Push, Shared};
use crate::queue::SendQueue;

const STEP_MS: i64 = 5;
/// Two pictures of 25 a second.
const GAP_MS_MAX: i64 = 80;
/// Two blocks of 1024 samples, in whole milliseconds.
const SOUND_GAP_MS_MAX: i64 = 43;
const SEEN_WITHIN_MS: i64 = 300;

const BLACK: Yuv = Yuv::BLACK;
const RED: Yuv = Yuv([81, 90, 240]);
const BLUE: Yuv = Yuv([41, 240, 110]);
const LIME: Yuv = Yuv([145, 54, 34]);

#[test]
fn the_pushed_stream_has_no_gap_through_joins_leaves_sizes_scenes_and_stalls() {
    let mut story = Story::new();
    let red = story.clip(RED, [320, 180], 30);
    let blue = story.clip(BLUE, [640, 360], 25);
    let lime = story.clip(LIME, [480, 270], 25);

    story.run_to(1_000);
    story.join("a", &red, 0);
    story.run_to(3_000);
    story.join("b", &blue, 0);
    story.run_to(5_000);
    story.change("a", &lime);
    story.run_to(7_000);
    story.leave("b");
    story.run_to(8_000);
    story.rearrange();
    story.run_to(9_000);
    story.join("b", &blue, 60);
    for stall in 0..3 {
        story.run_to(10_000 + 1_000 * stall);
        story.hold_codecs(200);
    }
    story.run_to(14_000);

    let pushed = story.pushed();
    for (kind, gap_max) in [(Kind::Video, GAP_MS_MAX), (Kind::Audio, SOUND_GAP_MS_MAX)] {
        let times: Vec<i64> =
            pushed.iter().filter(|frame| frame.kind() == kind).map(|frame| frame.dts.as_millis()).collect();
        for pair in times.windows(2) {
            let gap = pair[1] - pair[0];
            assert!((1..=gap_max).contains(&gap), "{kind:?}: {gap} ms at {} ms", pair[0]);
        }
        let whole = times[times.len() - 1] - times[0];
        assert!(whole > 13_500, "{kind:?} lasts {whole} ms");
    }
    let seen = story.seen(&pushed);
    for (what, after, half, colour) in [
        ("a fills the canvas", 1_000, Half::Right, RED),
        ("b gets the right half", 3_000, Half::Right, BLUE),
        ("a keeps the left one", 3_000, Half::Left, RED),
        ("a in another size", 5_000, Half::Left, LIME),
        ("a fills the canvas again", 7_000, Half::Right, LIME),
        ("b comes back, on the left as ordered", 9_000, Half::Left, BLUE),
    ] {
        let first = seen.iter().find(|seen| seen.0 >= after && seen.1[half as usize] == colour).expect(what);
        let late = first.0 - after;
        assert!(late <= SEEN_WITHIN_MS, "{what} {late} ms late");
    }
    assert!(seen.iter().take_while(|seen| seen.0 < 1_000).all(|seen| seen.1 == [BLACK; 2]), "black first");
}

#[derive(Debug, Clone, Copy)]
enum Half {
    Left,
    Right,
}

/// One mixer, its inputs, its push.
struct Story {
    pool: Pool,
    mixer: MixerEndpoint,
    now: i64,
    held_until: Option<(i64, Sender<()>, AudioEncoder)>,
    inputs: Vec<Sending>,
    formats: Formats,
    target: Target,
    rng: Rng,
}

/// A publisher: a clip from its first keyframe on, again and again.
struct Sending {
    publication: PublicationId,
    clip: Vec<Frame>,
    began: i64,
    jitter: u64,
    next: usize,
    /// Frames on their way, each with its arrival.
    way: Vec<(i64, Frame)>,
}

/// Pictures and sound of two seconds.
const CLIP_MS: i64 = 2_000;

impl Story {
    fn new() -> Self {
        let pool = Pool::start(1).unwrap();
        let (mixer, _) =
            MixerEndpoint::new("test/m".parse().unwrap(), &Arc::new(intent(false)), RoomClock::start(), &pool).unwrap();
        let formats = Formats::default();
        let target = Target::new();
        Self { pool, mixer, now: 0, held_until: None, inputs: Vec::new(), formats, target, rng: Rng::new(3) }
    }

    /// Coded pictures of one colour, with silence beside them.
    fn clip(&self, colour: Yuv, [width, height]: [u32; 2], frame_rate: u32) -> Vec<Frame> {
        let size = Size { width, height };
        let config = VideoEncoderConfig { size, frame_rate, bitrate_kbps: 500, keyframe_ms: 10_000 };
        let mut video = VideoEncoder::new(&self.pool, config, Arc::new(|| {})).unwrap();
        let mut frames = Vec::new();
        for number in 0..CLIP_MS * i64::from(frame_rate) / 1_000 {
            let pts = MediaTime(number * 1_000_000_000 / i64::from(frame_rate));
            video.submit(Composition { size, background: colour, draws: Vec::new(), pts }, false).unwrap();
            self.pool.settle();
            let Some(VideoEncoded::Frame(frame)) = video.poll() else { panic!("no picture") };
            frames.push(frame);
        }
        let mut audio = AudioEncoder::new(&self.pool, AudioEncoderConfig::default(), Arc::new(|| {})).unwrap();
        for number in 0..CLIP_MS * 48 / 1024 {
            audio.submit(MediaTime((number + 1) * 1024 * 1_000_000_000 / 48_000), vec![0.0; 2048]);
            self.pool.settle();
            frames.extend(audio.poll());
        }
        frames.sort_by_key(|frame| frame.dts);
        frames
    }

    /// `jitter`: each frame comes up to so many milliseconds late.
    fn join(&mut self, name: &str, clip: &[Frame], jitter: u64) {
        let publication: PublicationId = name.parse().unwrap();
        let participant = format!("of {name}").parse().unwrap();
        let now = self.time();
        self.mixer.add_input(&publication, &participant, true, now);
        self.mixer.inputs_to_refresh();
        let (clip, began) = (clip.to_vec(), self.now);
        self.inputs.push(Sending { publication, clip, began, jitter, next: 0, way: Vec::new() });
    }

    /// Another picture size under the same publication, without a leave.
    fn change(&mut self, name: &str, clip: &[Frame]) {
        let input = self.inputs.iter_mut().find(|input| input.publication.as_str() == name).unwrap();
        (input.clip, input.began, input.next) = (clip.to_vec(), self.now, 0);
    }

    fn leave(&mut self, name: &str) {
        self.inputs.retain(|input| input.publication.as_str() != name);
        self.mixer.remove_input(&name.parse().unwrap());
    }

    /// Another scene: the table from right to left.
    fn rearrange(&mut self) {
        self.mixer.update(&Arc::new(intent(true)), &self.pool).unwrap();
    }

    /// The codec thread does nothing for so long.
    fn hold_codecs(&mut self, millis: i64) {
        let (release, released) = channel::<()>();
        let (reach, reached) = channel();
        let released = Mutex::new(released);
        let wake: Wake = Arc::new(move || {
            reach.send(()).unwrap();
            let _ = released.lock().unwrap().recv();
        });
        let mut plug = AudioEncoder::new(&self.pool, AudioEncoderConfig::default(), wake).unwrap();
        plug.submit(MediaTime::ZERO, vec![0.0; 2048]);
        reached.recv().unwrap();
        self.held_until = Some((self.now + millis, release, plug));
    }

    fn run_to(&mut self, end: i64) {
        while self.now < end {
            self.now += STEP_MS;
            self.send_inputs();
            self.held_until = self.held_until.take().filter(|held| held.0 > self.now);
            self.drive();
            if self.held_until.is_none() {
                self.pool.settle();
                self.drive();
            }
        }
    }

    fn send_inputs(&mut self) {
        for input in &mut self.inputs {
            input.depart(self.now, &mut self.rng);
            let (there, way) = input.way.drain(..).partition(|(arrival, _)| *arrival <= self.now);
            input.way = way;
            for (_, frame) in there as Vec<(i64, Frame)> {
                self.mixer.handle_frame(&input.publication, &frame);
            }
        }
    }

    fn drive(&mut self) {
        let now = self.time();
        for frame in self.mixer.drive(now).unwrap() {
            let format = match frame.kind() {
                Kind::Audio => &mut self.formats.audio,
                Kind::Video => &mut self.formats.video,
            };
            *format = Some(frame.format.clone());
            self.target.take(&frame, &self.formats);
        }
    }

    /// What the target got, on the clock of the room.
    fn pushed(&mut self) -> Vec<Frame> {
        assert!(self.mixer.status().ticks_dropped == 0, "{:?}", self.mixer.status());
        std::mem::take(&mut self.target.frames)
    }

    /// The colours of both halves at each picture.
    fn seen(&self, pushed: &[Frame]) -> Vec<(i64, [Yuv; 2])> {
        let mut decoder = VideoDecoder::new(&self.pool, Arc::new(|| {}));
        let mut seen = Vec::new();
        for frame in pushed.iter().filter(|frame| frame.kind() == Kind::Video) {
            decoder.submit(frame.clone(), Instant::now());
            self.pool.settle();
            while let Some(VideoOutput::Picture { picture, pts }) = decoder.poll() {
                seen.push((pts.as_millis(), [0.25, 0.75].map(|x| nearest(&picture, x))));
            }
        }
        seen
    }

    fn time(&self) -> MediaTime {
        MediaTime::from_millis(self.now)
    }
}

impl Sending {
    /// Puts on the way what is due.
    fn depart(&mut self, now: i64, rng: &mut Rng) {
        loop {
            let round = (self.next / self.clip.len()) as i64;
            let mut frame = self.clip[self.next % self.clip.len()].clone();
            let at = self.began + round * CLIP_MS + frame.dts.as_millis();
            if at > now {
                return;
            }
            let moved = Duration::from_millis((self.began + round * CLIP_MS).try_into().unwrap());
            (frame.dts, frame.pts) = (frame.dts + moved, frame.pts + moved);
            // One connection: nothing overtakes.
            let arrival = (now + rng.below(self.jitter + 1) as i64).max(self.way.last().map_or(0, |last| last.0));
            self.way.push((arrival, frame));
            self.next += 1;
        }
    }
}

/// A server elsewhere, as far as bytes go.
struct Target {
    push: Push,
    queue: Rc<SendQueue>,
    server: ServerSession,
    reader: FlvReader,
    frames: Vec<Frame>,
}

impl Target {
    fn new() -> Self {
        let url = RtmpUrl::parse("rtmp://target.example/live/x").unwrap();
        let (mut client, mut server) = (ClientSession::publish(&url), ServerSession::new());
        while client.poll_event() != Some(ClientEvent::Ready) {
            while let Some(bytes) = client.poll_output() {
                server.handle_bytes(&bytes).unwrap();
            }
            if let Some(ServerEvent::PublishRequested(_)) = server.poll_event() {
                server.accept_publish();
            }
            while let Some(bytes) = server.poll_output() {
                client.handle_bytes(&bytes).unwrap();
            }
        }
        let queue = Rc::new(SendQueue::new());
        let id: EgressId = "test/e".parse().unwrap();
        let push = Push::new(id, queue.clone(), client.stream_id());
        Self { push, queue, server, reader: FlvReader::new(), frames: Vec::new() }
    }

    fn take(&mut self, frame: &Frame, formats: &Formats) {
        let publication = "mix".parse().unwrap();
        let delivery = Delivery { endpoint: EndpointId(1), publication: &publication, frame, formats };
        self.push.deliver(delivery, &Shared::default());
        for bytes in self.queue.take_all() {
            self.server.handle_bytes(&bytes).unwrap();
        }
        while let Some(event) = self.server.poll_event() {
            let ServerEvent::Media(media) = event else { continue };
            let read = match media {
                Media::Audio { timestamp, body } => self.reader.handle_audio(timestamp, body),
                Media::Video { timestamp, body } => self.reader.handle_video(timestamp, body),
                Media::Metadata(_) => continue,
            };
            let Some(read) = read.unwrap() else { continue };
            // The wire begins a second late.
            let [dts, pts] = [read.dts_ms, read.pts_ms].map(|ms| MediaTime::from_millis(ms - 1_000));
            self.frames.push(Frame { format: read.format, dts, pts, is_key: read.is_key, data: read.data });
        }
    }
}

/// Which of the story's colours is there?
fn nearest(picture: &Picture, x: f64) -> Yuv {
    let (width, height) = (picture.size().width as usize, picture.size().height as usize);
    let (column, row) = ((width as f64 * x) as usize, height / 2);
    let chroma = row / 2 * (width / 2) + column / 2;
    let there = [picture.y()[row * width + column], picture.u()[chroma], picture.v()[chroma]];
    let distance = |yuv: &Yuv| -> u32 { yuv.0.iter().zip(there).map(|(a, b)| u32::from(a.abs_diff(b))).sum() };
    [BLACK, RED, BLUE, LIME].into_iter().min_by_key(distance).unwrap()
}

/// 640x360 at 25: alone on all of it, two side by side.
fn intent(is_mirrored: bool) -> MixerIntent {
    let size = Size { width: 640, height: 360 };
    let encoding = Encoding { size: Some(size), frame_rate: Some(25), ..Encoding::default() };
    let region = |id: &str, x: f32, w: f32| Region {
        id: id.to_owned(),
        area: Area { x, y: 0.0, w, h: 1.0 },
        z: 0,
        fit: Fit::Stretch,
        publication: None,
    };
    let [first, second] = if is_mirrored { [0.5, 0.0] } else { [0.0, 0.5] };
    let sets = vec![vec![region("all", 0.0, 1.0)], vec![region("first", first, 0.5), region("second", second, 0.5)]];
    let table = Table { sets, primary_sets: Vec::new(), primary: Primary::First, inputs: None, audio_only: false };
    MixerIntent {
        room: "test/room".parse().unwrap(),
        publication: "mix".parse().unwrap(),
        scene: Some(Scene { encoding, background: "#000000".to_owned(), layout: Layout::Table(table) }),
        sound: Some(Sound { voices: None, encoding: Encoding::default() }),
    }
}
