//! The decoded pictures of one input that wait for their tick, and the one that is shown.
//!
//! The first picture is shown at once, long before its time line settles; after that the newest one
//! that is due. A stalled input keeps its last. When the queue is full the oldest is shown before its
//! time, so that even an input much too early moves. Not here: when a picture is due (`timeline`).

use std::collections::VecDeque;

use heliu_model::{MediaTime, Picture};

use crate::stats::Stats;

/// Over half a second at 30 per second, the longest delay there is.
pub(crate) const PICTURES_MAX: usize = 16;

/// Bounded by [`PICTURES_MAX`].
#[derive(Debug)]
pub(crate) struct PictureQueue {
    shown: Picture,
    waiting: VecDeque<(MediaTime, Picture)>,
}

impl PictureQueue {
    /// Shows the first picture.
    pub(crate) fn new(first: Picture) -> Self {
        Self { shown: first, waiting: VecDeque::new() }
    }

    /// Takes the next picture. One that is not after the newest begins another time line: what waited
    /// for the old one is over.
    pub(crate) fn push(&mut self, pts: MediaTime, picture: Picture, stats: &mut Stats) {
        if self.waiting.back().is_some_and(|(newest, _)| pts <= *newest) {
            self.show_until(MediaTime(i64::MAX), stats);
        }
        if self.waiting.len() == PICTURES_MAX {
            stats.pictures_hurried += 1;
            self.show_next();
        }
        self.waiting.push_back((pts, picture));
    }

    /// Shows the newest one that is due.
    pub(crate) fn show_until(&mut self, due: MediaTime, stats: &mut Stats) {
        let count = self.waiting.iter().take_while(|(pts, _)| *pts <= due).count();
        stats.pictures_passed_over += count.saturating_sub(1) as u64;
        (0..count).for_each(|_| self.show_next());
    }

    /// What is shown.
    pub(crate) fn shown(&self) -> &Picture {
        &self.shown
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn show_next(&mut self) {
        if let Some((_, picture)) = self.waiting.pop_front() {
            self.shown = picture;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heliu_model::Size;

    #[test]
    fn the_newest_picture_that_is_due_is_shown() {
        let mut stats = Stats::default();
        let mut queue = PictureQueue::new(picture(0));
        for pts in 1..=4 {
            queue.push(MediaTime(pts * 10), picture(pts as u8), &mut stats);
        }
        for (due, shown, waiting, passed_over) in [(9, 0, 4, 0), (10, 1, 3, 0), (39, 3, 1, 1), (99, 4, 0, 1)] {
            queue.show_until(MediaTime(due), &mut stats);
            assert_eq!((queue.shown().y()[0], queue.len(), stats.pictures_passed_over), (shown, waiting, passed_over));
        }
    }

    #[test]
    fn a_full_queue_shows_its_oldest_early() {
        let mut stats = Stats::default();
        let mut queue = PictureQueue::new(picture(0));
        for pts in 1..=20 {
            queue.push(MediaTime(pts), picture(pts as u8), &mut stats);
        }
        assert_eq!((queue.shown().y()[0], queue.len(), stats.pictures_hurried), (4, PICTURES_MAX, 4));
    }

    #[test]
    fn a_step_back_in_time_begins_anew() {
        let mut stats = Stats::default();
        let mut queue = PictureQueue::new(picture(0));
        for (pts, value) in [(1_000, 1), (1_040, 2), (5, 3)] {
            queue.push(MediaTime(pts), picture(value), &mut stats);
        }
        assert_eq!((queue.shown().y()[0], queue.len()), (2, 1));
    }

    fn picture(value: u8) -> Picture {
        Picture::filled(Size { width: 2, height: 2 }, [value, 128, 128])
    }
}
