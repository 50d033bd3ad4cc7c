//! Sound against pictures: each flash and the beep that belongs to it.

use crate::report::SyncReport;
use crate::timing::summary;

/// A beep further away belongs to another flash.
const APART_MS_MAX: f64 = 500.0;
/// One pair may be chance.
const PAIRS_MIN: usize = 2;

/// `None`: there is no such pattern.
pub(crate) fn sync(flashes: &[i64], beeps: &[f64]) -> Option<SyncReport> {
    let nearest = |flash: f64| {
        let offsets = beeps.iter().map(|beep| beep - flash);
        offsets.min_by(|a, b| a.abs().total_cmp(&b.abs())).filter(|offset| offset.abs() <= APART_MS_MAX)
    };
    let offsets: Vec<i64> =
        flashes.iter().filter_map(|&flash| nearest(flash as f64)).map(|offset| offset.round() as i64).collect();
    if offsets.len() < PAIRS_MIN {
        return None;
    }
    Some(SyncReport {
        flashes: flashes.len() as u64,
        beeps: beeps.len() as u64,
        pairs: offsets.len() as u64,
        offset_ms: summary(&offsets)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::StepReport;

    #[test]
    fn each_flash_is_held_against_its_beep() {
        let late = sync(&[1_000, 2_000, 3_000], &[1_030.4, 2_040.0, 3_020.0, 4_030.0]).unwrap();
        assert_eq!((late.flashes, late.beeps, late.pairs), (3, 4, 3));
        assert_eq!(late.offset_ms, StepReport { min: 20, median: 30, max: 40 });
        let early = sync(&[1_000, 2_000], &[980.0, 1_980.0]).unwrap();
        assert_eq!(early.offset_ms.median, -20);
    }

    #[test]
    fn without_both_there_is_nothing_to_tell() {
        for (flashes, beeps) in
            [(&[][..], &[][..]), (&[1_000], &[1_000.0]), (&[1_000, 2_000], &[]), (&[0, 9_000], &[50.0])]
        {
            assert_eq!(sync(flashes, beeps), None, "{flashes:?} {beeps:?}");
        }
    }
}
