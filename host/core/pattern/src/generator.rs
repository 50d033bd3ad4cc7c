//! Turns the passing of time into pictures and blocks of sound.
//!
//! Pictures and blocks lie on a grid that begins at time zero. Who comes late gets the latest picture
//! alone, never a burst of old ones; sound that is a little late is made up for, because everybody
//! hears a gap.

use heliu_model::{Composition, MediaTime};

use crate::Pattern;
use crate::painter::Painter;
use crate::tone::Tone;

/// Blocks of sound that are made up for, 170 ms; more are left out.
const LATE_BLOCKS_MAX: i64 = 8;

/// What is due.
#[derive(Debug, Clone)]
pub enum Item {
    /// Shown at its `pts`.
    Picture(Composition),
    /// 1024 pairs at 48 kHz, left and right interleaved.
    Samples {
        /// When the first is heard.
        pts: MediaTime,
        /// At [`crate::AMPLITUDE`], or silence.
        samples: Vec<f32>,
    },
}

/// Makes one pattern. Drive it with the clock of whoever receives.
#[derive(Debug)]
pub struct Generator {
    painter: Painter,
    tone: Tone,
    frame_rate: i64,
    picture: i64,
    block: i64,
    skipped: u64,
}

impl Generator {
    /// Begins at `now`.
    #[must_use]
    pub fn new(pattern: &Pattern, now: MediaTime) -> Self {
        let frame_rate = i64::from(pattern.frame_rate);
        Self {
            painter: Painter::new(pattern),
            tone: Tone::new(pattern),
            frame_rate,
            picture: picture_at(now, frame_rate) + 1,
            block: Tone::block_at(now) + 1,
            skipped: 0,
        }
    }

    /// When the next item is due.
    #[must_use]
    pub fn poll_timeout(&self) -> MediaTime {
        self.picture_pts().min(Tone::pts(self.block))
    }

    /// The next item that is due by `now`.
    pub fn poll(&mut self, now: MediaTime) -> Option<Item> {
        if self.poll_timeout() > now {
            return None;
        }
        self.catch_up(now);
        Some(if self.picture_pts() <= Tone::pts(self.block) { self.paint() } else { self.sound() })
    }

    /// Pictures and blocks that were left out because nobody asked in time.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    fn catch_up(&mut self, now: MediaTime) {
        let late = (picture_at(now, self.frame_rate) - self.picture).max(0);
        self.picture += late;
        let late_blocks = Tone::block_at(now) - self.block;
        let left_out = if late_blocks > LATE_BLOCKS_MAX { late_blocks } else { 0 };
        self.block += left_out;
        self.skipped += (late + left_out).unsigned_abs();
    }

    fn paint(&mut self) -> Item {
        let pts = self.picture_pts();
        self.picture += 1;
        Item::Picture(self.painter.paint(pts))
    }

    fn sound(&mut self) -> Item {
        let block = self.block;
        self.block += 1;
        Item::Samples { pts: Tone::pts(block), samples: self.tone.samples(block) }
    }

    fn picture_pts(&self) -> MediaTime {
        MediaTime(self.picture.saturating_mul(1_000_000_000) / self.frame_rate)
    }
}

/// The last picture that is shown by `now`.
fn picture_at(now: MediaTime, frame_rate: i64) -> i64 {
    // One more nanosecond, because a picture's time is rounded down.
    now.0.max(0).saturating_add(1).saturating_mul(frame_rate) / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_all_its_pictures_and_all_its_sound() {
        for frame_rate in [1, 7, 25, 30, 60] {
            let (pictures, blocks, skipped) = run(frame_rate, 500, 10_500, 1);
            let wanted: Vec<i64> = (1..)
                .map(|n| n * 1_000_000_000 / frame_rate)
                .filter(|&at| at > 500_000_000)
                .take_while(|&at| at <= 10_500_000_000)
                .collect();
            assert_eq!(pictures, wanted, "{frame_rate} a second");
            assert_eq!(blocks.len(), 469, "{frame_rate} a second");
            assert_eq!(skipped, 0);
        }
    }

    #[test]
    fn who_comes_late_gets_one_picture_and_no_gap_in_the_sound() {
        let (pictures, blocks, skipped) = run(25, 0, 2_000, 160);
        assert!(pictures.windows(2).all(|pair| pair[1] - pair[0] == 160_000_000), "{pictures:?}");
        assert!(blocks.windows(2).all(|pair| pair[1] - pair[0] < 22_000_000), "{blocks:?}");
        assert!(skipped > 30, "{skipped}");
    }

    #[test]
    fn a_long_stall_is_not_made_up_for() {
        let (pictures, blocks, skipped) = run(25, 0, 120_000, 60_000);
        assert_eq!((pictures.len(), blocks.len()), (2, 2));
        assert!(skipped > 2 * 1_500, "{skipped}");
    }

    /// Times of pictures and blocks, and what was left out, asked every `step_ms`.
    fn run(frame_rate: i64, from_ms: i64, to_ms: i64, step_ms: usize) -> (Vec<i64>, Vec<i64>, u64) {
        let pattern = Pattern::parse(&format!("test:bars?size=160x96&rate={frame_rate}")).unwrap();
        let mut generator = Generator::new(&pattern, MediaTime::from_millis(from_ms));
        let (mut pictures, mut blocks) = (Vec::new(), Vec::new());
        for now in (from_ms..=to_ms).step_by(step_ms) {
            while let Some(item) = generator.poll(MediaTime::from_millis(now)) {
                match item {
                    Item::Picture(composition) => pictures.push(composition.pts.0),
                    Item::Samples { pts, .. } => blocks.push(pts.0),
                }
            }
            assert!(generator.poll_timeout() > MediaTime::from_millis(now));
        }
        (pictures, blocks, generator.skipped())
    }
}
