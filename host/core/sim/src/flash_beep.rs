//! A source that flashes and beeps at one moment, so that sync can be measured where it comes out.
//!
//! Black and silence, but from each whole period on, for 100 ms, white and a tone. Times are
//! those of the source's own clock, which may drift. Not here: codecs and the way to the receiver.

use std::time::Duration;

use heliu_model::{MediaTime, Picture, Size};

use crate::clock::Drift;

const CHUNK_FRAMES: i64 = 1_024;
/// 1 kHz: a whole number of sample frames each.
const TONE_FRAMES: i64 = 48;
const ON: Duration = Duration::from_millis(100);
const WHITE: [u8; 3] = [235, 128, 128];
const BLACK: [u8; 3] = [16, 128, 128];

/// What the source makes, with its presentation time.
#[derive(Debug, Clone)]
pub enum Item {
    /// All white or all black.
    Picture {
        /// The source's clock.
        pts: MediaTime,
        /// Shared: all white ones are the same memory.
        picture: Picture,
    },
    /// 1024 interleaved stereo frames at 48 kHz.
    Samples {
        /// The source's clock.
        pts: MediaTime,
        /// Half of full scale in the tone.
        samples: Vec<f32>,
    },
}

/// Makes pictures and sound without end, in the order of their presentation times.
#[derive(Debug)]
pub struct FlashBeep {
    clock: Drift,
    period: Duration,
    frame_rate: i64,
    white: Picture,
    black: Picture,
    pictures: i64,
    chunks: i64,
}

impl FlashBeep {
    /// A source that begins at `clock.since`; its first flash is at its beginning. `period`: at
    /// least 200 ms.
    #[must_use]
    pub fn new(clock: Drift, frame_rate: u32, period: Duration) -> Self {
        let size = Size { width: 16, height: 16 };
        Self {
            clock,
            period: period.max(2 * ON),
            frame_rate: i64::from(frame_rate.max(1)),
            white: Picture::filled(size, WHITE),
            black: Picture::filled(size, BLACK),
            pictures: 0,
            chunks: 0,
        }
    }

    /// The true time at which the next item is made.
    #[must_use]
    pub fn poll_timeout(&self) -> MediaTime {
        self.clock.true_time(self.picture_pts().min(self.chunk_pts()))
    }

    /// The next item if it is made by `now`.
    pub fn poll(&mut self, now: MediaTime) -> Option<Item> {
        if self.poll_timeout() > now {
            return None;
        }
        Some(if self.picture_pts() <= self.chunk_pts() { self.picture() } else { self.samples() })
    }

    /// Does a picture show the flash?
    #[must_use]
    pub fn is_flash(picture: &Picture) -> bool {
        picture.y().first().is_some_and(|luma| *luma > 128)
    }

    fn picture(&mut self) -> Item {
        let pts = self.picture_pts();
        self.pictures += 1;
        let picture = if self.is_on(pts.since(self.clock.since)) { &self.white } else { &self.black };
        Item::Picture { pts, picture: picture.clone() }
    }

    fn samples(&mut self) -> Item {
        let pts = self.chunk_pts();
        let first = self.chunks * CHUNK_FRAMES;
        self.chunks += 1;
        let frames = first..first + CHUNK_FRAMES;
        let samples = if self.is_off_throughout(&frames) {
            vec![0.0; 2 * CHUNK_FRAMES as usize]
        } else {
            frames.flat_map(|frame| [self.sample(frame); 2]).collect()
        };
        Item::Samples { pts, samples }
    }

    fn sample(&self, frame: i64) -> f32 {
        if !self.is_on(since_begin(frame)) {
            return 0.0;
        }
        let turn = (frame % TONE_FRAMES) as f32 / TONE_FRAMES as f32;
        0.5 * (std::f32::consts::TAU * turn).cos()
    }

    /// Looks at the ends only: a chunk is shorter than the tone. Most of an hour is silence.
    fn is_off_throughout(&self, frames: &std::ops::Range<i64>) -> bool {
        !self.is_on(since_begin(frames.start)) && !self.is_on(since_begin(frames.end))
    }

    fn is_on(&self, since: Duration) -> bool {
        // Sample frames are rounded down to the nanosecond.
        let since = since.as_nanos() as u64 + 1;
        since % (self.period.as_nanos() as u64) < ON.as_nanos() as u64
    }

    fn picture_pts(&self) -> MediaTime {
        MediaTime(self.clock.since.0 + self.pictures * 1_000_000_000 / self.frame_rate)
    }

    fn chunk_pts(&self) -> MediaTime {
        self.clock.since + since_begin(self.chunks * CHUNK_FRAMES)
    }
}

/// 48 kHz.
fn since_begin(frames: i64) -> Duration {
    Duration::from_nanos((frames * 62_500 / 3).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flash_and_beep_begin_at_each_whole_period() {
        let clock = Drift { since: MediaTime::from_millis(100), ppm: 0 };
        let mut source = FlashBeep::new(clock, 25, Duration::from_secs(1));
        let (mut flashes, mut beeps) = (Vec::new(), Vec::new());
        let (mut is_white, mut is_loud) = (false, false);
        while let Some(item) = source.poll(MediaTime::from_millis(3_099)) {
            match item {
                Item::Picture { pts, picture } => {
                    let flash = FlashBeep::is_flash(&picture);
                    flashes.extend((flash && !is_white).then_some(pts.as_millis()));
                    is_white = flash;
                }
                Item::Samples { pts, samples } => {
                    for (n, frame) in samples.chunks(2).enumerate() {
                        let at = pts.0 + n as i64 * 62_500 / 3;
                        let loud = frame[0] > 0.4;
                        beeps.extend((loud && !is_loud).then_some((at + 500_000) / 1_000_000));
                        is_loud = loud || (is_loud && frame[0] != 0.0);
                    }
                }
            }
        }
        assert_eq!(flashes, [100, 1_100, 2_100]);
        assert_eq!(beeps.first(), Some(&100));
        assert!(beeps.contains(&1_100) && beeps.contains(&2_100), "{beeps:?}");
    }

    #[test]
    fn a_fast_source_is_ahead_of_time() {
        let clock = Drift { since: MediaTime::ZERO, ppm: 500 };
        let mut source = FlashBeep::new(clock, 25, Duration::from_secs(1));
        let mut last = MediaTime::ZERO;
        while let Some(item) = source.poll(MediaTime::from_millis(60_000)) {
            last = match item {
                Item::Picture { pts, .. } | Item::Samples { pts, .. } => pts,
            };
        }
        assert!((60_008..=60_030).contains(&last.as_millis()), "{last:?}");
    }
}
