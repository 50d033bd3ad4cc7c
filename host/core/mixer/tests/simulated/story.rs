//! A mixer, publishers with clocks and ways of their own, and what comes out.
//!
//! Publishers are mapped as an ingest does: the first item's arrival is its presentation time.

use std::ops::Range;
use std::time::Duration;

use heliu_mixer::{Input, Mixer, Output};
use heliu_model::{
    Area, Composition, Encoding, Fit, Layout, MediaTime, MixerIntent, Picture, Primary, PublicationId, Region, Scene,
    Size, Sound, Table,
};
use heliu_sim::{Clock, Drift, FlashBeep, Item, Link};

/// A running simulation.
pub struct Story {
    pub mixer: Mixer,
    pub clock: Clock,
    pub publishers: Vec<Publisher>,
    /// Everything the mixer made, unless nobody wants to keep an hour of it.
    pub flashes: Vec<MediaTime>,
    pub beeps: Vec<MediaTime>,
    pub last_picture: Option<Composition>,
    pub longest_queue: (usize, usize),
    is_white: bool,
    silent_frames: u32,
    last_pts: [MediaTime; 2],
}

/// One who flashes and beeps.
pub struct Publisher {
    pub id: PublicationId,
    pub source: FlashBeep,
    pub link: Link<Item>,
    /// From a picture's arrival to its decoded picture.
    pub decoder: Link<(MediaTime, Picture)>,
    /// Made, but never sent.
    pub is_stalled: bool,
    /// Added to every presentation time.
    pub jump: Duration,
    anchor: Option<i64>,
}

impl Story {
    pub fn new(intent: &MixerIntent) -> Self {
        Self {
            mixer: Mixer::new(intent, MediaTime::ZERO),
            clock: Clock::default(),
            publishers: Vec::new(),
            flashes: Vec::new(),
            beeps: Vec::new(),
            last_picture: None,
            longest_queue: (0, 0),
            is_white: false,
            silent_frames: u32::MAX,
            last_pts: [MediaTime(i64::MIN); 2],
        }
    }

    /// Starts a publisher; its first flash is at once.
    pub fn publish(&mut self, name: &str, ppm: i32, link: Link<Item>) -> PublicationId {
        let clock = Drift { since: self.clock.now(), ppm };
        self.publish_source(name, FlashBeep::new(clock, 25, Duration::from_secs(1)), link)
    }

    pub fn publish_source(&mut self, name: &str, source: FlashBeep, link: Link<Item>) -> PublicationId {
        let now = self.clock.now();
        self.mixer.add_input(input(name), now);
        let id = id(name);
        let decoder = Link::new(Duration::ZERO, 0);
        let (is_stalled, jump) = (false, Duration::ZERO);
        self.publishers.push(Publisher { id: id.clone(), source, link, decoder, is_stalled, jump, anchor: None });
        id
    }

    pub fn run_for(&mut self, span: Duration) {
        let end = self.clock.now() + span;
        while self.step(end) {}
        self.clock.reach(end);
    }

    /// Goes to whatever is next; false if that is behind `end`.
    fn step(&mut self, end: MediaTime) -> bool {
        let sources = self.publishers.iter().map(|publisher| publisher.source.poll_timeout());
        let links = self.publishers.iter().filter_map(|publisher| publisher.link.poll_timeout());
        let decoders = self.publishers.iter().filter_map(|publisher| publisher.decoder.poll_timeout());
        let next = sources.chain(links).chain(decoders).fold(self.mixer.poll_timeout(), MediaTime::min);
        if next > end {
            return false;
        }
        let now = self.clock.reach(next);
        for publisher in &mut self.publishers {
            publisher.turn(&mut self.mixer, now);
            let stats = self.mixer.input_stats(&publisher.id).expect("an input");
            self.longest_queue.0 = self.longest_queue.0.max(stats.pictures_len);
            self.longest_queue.1 = self.longest_queue.1.max(stats.frames_len);
        }
        while let Some(output) = self.mixer.poll(now) {
            self.watch(output);
        }
        true
    }

    fn watch(&mut self, output: Output) {
        match output {
            Output::Picture(picture) => {
                assert!(picture.pts > self.last_pts[0], "{:?} after {:?}", picture.pts, self.last_pts[0]);
                self.last_pts[0] = picture.pts;
                let is_white = picture.draws.first().is_some_and(|draw| FlashBeep::is_flash(&draw.picture));
                self.flashes.extend((is_white && !self.is_white).then_some(picture.pts));
                self.is_white = is_white;
                self.last_picture = Some(picture);
            }
            Output::Samples { pts, samples } => {
                assert!(pts > self.last_pts[1]);
                self.last_pts[1] = pts;
                self.listen(pts, &samples);
            }
        }
    }

    fn listen(&mut self, pts: MediaTime, samples: &[f32]) {
        assert_eq!(samples.len(), 2 * heliu_mixer::BLOCK_FRAMES);
        for (n, frame) in samples.chunks(2).enumerate() {
            assert!(frame[0].abs() <= 1.0, "{}", frame[0]);
            if frame[0].abs() < 0.05 {
                self.silent_frames = self.silent_frames.saturating_add(1);
                continue;
            }
            // 100 ms of silence tell one beep from the next.
            self.beeps.extend((self.silent_frames > 4_800).then_some(MediaTime(pts.0 + n as i64 * 62_500 / 3)));
            self.silent_frames = 0;
        }
    }

    /// How far apart each flash of these seconds and its beep came out, in milliseconds; positive: the
    /// beep is late.
    pub fn skews(&self, seconds: Range<i64>) -> Vec<f64> {
        let span = MediaTime::from_millis(seconds.start * 1_000)..MediaTime::from_millis(seconds.end * 1_000);
        let beep_of = |flash: MediaTime| self.beeps.iter().min_by_key(|beep| (beep.0 - flash.0).abs()).expect("beeps");
        let skew = |flash: &MediaTime| (beep_of(*flash).0 - flash.0) as f64 / 1e6;
        self.flashes.iter().filter(|flash| span.contains(flash)).map(skew).collect()
    }
}

impl Publisher {
    fn turn(&mut self, mixer: &mut Mixer, now: MediaTime) {
        while let Some(item) = self.source.poll(now) {
            if !self.is_stalled {
                self.link.send(item, now);
            }
        }
        while let Some(item) = self.link.poll(now) {
            match item {
                Item::Picture { pts, picture } => {
                    let pts = self.map(pts, now);
                    self.decoder.send((pts, picture), now);
                }
                Item::Samples { pts, samples } => {
                    let pts = self.map(pts, now);
                    mixer.handle_samples(&self.id, pts, &samples, now);
                }
            }
        }
        while let Some((pts, picture)) = self.decoder.poll(now) {
            mixer.handle_picture(&self.id, picture, pts, now);
        }
    }

    fn map(&mut self, pts: MediaTime, now: MediaTime) -> MediaTime {
        MediaTime(pts.0 + *self.anchor.get_or_insert(now.0 - pts.0)) + self.jump
    }
}

/// Nothing delayed.
pub fn straight() -> Link<Item> {
    Link::new(Duration::ZERO, 0)
}

/// 320 by 240 at 25, everybody heard, one column for each of up to `columns` inputs.
pub fn intent(columns: usize) -> MixerIntent {
    let encoding =
        Encoding { size: Some(Size { width: 320, height: 240 }), frame_rate: Some(25), ..Encoding::default() };
    let layout = Layout::Table(table((1..=columns).map(self::columns).collect()));
    MixerIntent {
        room: "test/room".parse().expect("an id"),
        publication: id("mix"),
        scene: Some(Scene { encoding, background: "#000000".into(), layout }),
        sound: Some(Sound { voices: None, encoding: Encoding::default() }),
    }
}

pub fn table(sets: Vec<Vec<Region>>) -> Table {
    Table { sets, primary_sets: Vec::new(), primary: Primary::First, inputs: None, audio_only: false }
}

pub fn columns(count: usize) -> Vec<Region> {
    let w = 1.0 / count as f32;
    let area = |at| Area { x: at as f32 * w, y: 0.0, w, h: 1.0 };
    let region = |at| Region { id: format!("{count}.{at}"), area: area(at), z: 0, fit: Fit::Crop, publication: None };
    (0..count).map(region).collect()
}

pub fn input(name: &str) -> Input {
    Input {
        publication: id(name),
        participant: Some(format!("of {name}").parse().expect("an id")),
        has_video: true,
        has_audio: true,
        is_mixed: false,
    }
}

pub fn id(name: &str) -> PublicationId {
    name.parse().expect("an id")
}
