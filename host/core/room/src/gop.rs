//! The frames since a publication's last keyframe, so that who joins late need not wait for the next.
//!
//! Bounded in bytes, in frames and in time: a group of pictures beyond a bound is not kept at all, and
//! joiners wait for the next keyframe, as they would without this.

use std::time::Duration;

use heliu_model::{Frame, Kind};

/// A 4K keyframe interval of some seconds; more is an encoder that never sends keyframes.
const BYTES_MAX: usize = 8 << 20;
/// 250 pictures (x264's default interval) with their sound, twice.
const FRAMES_MAX: usize = 1_500;
/// x264's default interval at 25 pictures a second is ten. Who joins is shown the past first, and players
/// that do not hurry stay so far behind.
const SPAN_MAX: Duration = Duration::from_secs(15);

/// Frames from a keyframe on, in order of arrival, sound between the pictures.
#[derive(Debug, Default)]
pub struct Gop {
    frames: Vec<Frame>,
    len_bytes: usize,
}

impl Gop {
    /// Takes note of a frame that was forwarded.
    pub fn push(&mut self, frame: &Frame) {
        if frame.kind() == Kind::Video && frame.is_key {
            self.clear();
        } else if self.frames.is_empty() {
            return;
        }
        self.len_bytes += frame.data.len();
        let span = self.frames.first().map_or(Duration::ZERO, |first| frame.dts.since(first.dts));
        if self.len_bytes > BYTES_MAX || self.frames.len() >= FRAMES_MAX || span > SPAN_MAX {
            self.clear();
            return;
        }
        self.frames.push(frame.clone());
    }

    /// From the keyframe on; empty if none is kept.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.len_bytes = 0;
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
            let mut gop = Gop::default();
            (0..count).for_each(|at| gop.push(&picture(at == 0, at as i64 * every_ms, len)));
            assert_eq!(gop.frames().len(), if is_kept { count } else { 0 }, "{what}");
            gop.push(&picture(true, 60_000, 10));
            assert_eq!(gop.frames().len(), 1, "{what}: the next keyframe begins anew");
        }
    }

    fn picture(is_key: bool, dts_ms: i64, len: usize) -> Frame {
        let size = Size { width: 16, height: 16 };
        let format = Format::H264(H264Format { record: Bytes::new(), size, frame_rate: None });
        let dts = MediaTime::from_millis(dts_ms);
        Frame { format: Arc::new(format), dts, pts: dts, is_key, data: vec![0; len].into() }
    }
}
