//! When an input's media is due in the mix: its presentation time plus one offset, shared by its
//! pictures and its sound, so that they stay together.
//!
//! The offset is large enough for what came latest over the last seconds, and no larger. It follows
//! the drift of the publisher's clock and the jitter of its way slowly, so that sound can be bent to
//! it unheard; only a gross error, a track that is late as a whole, or a moment when nothing sounds,
//! makes it jump.

use std::time::Duration;

use heliu_model::{Kind, MediaTime};

use crate::arrivals::{Arrivals, Spread};
use crate::stats::Stats;

const MILLI_NS: i64 = 1_000_000;

/// Between the latest arrival and its moment in the mix: a sound block is made up to 26 ms before it
/// is over (its length and the limiter's look-ahead), the rest is safety.
const MARGIN_NS: i64 = 50 * MILLI_NS;
/// Between the earliest arrival and its moment in the mix, at least.
const DELAY_NS_MIN: i64 = 80 * MILLI_NS;
/// And at most: what comes later than that is lost.
const DELAY_NS_MAX: i64 = 500 * MILLI_NS;
/// An error over this is gross.
const JUMP_NS: i64 = 150 * MILLI_NS;
/// So much more delay than needed is left alone while something sounds: shortening it means playing
/// faster, which a tuner hears, for the sake of a latency nobody does. Drift beyond it is followed.
const SLACK_NS: i64 = 120 * MILLI_NS;
/// The same while nothing sounds, when a jump costs nothing.
const SILENT_SLACK_NS: i64 = 20 * MILLI_NS;
/// Slow movement: so many thousandths of the time that passes. Leaves the resampler (0.5 %) room to
/// catch up.
const SLEW_PER_MILLE: i64 = 3;

/// The time line of one input.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    sound: Arrivals,
    pictures: Arrivals,
    anchor: Option<Anchor>,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    offset: i64,
    at: MediaTime,
}

impl Timeline {
    /// Notes that media of `pts` is there at `now`.
    pub(crate) fn handle_arrival(&mut self, kind: Kind, pts: MediaTime, now: MediaTime) {
        let late = now.0.saturating_sub(pts.0);
        match kind {
            Kind::Audio => self.sound.push(late, now, DELAY_NS_MAX),
            Kind::Video => self.pictures.push(late, now, DELAY_NS_MAX),
        }
    }

    /// Which presentation time is due at `at`; `None` before any media.
    /// `is_silent`: nothing sounds, so a jump is unheard.
    pub(crate) fn due(&mut self, at: MediaTime, is_silent: bool, stats: &mut Stats) -> Option<MediaTime> {
        let anchor = match (self.anchor, self.lateness(at)) {
            (None, None) => return None,
            (None, Some(lateness)) => Anchor { offset: lateness.target(), at },
            (Some(anchor), None) => Anchor { at, ..anchor },
            (Some(anchor), Some(lateness)) => anchor.moved(lateness, at, is_silent, stats),
        };
        self.anchor = Some(anchor);
        Some(MediaTime(at.0.saturating_sub(anchor.offset)))
    }

    /// Between the earliest arrival of the last seconds and its moment in the mix.
    pub(crate) fn delay(&self, now: MediaTime) -> Duration {
        let Some((anchor, lateness)) = self.anchor.zip(self.lateness(now)) else { return Duration::ZERO };
        MediaTime(anchor.offset).since(MediaTime(lateness.spread.lo))
    }

    /// Of both tracks; if they are too far apart to be brought together, of the sound.
    fn lateness(&self, now: MediaTime) -> Option<Lateness> {
        match (self.sound.spread(now), self.pictures.spread(now)) {
            (Some(sound), Some(pictures)) => {
                let both = Lateness { spread: sound.join(pictures), least: sound.lo.max(pictures.lo) };
                Some(if both.spread.width() > DELAY_NS_MAX - MARGIN_NS { Lateness::of(sound) } else { both })
            }
            (sound, pictures) => sound.or(pictures).map(Lateness::of),
        }
    }
}

/// How late an input is.
#[derive(Debug, Clone, Copy)]
struct Lateness {
    spread: Spread,
    /// Of the later track, at best.
    least: i64,
}

impl Lateness {
    fn of(spread: Spread) -> Self {
        Self { spread, least: spread.lo }
    }

    /// The offset that suits it.
    fn target(&self) -> i64 {
        let Spread { lo, hi } = self.spread;
        let wanted = hi.saturating_add(MARGIN_NS).max(lo.saturating_add(DELAY_NS_MIN));
        wanted.min(lo.saturating_add(DELAY_NS_MAX))
    }

    /// With this offset, would a whole track come too late, and not only what comes latest of it?
    fn is_missed_by(&self, offset: i64) -> bool {
        offset < self.least.saturating_add(MARGIN_NS).min(self.target())
    }
}

impl Anchor {
    fn moved(self, lateness: Lateness, at: MediaTime, is_silent: bool, stats: &mut Stats) -> Self {
        let target = lateness.target();
        let gap = target.saturating_sub(self.offset);
        let is_gross = gap.saturating_abs() > JUMP_NS || (!is_silent && lateness.is_missed_by(self.offset));
        stats.reanchors += u64::from(is_gross);
        let may_jump = is_silent && !(-SILENT_SLACK_NS..=0).contains(&gap);
        let offset = if is_gross || may_jump { target } else { self.offset + self.slew(gap, at) };
        Self { offset, at: at.max(self.at) }
    }

    fn slew(self, gap: i64, at: MediaTime) -> i64 {
        let step = at.0.saturating_sub(self.at.0).clamp(0, JUMP_NS) * SLEW_PER_MILLE / 1000;
        if gap > 0 { gap.min(step) } else { (gap + SLACK_NS).clamp(-step, 0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_media_is_due_after_the_smallest_delay() {
        let mut line = Timeline::default();
        assert_eq!(due(&mut line, 0, false), None);
        arrive(&mut line, Kind::Video, 990, 1_000);
        assert_eq!(due(&mut line, 1_080, false), Some(990));
    }

    #[test]
    fn a_later_track_delays_both_at_once_if_it_is_always_late_or_nothing_sounds() {
        for (what, is_silent, earliest, want) in [
            ("nothing sounds", true, 0, -150),
            ("sometimes late", false, 0, -80 - 6),
            ("always late", false, 100, -150),
        ] {
            let mut line = Timeline::default();
            arrive(&mut line, Kind::Audio, 0, 0);
            due(&mut line, 0, is_silent);
            arrive(&mut line, Kind::Video, -earliest, 0);
            arrive(&mut line, Kind::Video, -100, 0);
            for step in 1..=100 {
                due(&mut line, step * 20, is_silent);
            }
            assert_eq!(due(&mut line, 2_000, is_silent), Some(2_000 + want), "{what}: two seconds at three per mille");
        }
    }

    #[test]
    fn a_gross_error_is_corrected_at_once_and_counted() {
        let mut stats = Stats::default();
        let mut line = Timeline::default();
        arrive(&mut line, Kind::Audio, 0, 0);
        line.due(MediaTime::ZERO, false, &mut stats);
        arrive(&mut line, Kind::Audio, 86_400_000, 20);
        let due = line.due(MediaTime::from_millis(20), false, &mut stats);
        assert_eq!((due, stats.reanchors), (Some(MediaTime::from_millis(86_400_000 - 80)), 1));
    }

    #[test]
    fn tracks_too_far_apart_go_by_the_sound() {
        let mut line = Timeline::default();
        arrive(&mut line, Kind::Audio, 1_000, 1_000);
        arrive(&mut line, Kind::Video, 0, 1_000);
        assert_eq!(due(&mut line, 1_000, true), Some(920));
        assert_eq!(line.delay(MediaTime::from_millis(1_000)), Duration::from_millis(80));
    }

    #[test]
    fn jitter_over_the_bound_is_not_waited_for() {
        let mut line = Timeline::default();
        for late in (0..=900).step_by(300) {
            arrive(&mut line, Kind::Audio, 1_000 - late, 1_000);
        }
        assert_eq!(due(&mut line, 1_000, true), Some(500));
    }

    fn arrive(line: &mut Timeline, kind: Kind, pts: i64, now: i64) {
        line.handle_arrival(kind, MediaTime::from_millis(pts), MediaTime::from_millis(now));
    }

    fn due(line: &mut Timeline, at: i64, is_silent: bool) -> Option<i64> {
        line.due(MediaTime::from_millis(at), is_silent, &mut Stats::default()).map(MediaTime::as_millis)
    }
}
