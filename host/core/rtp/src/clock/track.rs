//! One track's place on the room's clock.

use heliu_model::MediaTime;

use super::earliest::Earliest;

const NANOS: i128 = 1_000_000_000;
/// A step of the timestamps that is so much longer than the time that passed is a jump.
const JUMP_FORWARD_NS: i64 = 2_000_000_000;
/// Pictures that are shown in another order than they are sent in step back by a few.
const JUMP_BACK_NS: i64 = 500_000_000;
/// Arrivals as a whole so far from where they belong: no drift, the publisher's timestamps stood still.
const STRAY_NS_MAX: i64 = 2_000_000_000;
/// Following arrivals: a difference is made up for within so many seconds, and at most two thousandths
/// of the time that passes. No quartz is off by more than a quarter of that.
const FOLLOW_SECONDS: i64 = 5;
const FOLLOW_PER_MILLE_MAX: i64 = 2;
/// Pictures on their way to their sound: nobody sees a picture that stays for three milliseconds more.
const ALIGN_PER_MILLE_MAX: i64 = 100;
/// A longer pause is no time in which anything may be moved.
const STEP_NS_MAX: i64 = 1_000_000_000;
const AFTER_JUMP_NS: i64 = 1_000_000;

#[derive(Debug)]
pub(super) struct Track {
    clock_rate: u32,
    /// The first timestamp: the track's own time counts from it.
    base: Option<u64>,
    anchor: Option<Anchor>,
}

/// Exists from the first packet on.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    /// Of the room's time over the track's own.
    offset: i64,
    /// The highest timestamp.
    last: Seen,
    moved_at: MediaTime,
    /// The latest time that was given out.
    latest: i64,
    /// Of arrivals over the track's own time.
    lateness: Earliest,
    /// The publisher's wall clock minus the track's own time.
    wall: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    timestamp: u64,
    /// The track's own time in nanoseconds.
    at: i64,
    arrival: MediaTime,
}

impl Track {
    pub(super) fn new(clock_rate: u32) -> Self {
        Self { clock_rate: clock_rate.max(1), base: None, anchor: None }
    }

    /// `goal`: where it should be, relative to where it is; else its arrivals tell.
    pub(super) fn map(&mut self, timestamp: u64, arrival: MediaTime, goal: Option<i64>, jumps: &mut u64) -> MediaTime {
        self.base.get_or_insert(timestamp);
        let seen = Seen { timestamp, at: self.nanos(timestamp), arrival };
        let mut anchor = match self.anchor {
            None => Anchor::fresh(seen, arrival.0),
            Some(anchor) if anchor.is_jump(seen) => {
                *jumps += 1;
                Anchor::fresh(seen, arrival.0.max(anchor.latest.saturating_add(AFTER_JUMP_NS)))
            }
            Some(anchor) => anchor.moved(seen, goal),
        };
        let mapped = seen.at.saturating_add(anchor.offset);
        anchor.latest = anchor.latest.max(mapped);
        self.anchor = Some(anchor);
        MediaTime(mapped)
    }

    /// Whether it says anything about this track.
    pub(super) fn handle_report(&mut self, ntp: u64, rtp: u32) -> bool {
        let Some(last) = self.anchor.map(|anchor| anchor.last) else { return false };
        // The timestamp is nearest to the last packet's.
        let step = i64::from(rtp.wrapping_sub(last.timestamp as u32).cast_signed());
        let at = self.nanos(last.timestamp.wrapping_add_signed(step));
        let wall = (i128::from(ntp) * NANOS) >> 32;
        let wall = i64::try_from(wall - i128::from(at)).ok();
        if let Some(anchor) = &mut self.anchor {
            anchor.wall = wall;
        }
        wall.is_some()
    }

    pub(super) fn forget_report(&mut self) {
        if let Some(anchor) = &mut self.anchor {
            anchor.wall = None;
        }
    }

    pub(super) fn timestamp_at(&self, time: MediaTime) -> u64 {
        let offset = self.anchor.map_or(0, |anchor| anchor.offset);
        let at = i128::from(time.0) - i128::from(offset);
        let units = i128::from(self.base.unwrap_or(0)) + (at * i128::from(self.clock_rate)).div_euclid(NANOS);
        u64::try_from(units).unwrap_or(0)
    }

    pub(super) fn last_arrival(&self) -> MediaTime {
        self.anchor.map_or(MediaTime(i64::MIN), |anchor| anchor.last.arrival)
    }

    /// The room's time minus the publisher's wall clock, as this track has it.
    pub(super) fn wall_offset(&self) -> Option<i64> {
        let anchor = self.anchor?;
        anchor.wall.map(|wall| anchor.offset.saturating_sub(wall))
    }

    fn nanos(&self, timestamp: u64) -> i64 {
        let units = i128::from(timestamp) - i128::from(self.base.unwrap_or(0));
        let nanos = (units * NANOS).div_euclid(i128::from(self.clock_rate));
        i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
    }
}

impl Anchor {
    fn fresh(seen: Seen, at: i64) -> Self {
        let lateness = Earliest::new(seen.lateness(), seen.arrival);
        Self {
            offset: at.saturating_sub(seen.at),
            last: seen,
            moved_at: seen.arrival,
            latest: i64::MIN,
            lateness,
            wall: None,
        }
    }

    fn is_jump(&self, seen: Seen) -> bool {
        let step = seen.at.saturating_sub(self.last.at);
        let passed = seen.arrival.0.saturating_sub(self.last.arrival.0).max(0);
        let stray = self.lateness.proven().map_or(0, |lateness| lateness.saturating_sub(self.offset));
        step < -JUMP_BACK_NS || step.saturating_sub(passed) > JUMP_FORWARD_NS || stray.saturating_abs() > STRAY_NS_MAX
    }

    fn moved(mut self, seen: Seen, goal: Option<i64>) -> Self {
        let passed = seen.arrival.0.saturating_sub(self.moved_at.0).clamp(0, STEP_NS_MAX);
        self.moved_at = self.moved_at.max(seen.arrival);
        self.lateness.push(seen.lateness(), seen.arrival);
        let step = match goal {
            Some(goal) => limited(goal, passed * ALIGN_PER_MILLE_MAX / 1_000),
            None => {
                let gap = self.lateness.get().saturating_sub(self.offset);
                let wanted = i128::from(gap) * i128::from(passed) / i128::from(FOLLOW_SECONDS) / NANOS;
                limited(i64::try_from(wanted).unwrap_or(gap), passed * FOLLOW_PER_MILLE_MAX / 1_000)
            }
        };
        self.offset = self.offset.saturating_add(step);
        if seen.at > self.last.at {
            self.last = seen;
        }
        self
    }
}

impl Seen {
    fn lateness(&self) -> i64 {
        self.arrival.0.saturating_sub(self.at)
    }
}

fn limited(step: i64, most: i64) -> i64 {
    step.clamp(-most, most)
}
