//! From a publisher's milliseconds to the room's time (architecture §3, *Time*).
//!
//! The first frame is anchored at its arrival and everything after it keeps the publisher's own spacing,
//! so that neither a burst nor a stall moves a frame. Only a jump of the *timestamps* re-anchors: more
//! than two seconds forward beyond what arrival explains, or backwards. Sound and pictures share the
//! anchor and stay together; a track that still sends old timestamps while the other has jumped stays on
//! the old anchor until it jumps itself.
//!
//! Not here: drift. A publisher whose clock runs fast or slow moves away from arrival by its drift.

use std::time::Duration;

use heliu_model::{Kind, MediaTime};

const JUMP_FORWARD: i64 = 2_000_000_000;
/// Within one track; senders with reordered pictures step back by a few frames.
const JUMP_BACK: i64 = 250_000_000;
/// Across tracks; muxers interleave sound and pictures this far apart.
const INTERLEAVE: i64 = 2_000_000_000;
/// RTMP counts milliseconds, so two frames of a track must not share one.
const STEP_MIN: Duration = Duration::from_millis(1);
const NANOS_PER_MS: i64 = 1_000_000;

/// Maps the frames of one publisher onto the room's clock.
#[derive(Debug, Default)]
pub struct Timeline {
    current: Option<Anchor>,
    audio: Option<Track>,
    video: Option<Track>,
    jumps: u64,
}

/// Where a frame lies on the room's clock; `pts >= dts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapped {
    /// Strictly increasing within a track, by a millisecond at least.
    pub dts: MediaTime,
    /// Keeps the publisher's spacing.
    pub pts: MediaTime,
}

/// What publisher time lies at the room's zero, and the last frame that was mapped so.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    /// How often the publisher has jumped: tells anchors apart.
    jumps: u64,
    offset: i64,
    last: Seen,
}

#[derive(Debug, Clone, Copy)]
struct Track {
    anchor: Anchor,
    dts: MediaTime,
}

/// A publisher's time (nanoseconds) and when it arrived.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: i64,
    arrival: MediaTime,
}

impl Timeline {
    /// Before the first frame.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How often the publisher's timestamps jumped.
    #[must_use]
    pub fn jumps(&self) -> u64 {
        self.jumps
    }

    /// Maps a frame with unrolled publisher milliseconds that arrived at `arrival`.
    pub fn map(&mut self, kind: Kind, dts_ms: i64, pts_ms: i64, arrival: MediaTime) -> Mapped {
        let seen = Seen { at: dts_ms.saturating_mul(NANOS_PER_MS), arrival };
        let anchor = Anchor { last: seen, ..self.anchor(kind, seen) };
        if self.current.is_none_or(|current| current.jumps <= anchor.jumps) {
            self.current = Some(anchor);
        }
        let track = self.track(kind);
        let mut dts = MediaTime(seen.at.saturating_sub(anchor.offset));
        if let Some(track) = track {
            dts = dts.max(track.dts + STEP_MIN);
        }
        *track = Some(Track { anchor, dts });
        let pts = MediaTime(pts_ms.saturating_mul(NANOS_PER_MS).saturating_sub(anchor.offset));
        Mapped { dts, pts: pts.max(dts) }
    }

    /// The anchor that this frame belongs to: its track's, the other track's if that has jumped ahead, or
    /// a fresh one.
    fn anchor(&mut self, kind: Kind, seen: Seen) -> Anchor {
        let own = self.track(kind).as_ref().map(|track| track.anchor);
        if let Some(own) = own
            && seen.follows(own.last, JUMP_BACK)
        {
            return own;
        }
        match self.current {
            Some(current)
                if own.is_none_or(|own| own.jumps < current.jumps) && seen.follows(current.last, INTERLEAVE) =>
            {
                current
            }
            Some(_) => {
                self.jumps += 1;
                self.fresh(seen)
            }
            None => self.fresh(seen),
        }
    }

    /// Anchors at arrival, but never behind what was already given out: a publisher that ran ahead of its
    /// arrival and then jumps keeps its lead.
    fn fresh(&self, seen: Seen) -> Anchor {
        let given_out = [&self.audio, &self.video].into_iter().flatten().map(|track| track.dts + STEP_MIN).max();
        let start = given_out.map_or(seen.arrival, |given_out| given_out.max(seen.arrival));
        Anchor { jumps: self.jumps, offset: seen.at.saturating_sub(start.0), last: seen }
    }

    fn track(&mut self, kind: Kind) -> &mut Option<Track> {
        match kind {
            Kind::Audio => &mut self.audio,
            Kind::Video => &mut self.video,
        }
    }
}

impl Seen {
    /// Whether this is a plausible successor: at most `back` before the last one, and not further ahead
    /// than the time that passed between the arrivals explains.
    fn follows(self, last: Self, back: i64) -> bool {
        let step = self.at.saturating_sub(last.at);
        let passed = self.arrival.0.saturating_sub(last.arrival.0).max(0);
        step >= -back && step.saturating_sub(passed) <= JUMP_FORWARD
    }
}

#[cfg(test)]
mod tests {
    use Kind::{Audio, Video};
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn frames_keep_the_publishers_spacing() {
        for (what, frames, jumps) in [
            ("steady", &[(Video, 7_000, 100, 100), (Audio, 7_010, 111, 110), (Video, 7_040, 139, 140)][..], 0),
            ("a burst", &[(Video, 0, 0, 0), (Video, 1_900, 1, 1_900), (Video, 3_800, 2, 3_800)], 0),
            ("a stall, then its burst", &[(Video, 0, 0, 0), (Video, 40, 9_000, 40), (Video, 80, 9_001, 80)], 0),
            ("a pause that the clock counts", &[(Audio, 0, 0, 0), (Audio, 60_000, 60_010, 60_000)], 0),
            ("a day ahead", &[(Video, 0, 0, 0), (Video, DAY, 50, 50), (Video, DAY + 40, 90, 90)], 1),
            ("a day back", &[(Video, DAY, 0, 0), (Video, 0, 50, 50), (Video, 40, 90, 90)], 1),
            ("a loop of a second", &[(Video, 0, 0, 0), (Video, 1_000, 1_000, 1_000), (Video, 0, 1_040, 1_040)], 1),
            (
                "both jump, one count",
                &[(Video, 0, 0, 0), (Audio, 0, 0, 0), (Video, DAY, 40, 40), (Audio, DAY - 10, 41, 30)],
                1,
            ),
            (
                "an old track goes on",
                &[
                    (Video, 0, 0, 0),
                    (Audio, 0, 0, 0),
                    (Video, DAY, 40, 40),
                    (Audio, 20, 41, 20),
                    (Audio, DAY + 5, 42, 45),
                ],
                1,
            ),
            (
                "sound lags behind",
                &[(Video, 0, 0, 0), (Video, 1_800, 1_800, 1_800), (Audio, 0, 1_801, 0), (Audio, 23, 1_802, 23)],
                0,
            ),
            ("a jump keeps the lead", &[(Video, 0, 0, 0), (Video, 1_500, 1, 1_500), (Video, 0, 2, 1_501)], 1),
            ("the same time twice", &[(Video, 0, 0, 0), (Video, 0, 1, 1), (Video, 0, 2, 2), (Video, 40, 40, 40)], 0),
            (
                "a small step back",
                &[(Video, 0, 0, 0), (Video, 120, 120, 120), (Video, 40, 121, 121), (Video, 160, 160, 160)],
                0,
            ),
        ] {
            let mut timeline = Timeline::new();
            for (at, &(kind, dts_ms, arrival_ms, want_ms)) in frames.iter().enumerate() {
                let mapped = timeline.map(kind, dts_ms, dts_ms, MediaTime::from_millis(arrival_ms));
                assert_eq!(mapped.dts.as_millis(), want_ms, "{what}: frame {at}");
            }
            assert_eq!(timeline.jumps(), jumps, "{what}");
        }
    }

    #[test]
    fn the_composition_time_survives() {
        let mut timeline = Timeline::new();
        let mapped = timeline.map(Video, 500, 580, MediaTime::from_millis(3));
        assert_eq!((mapped.dts.as_millis(), mapped.pts.as_millis()), (3, 83));
    }

    proptest! {
        #[test]
        fn whatever_comes_a_track_goes_forward(frames in proptest::collection::vec((any::<bool>(), any::<i64>(), 0_i64..10_000, 0_i64..100), 0..200)) {
            let mut timeline = Timeline::new();
            let mut arrival = 0;
            let mut last = [None; 2];
            for (is_audio, at, composition, step) in frames {
                arrival += step;
                let at = at >> (at & 63);
                let kind = if is_audio { Audio } else { Video };
                let mapped = timeline.map(kind, at, at.saturating_add(composition), MediaTime::from_millis(arrival));
                prop_assert!(mapped.pts >= mapped.dts);
                let last = &mut last[usize::from(is_audio)];
                prop_assert!(last.is_none_or(|last| mapped.dts > last));
                *last = Some(mapped.dts);
            }
        }
    }
}
