//! The frames since a publication's last keyframe, so that who joins late need not wait for the next.
//!
//! Bounded in bytes, in frames and in time, and by the [`GopBudget`] of all together: a group of pictures
//! beyond a bound is not kept at all, and joiners wait for the next keyframe, as they would without this.

use std::time::Duration;

use heliu_model::{Frame, Kind};

use crate::gop_budget::GopBudget;

/// A 4K keyframe interval of some seconds; more is an encoder that never sends keyframes.
const BYTES_MAX: usize = 8 << 20;
/// 250 pictures (x264's default interval) with their sound, twice.
const FRAMES_MAX: usize = 1_500;
/// x264's default interval at 25 pictures a second is ten. Who joins is shown the past first, and players
/// that do not hurry stay so far behind.
const SPAN_MAX: Duration = Duration::from_secs(15);

/// Frames from a keyframe on, in order of arrival, sound between the pictures.
#[derive(Debug)]
pub struct Gop {
    frames: Vec<Frame>,
    /// Taken from the budget.
    len_bytes: usize,
    budget: GopBudget,
}

impl Gop {
    /// Nothing yet.
    pub fn new(budget: GopBudget) -> Self {
        Self { frames: Vec::new(), len_bytes: 0, budget }
    }

    /// Takes note of a frame that was forwarded.
    pub fn push(&mut self, frame: &Frame) {
        if frame.kind() == Kind::Video && frame.is_key {
            self.clear();
        } else if self.frames.is_empty() {
            return;
        }
        let len = frame.data.len();
        let span = self.frames.first().map_or(Duration::ZERO, |first| frame.dts.since(first.dts));
        let fits = self.len_bytes + len <= BYTES_MAX && self.frames.len() < FRAMES_MAX && span <= SPAN_MAX;
        if !fits || !self.budget.take(len) {
            self.clear();
            return;
        }
        self.len_bytes += len;
        self.frames.push(frame.clone());
    }

    /// Where its bytes are taken from.
    pub fn budget(&self) -> GopBudget {
        self.budget.clone()
    }

    /// From the keyframe on; empty if none is kept.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.budget.give_back(std::mem::take(&mut self.len_bytes));
    }
}

impl Drop for Gop {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use heliu_model::{Format, H264Format, MediaTime, Size};

    use super::*;

    #[test]
    fn a_group_beyond_a_bound_is_not_kept() {
        for (what, len, every_ms, count, is_kept) in [
            ("ten seconds at 25", 10_000, 40, 250, true),
            ("up to the bytes", BYTES_MAX / 4, 40, 4, true),
            ("one byte more", BYTES_MAX / 4 + 1, 40, 4, false),
            ("up to the frames", 10, 5, FRAMES_MAX, true),
            ("one frame more", 10, 5, FRAMES_MAX + 1, false),
            ("up to the time", 10, 15_000, 2, true),
            ("a moment longer", 10, 15_001, 2, false),
        ] {
            let mut gop = Gop::new(GopBudget::default());
            (0..count).for_each(|at| gop.push(&picture(at == 0, at as i64 * every_ms, len)));
            assert_eq!(gop.frames().len(), if is_kept { count } else { 0 }, "{what}");
            gop.push(&picture(true, 60_000, 10));
            assert_eq!(gop.frames().len(), 1, "{what}: the next keyframe begins anew");
        }
    }

    #[test]
    fn all_together_keep_no_more_than_the_budget() {
        let budget = GopBudget::new(100);
        let [mut first, mut second] = [(); 2].map(|()| Gop::new(budget.clone()));
        first.push(&picture(true, 0, 60));
        second.push(&picture(true, 0, 40));
        second.push(&picture(false, 40, 1));
        assert_eq!((first.frames().len(), second.frames().len()), (1, 0), "one byte more: it is given up");
        assert_eq!((budget.bytes(), budget.refused()), (60, 1));
        second.push(&picture(true, 80, 40));
        assert_eq!(second.frames().len(), 1, "what it had is free for its next group");
        drop(first);
        assert_eq!(budget.bytes(), 40, "who is gone keeps nothing");
    }

    fn picture(is_key: bool, dts_ms: i64, len: usize) -> Frame {
        let size = Size { width: 16, height: 16 };
        let format = Format::H264(H264Format { record: Bytes::new(), size, frame_rate: None });
        let dts = MediaTime::from_millis(dts_ms);
        Frame { format: Arc::new(format), dts, pts: dts, is_key, data: vec![0; len].into() }
    }
}
