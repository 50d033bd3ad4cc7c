//! What one receiver has been told before its frames, whatever protocol says it.

use std::sync::Arc;

use heliu_model::{Format, Frame, Kind};

/// Formats a receiver knows.
#[derive(Debug, Default)]
pub struct Announced {
    has_begun: bool,
    audio: Option<Arc<Format>>,
    video: Option<Arc<Format>>,
}

/// What must stand before a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Whatever the stream begins with.
    pub start: bool,
    /// The sequence header of the frame's format.
    pub format: bool,
}

impl Announced {
    /// Has it been told anything?
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// What this frame needs before it; counts as told from here on.
    pub fn take_due(&mut self, frame: &Frame) -> Due {
        let start = !std::mem::replace(&mut self.has_begun, true);
        let known = match frame.kind() {
            Kind::Audio => &mut self.audio,
            Kind::Video => &mut self.video,
        };
        let is_known = known.as_ref().is_some_and(|known| Arc::ptr_eq(known, &frame.format) || *known == frame.format);
        if !is_known {
            *known = Some(frame.format.clone());
        }
        Due { start, format: !is_known }
    }
}
