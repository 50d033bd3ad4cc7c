//! The mixer: holds inputs, picture and sound, and drives them tick by tick.
//!
//! Nothing is decided here but the order: what is late is given up, then the older of the two, the
//! next picture and the next sound block, is made. Rules about one of them live in `stage`, `sound`
//! and `feed`.

use std::time::Duration;

use heliu_model::{Composition, MediaTime, MixerIntent, Picture, PublicationId};

use crate::feed::Feed;
use crate::grid::Grid;
use crate::input::Input;
use crate::sound::{BLOCKS_IN_64_MS, Sound};
use crate::stage::Stage;
use crate::stats::{InputStats, Stats};

/// Sound that is so late is given up; less is made up for, since encoders want every block.
const SOUND_LATE_MAX: Duration = Duration::from_secs(2);

/// A mixer at work. How many inputs there are is bounded by their room.
#[derive(Debug)]
pub struct Mixer {
    publication: PublicationId,
    now: MediaTime,
    /// In order of arrival.
    feeds: Vec<Feed>,
    ticks: Grid,
    blocks: Grid,
    stage: Option<Stage>,
    sound: Option<Sound>,
    stats: Stats,
}

/// What the mix consists of, in order of time, strictly increasing within each kind.
#[derive(Debug, Clone)]
pub enum Output {
    /// One picture, to be painted and encoded.
    Picture(Composition),
    /// One block of sound.
    Samples {
        /// Of the first sample frame; blocks meet exactly.
        pts: MediaTime,
        /// [`BLOCK_FRAMES`](crate::BLOCK_FRAMES) interleaved stereo frames at 48 kHz, finite, within ±1.
        samples: Vec<f32>,
    },
}

impl Mixer {
    /// Begins with background and silence at `now`, the time of the first picture and first block.
    #[must_use]
    pub fn new(intent: &MixerIntent, now: MediaTime) -> Self {
        let mut mixer = Self {
            publication: intent.publication.clone(),
            now,
            feeds: Vec::new(),
            ticks: Grid::per_second(now, 1),
            blocks: Grid::new(now, 64_000_000, BLOCKS_IN_64_MS),
            stage: None,
            sound: None,
            stats: Stats::default(),
        };
        mixer.update(intent);
        mixer
    }

    /// Takes another wish for the same room and publication, from the next tick on. Times go on
    /// without a break.
    pub fn update(&mut self, intent: &MixerIntent) {
        self.stage = intent.scene.as_ref().map(|scene| Stage::new(scene, &self.feeds));
        match &intent.scene {
            Some(scene) => self.ticks = self.ticks.at_rate(Stage::frame_rate(scene)),
            None => self.feeds.iter_mut().for_each(Feed::drop_pictures),
        }
        self.sound = match (self.sound.take(), &intent.sound) {
            (Some(mut sound), Some(wish)) => {
                sound.update(wish);
                Some(sound)
            }
            (None, Some(wish)) => Some(Sound::new(wish)),
            (_, None) => {
                self.feeds.iter_mut().for_each(|feed| drop(feed.take_tail()));
                None
            }
        };
    }

    /// A publication of the room, in order of arrival; what the mixer itself makes is left out. Of one
    /// that is an input the description is replaced, as when a track is announced later.
    pub fn add_input(&mut self, input: Input, now: MediaTime) {
        self.reach(now);
        if input.publication == self.publication {
            return;
        }
        match self.feeds.iter_mut().find(|feed| feed.input.publication == input.publication) {
            Some(feed) => feed.describe(input),
            None => self.feeds.push(Feed::new(input)),
        }
        self.arrange();
    }

    /// The publication ended. Fine if it is no input.
    pub fn remove_input(&mut self, publication: &PublicationId) {
        let Some(at) = self.feeds.iter().position(|feed| feed.input.publication == *publication) else { return };
        let mut feed = self.feeds.remove(at);
        if let Some(sound) = &mut self.sound {
            sound.add_tail(&feed.take_tail(), feed.gain.unwrap_or(0.0));
        }
        self.arrange();
    }

    /// A decoded picture of an input.
    pub fn handle_picture(&mut self, publication: &PublicationId, picture: Picture, pts: MediaTime, now: MediaTime) {
        self.reach(now);
        if self.stage.is_none() {
            return;
        }
        let Some(feed) = find(&mut self.feeds, publication) else {
            self.stats.unknown_input += 1;
            return;
        };
        if feed.push_picture(pts, picture, self.now, &mut self.stats) {
            self.arrange();
        }
    }

    /// Decoded sound of an input: interleaved stereo at 48 kHz.
    pub fn handle_samples(&mut self, publication: &PublicationId, pts: MediaTime, samples: &[f32], now: MediaTime) {
        self.reach(now);
        if self.sound.is_none() {
            return;
        }
        let Some(feed) = find(&mut self.feeds, publication) else {
            self.stats.unknown_input += 1;
            return;
        };
        feed.push_samples(pts, samples, self.now, &mut self.stats);
    }

    /// The input's pictures cannot be decoded: it takes a place, which shows the background, until a
    /// picture comes after all.
    pub fn handle_undecodable(&mut self, publication: &PublicationId, reason: impl Into<String>) {
        let Some(feed) = find(&mut self.feeds, publication) else {
            self.stats.unknown_input += 1;
            return;
        };
        feed.set_undecodable(reason.into());
        self.arrange();
    }

    /// When `poll` has something again; the end of time for a mixer of neither picture nor sound.
    #[must_use]
    pub fn poll_timeout(&self) -> MediaTime {
        let (tick, block) = (self.next_tick(), self.next_block());
        tick.unwrap_or(MediaTime(i64::MAX)).min(block.unwrap_or(MediaTime(i64::MAX)))
    }

    /// The next part of the mix, if it is time; to be asked until there is none. Picture ticks that
    /// are over are skipped and counted, sound blocks only if they are over for long.
    pub fn poll(&mut self, now: MediaTime) -> Option<Output> {
        self.reach(now);
        self.skip();
        let tick = self.next_tick().filter(|tick| *tick <= self.now);
        let block = self.next_block().filter(|block| *block <= self.now);
        match (tick, block) {
            (None, None) => None,
            (Some(tick), Some(block)) if block < tick => self.next_samples(),
            (Some(_), _) => self.next_picture(),
            (None, Some(_)) => self.next_samples(),
        }
    }

    /// Who is where: region and publication in filling order.
    #[must_use]
    pub fn regions(&self) -> Vec<(String, PublicationId)> {
        self.stage.as_ref().map(Stage::regions).unwrap_or_default()
    }

    /// Inputs whose pictures cannot be decoded, each with the reason.
    #[must_use]
    pub fn undecodable(&self) -> Vec<(PublicationId, String)> {
        let reason = |feed: &Feed| Some((feed.input.publication.clone(), feed.undecodable()?.to_owned()));
        self.feeds.iter().filter_map(reason).collect()
    }

    /// Should its announced pictures be decoded: has it a region, or would it have one with its first
    /// picture?
    #[must_use]
    pub fn is_seen(&self, publication: &PublicationId) -> bool {
        self.stage.as_ref().is_some_and(|stage| stage.is_seen(publication))
    }

    /// Should its announced sound be decoded?
    #[must_use]
    pub fn is_heard(&self, publication: &PublicationId) -> bool {
        let Some(feed) = self.feeds.iter().find(|feed| feed.input.publication == *publication) else { return false };
        self.sound.as_ref().is_some_and(|sound| sound.is_heard(&feed.input))
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Queues and delay of one input; `None` if it is none.
    #[must_use]
    pub fn input_stats(&self, publication: &PublicationId) -> Option<InputStats> {
        let feed = self.feeds.iter().find(|feed| feed.input.publication == *publication)?;
        Some(feed.stats(self.now))
    }

    /// Time never goes back, whatever order the shell's calls come in.
    fn reach(&mut self, now: MediaTime) {
        self.now = self.now.max(now);
    }

    fn arrange(&mut self) {
        if let Some(stage) = &mut self.stage {
            stage.arrange(&self.feeds);
        }
    }

    fn next_tick(&self) -> Option<MediaTime> {
        self.stage.as_ref().map(|_| self.ticks.next_at())
    }

    fn next_block(&self) -> Option<MediaTime> {
        self.sound.as_ref().map(|_| self.blocks.next_at())
    }

    fn skip(&mut self) {
        let ticks = self.ticks.skip_to(self.now);
        let is_late = self.now.since(self.blocks.next_at()) > SOUND_LATE_MAX;
        let blocks = if is_late || self.sound.is_none() { self.blocks.skip_to(self.now) } else { 0 };
        self.stats.ticks_skipped += if self.stage.is_some() { ticks } else { 0 };
        self.stats.blocks_skipped += if self.sound.is_some() { blocks } else { 0 };
    }

    fn next_picture(&mut self) -> Option<Output> {
        let stage = self.stage.as_ref()?;
        let pts = self.ticks.take();
        let half = self.ticks.next_at().since(pts) / 2;
        self.feeds.iter_mut().for_each(|feed| feed.turn_picture(pts, half, &mut self.stats));
        self.stats.pictures += 1;
        Some(Output::Picture(stage.compose(pts, &self.feeds)))
    }

    fn next_samples(&mut self) -> Option<Output> {
        let sound = self.sound.as_mut()?;
        let pts = self.blocks.take();
        self.stats.blocks += 1;
        Some(Output::Samples { pts, samples: sound.render(pts, &mut self.feeds, &mut self.stats) })
    }
}

fn find<'a>(feeds: &'a mut [Feed], publication: &PublicationId) -> Option<&'a mut Feed> {
    feeds.iter_mut().find(|feed| feed.input.publication == *publication)
}
