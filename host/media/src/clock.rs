//! Reads the clocks: a room's own time and wall time. The only place of the media plane that does.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use heliu_model::{MediaTime, Timestamp};

/// A room's clock: zero when the room began.
#[derive(Debug, Clone, Copy)]
pub struct RoomClock {
    epoch: Instant,
}

impl RoomClock {
    /// Begins at zero.
    pub fn start() -> Self {
        Self { epoch: Instant::now() }
    }

    /// What it shows.
    pub fn now(&self) -> MediaTime {
        MediaTime::ZERO + self.epoch.elapsed()
    }

    /// When it shows that; the epoch for times before it.
    pub fn instant(&self, time: MediaTime) -> Instant {
        self.epoch + time.since(MediaTime::ZERO)
    }

    /// The same moment on another room's clock.
    pub fn translate(&self, time: MediaTime, to: &RoomClock) -> MediaTime {
        match self.epoch.checked_duration_since(to.epoch) {
            Some(later) => time + later,
            None => time - to.epoch.duration_since(self.epoch),
        }
    }
}

/// Wall time.
pub fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
