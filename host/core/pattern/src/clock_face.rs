//! A time as people read it: `HH:MM:SS.mmm`. After a hundred hours the hours begin again.

use heliu_model::MediaTime;

pub(crate) fn clock_face(time: MediaTime) -> String {
    let ms = time.as_millis().max(0);
    let [hours, minutes, seconds] = [ms / 3_600_000 % 100, ms / 60_000 % 60, ms / 1_000 % 60];
    format!("{hours:02}:{minutes:02}:{seconds:02}.{:03}", ms % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_on_a_clock() {
        for (ms, want) in [
            (0, "00:00:00.000"),
            (59_999, "00:00:59.999"),
            (3_723_040, "01:02:03.040"),
            (100 * 3_600_000 + 7, "00:00:00.007"),
            (-5, "00:00:00.000"),
        ] {
            assert_eq!(clock_face(MediaTime::from_millis(ms)), want);
        }
    }
}
