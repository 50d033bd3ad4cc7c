//! The frames since a publication's last keyframe, so that who joins late need not wait for the next.
//!
//! Bounded in bytes and in frames: a group of pictures beyond a bound is not kept at all, and joiners
//! wait for the next keyframe, as they would without this.

use heliu_model::{Frame, Kind};

/// A 4K keyframe interval of some seconds; more is an encoder that never sends keyframes.
const BYTES_MAX: usize = 8 << 20;
/// 250 pictures (x264's default interval) with their sound, twice.
const FRAMES_MAX: usize = 1_500;

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
        if self.len_bytes > BYTES_MAX || self.frames.len() >= FRAMES_MAX {
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
