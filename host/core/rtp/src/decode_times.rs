//! When pictures are decoded, from when they are shown: packets tell only the latter.
//!
//! Pictures come in the order in which they are decoded. If at most *n* of them are shown after one that
//! comes later, a picture is decoded at the (*n* + 1)th latest time at which one so far is shown: that is
//! as early as it must be and as late as it can be. The depth begins with what the stream says of itself and grows when a picture proves it
//! too small; that picture is then shown where it is decoded.

use std::time::Duration;

use heliu_model::MediaTime;

/// `max_num_reorder_frames` at most (ITU-T H.264 §E.2.1).
const DEPTH_MAX: usize = 16;
/// RTMP counts milliseconds, so two frames of a track must not share one.
const STEP_MIN: Duration = Duration::from_millis(1);

/// Decoding times of one track.
#[derive(Debug, Default)]
pub(crate) struct DecodeTimes {
    depth: usize,
    /// The latest times at which pictures are shown, the last one first; at most `DEPTH_MAX` + 1.
    latest: Vec<MediaTime>,
    last: Option<MediaTime>,
}

impl DecodeTimes {
    /// The stream says that so many pictures are reordered.
    pub(crate) fn set_depth(&mut self, depth: u32) {
        self.depth = usize::try_from(depth).unwrap_or(DEPTH_MAX).min(DEPTH_MAX);
    }

    /// `dts` and `pts` of the next picture; `pts >= dts`, and `dts` grows by a millisecond at least.
    pub(crate) fn next(&mut self, shown: MediaTime) -> (MediaTime, MediaTime) {
        // Decoded before this one, and shown after it.
        let overtaken = self.latest.iter().take_while(|other| **other > shown).count();
        self.depth = self.depth.max(overtaken.min(DEPTH_MAX));
        self.latest.insert(overtaken, shown);
        self.latest.truncate(DEPTH_MAX + 1);
        let mut dts = self.latest.get(self.depth).copied().unwrap_or_else(|| self.before_the_first());
        if let Some(last) = self.last {
            dts = dts.max(last + STEP_MIN);
        }
        self.last = Some(dts);
        (dts, shown.max(dts))
    }

    /// The first pictures are decoded before any is shown, by as little as may be.
    fn before_the_first(&self) -> MediaTime {
        let missing = u32::try_from(self.depth + 1 - self.latest.len()).unwrap_or(0);
        self.latest.last().copied().unwrap_or_default() - STEP_MIN * missing
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pictures_are_decoded_as_late_as_they_can_be() {
        for (what, depth, shown, want) in [
            ("none reordered", 0, &[0, 40, 80, 120][..], &[0, 40, 80, 120][..]),
            ("two B pictures", 1, &[0, 120, 40, 80, 240, 160, 200], &[-1, 0, 40, 80, 120, 160, 200]),
            ("one of them is referred to", 2, &[0, 160, 80, 40, 120, 320, 240], &[-2, -1, 0, 40, 80, 120, 160]),
            ("more than the stream needs", 2, &[0, 40, 80, 120], &[-2, -1, 0, 40]),
            ("it does not say", 0, &[0, 120, 40, 80, 240, 160, 200], &[0, 120, 121, 122, 123, 160, 200]),
        ] {
            let mut times = DecodeTimes::default();
            times.set_depth(depth);
            for (at, (shown, want)) in shown.iter().zip(want).enumerate() {
                let (dts, pts) = times.next(MediaTime::from_millis(*shown));
                assert_eq!(dts.as_millis(), *want, "{what}: picture {at}");
                assert_eq!(pts.as_millis(), (*shown).max(*want), "{what}: picture {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_shown_decoding_goes_forward(depth in 0_u32..20, shown in proptest::collection::vec(any::<i32>(), 0..100)) {
            let mut times = DecodeTimes::default();
            times.set_depth(depth);
            let mut last = None;
            for shown in shown {
                let (dts, pts) = times.next(MediaTime::from_millis(i64::from(shown)));
                prop_assert!(pts >= dts && last.is_none_or(|last| dts >= last + STEP_MIN));
                prop_assert!(times.latest.len() <= DEPTH_MAX + 1);
                last = Some(dts);
            }
        }
    }
}
