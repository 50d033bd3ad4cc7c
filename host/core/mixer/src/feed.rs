//! One input inside the mixer: its time line, its pictures, its sound.

use std::time::Duration;

use heliu_model::{Kind, MediaTime, Picture};

use crate::input::Input;
use crate::layout::Present;
use crate::picture_queue::PictureQueue;
use crate::stats::{InputStats, Stats};
use crate::timeline::Timeline;
use crate::voice::Voice;

/// An input and what it holds.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) input: Input,
    /// Of the last block; `None`: no block yet.
    pub(crate) gain: Option<f32>,
    sight: Sight,
    timeline: Timeline,
    voice: Voice,
}

/// What can be seen of it.
#[derive(Debug)]
enum Sight {
    Nothing,
    /// The reason; its place shows the background.
    Undecodable(String),
    Pictures(PictureQueue),
}

impl Feed {
    pub(crate) fn new(input: Input) -> Self {
        let (timeline, voice) = (Timeline::default(), Voice::default());
        Self { input, gain: None, sight: Sight::Nothing, timeline, voice }
    }

    /// Takes a decoded picture. Answers whether it is the first one.
    pub(crate) fn push_picture(&mut self, pts: MediaTime, picture: Picture, now: MediaTime, stats: &mut Stats) -> bool {
        self.timeline.handle_arrival(Kind::Video, pts, now);
        match &mut self.sight {
            Sight::Pictures(queue) => {
                queue.push(pts, picture, stats);
                false
            }
            Sight::Nothing | Sight::Undecodable(_) => {
                self.sight = Sight::Pictures(PictureQueue::new(picture));
                true
            }
        }
    }

    pub(crate) fn push_samples(&mut self, pts: MediaTime, samples: &[f32], now: MediaTime, stats: &mut Stats) {
        self.timeline.handle_arrival(Kind::Audio, pts, now);
        self.voice.push(pts, samples, stats);
    }

    pub(crate) fn set_undecodable(&mut self, reason: String) {
        self.sight = Sight::Undecodable(reason);
    }

    /// Takes another description; without pictures it no longer shows any.
    pub(crate) fn describe(&mut self, input: Input) {
        if !input.has_video {
            self.sight = Sight::Nothing;
        }
        self.input = input;
    }

    /// Without a scene nobody looks at it.
    pub(crate) fn drop_pictures(&mut self) {
        if matches!(self.sight, Sight::Pictures(_)) {
            self.sight = Sight::Nothing;
        }
    }

    pub(crate) fn undecodable(&self) -> Option<&str> {
        match &self.sight {
            Sight::Undecodable(reason) => Some(reason),
            Sight::Nothing | Sight::Pictures(_) => None,
        }
    }

    /// As the layout sees it, if it is there. `is_expected`: regard its first picture as come.
    pub(crate) fn present(&self, is_expected: bool) -> Option<Present<'_>> {
        let is_visible = match self.sight {
            Sight::Undecodable(_) | Sight::Pictures(_) => true,
            Sight::Nothing => is_expected && self.input.has_video,
        };
        let present = Present {
            publication: &self.input.publication,
            participant: self.input.participant.as_ref(),
            is_audio_only: !is_visible,
            is_mixed: self.input.is_mixed,
        };
        (is_visible || !self.input.has_video).then_some(present)
    }

    /// Chooses the picture of the tick at `at`: the newest one due up to `ahead` later, so that its
    /// error is half a tick either way.
    pub(crate) fn turn_picture(&mut self, at: MediaTime, ahead: Duration, stats: &mut Stats) {
        let Sight::Pictures(queue) = &mut self.sight else { return };
        if let Some(due) = self.timeline.due(at, self.voice.is_silent(), stats) {
            queue.show_until(due + ahead, stats);
        }
    }

    /// The chosen picture.
    pub(crate) fn picture(&self) -> Option<&Picture> {
        match &self.sight {
            Sight::Pictures(queue) => Some(queue.shown()),
            Sight::Nothing | Sight::Undecodable(_) => None,
        }
    }

    /// Fills the block at `at` with what is due `ahead` later.
    pub(crate) fn render(&mut self, at: MediaTime, ahead: Duration, block: &mut [[f32; 2]], stats: &mut Stats) {
        match self.timeline.due(at, self.voice.is_silent(), stats) {
            Some(due) => self.voice.render(due + ahead, block, stats),
            None => block.fill([0.0; 2]),
        }
    }

    /// Ends its sound; what is left is to be faded into the next block.
    pub(crate) fn take_tail(&mut self) -> Vec<[f32; 2]> {
        std::mem::take(&mut self.voice).into_tail()
    }

    pub(crate) fn stats(&self, now: MediaTime) -> InputStats {
        let pictures_len = match &self.sight {
            Sight::Pictures(queue) => queue.len(),
            Sight::Nothing | Sight::Undecodable(_) => 0,
        };
        InputStats { pictures_len, frames_len: self.voice.len(), delay: self.timeline.delay(now) }
    }
}
