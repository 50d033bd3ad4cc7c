//! How late the media of one track came over the last ten seconds.
//!
//! Lateness is arrival minus presentation time. Its level says nothing (clocks differ), its spread
//! is the jitter and its slow change the drift. A sudden change of level, as after a jump in time,
//! makes the past worthless, so it is forgotten. Not here: what follows from it (`timeline`).

use heliu_model::MediaTime;

const SECOND_NS: i64 = 1_000_000_000;
const SECONDS: usize = 10;

/// Smallest and largest lateness of each of the last ten seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrivals {
    seconds: [Option<(i64, Spread)>; SECONDS],
}

/// Smallest and largest lateness in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spread {
    pub(crate) lo: i64,
    pub(crate) hi: i64,
}

impl Arrivals {
    /// Notes one arrival. `level_max`: a lateness so far outside of what is known is another level.
    pub(crate) fn push(&mut self, late: i64, now: MediaTime, level_max: i64) {
        if self.spread(now).is_some_and(|known| known.distance(late) > level_max) {
            self.seconds = Default::default();
        }
        let second = now.0.div_euclid(SECOND_NS);
        let slot = &mut self.seconds[second.rem_euclid(SECONDS as i64) as usize];
        let point = Spread { lo: late, hi: late };
        *slot = match *slot {
            Some((known, spread)) if known == second => Some((second, spread.join(point))),
            Some(_) | None => Some((second, point)),
        };
    }

    /// Over the last ten seconds; `None` if nothing came.
    pub(crate) fn spread(&self, now: MediaTime) -> Option<Spread> {
        let oldest = now.0.div_euclid(SECOND_NS) - SECONDS as i64;
        let recent = self.seconds.iter().flatten().filter(|(second, _)| *second > oldest);
        recent.map(|(_, spread)| *spread).reduce(Spread::join)
    }
}

impl Spread {
    /// What both cover, and what is between them.
    pub(crate) fn join(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }

    /// From end to end.
    pub(crate) fn width(self) -> i64 {
        self.hi.saturating_sub(self.lo)
    }

    fn distance(self, late: i64) -> i64 {
        late.saturating_sub(self.hi).max(self.lo.saturating_sub(late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_that_of_the_last_ten_seconds() {
        let mut arrivals = Arrivals::default();
        for (what, second, late, want) in [
            ("first", 0, 5, (5, 5)),
            ("same second", 0, 9, (5, 9)),
            ("a little later", 3, 7, (5, 9)),
            ("still remembered", 9, 6, (5, 9)),
            ("the first second is over", 10, 6, (6, 7)),
            ("after a long silence", 60, 4, (4, 4)),
            ("another level", 60, 1_000, (1_000, 1_000)),
            ("and back", 60, 5, (5, 5)),
        ] {
            let now = MediaTime(second * SECOND_NS);
            arrivals.push(late, now, 100);
            assert_eq!(arrivals.spread(now), Some(Spread { lo: want.0, hi: want.1 }), "{what}");
        }
        assert_eq!(arrivals.spread(MediaTime(90 * SECOND_NS)), None);
    }

    #[test]
    fn the_ends_of_time_are_no_panic() {
        let mut arrivals = Arrivals::default();
        for now in [i64::MIN, -1, i64::MAX] {
            for late in [i64::MIN, 0, i64::MAX] {
                arrivals.push(late, MediaTime(now), 100);
                assert!(arrivals.spread(MediaTime(now)).is_some_and(|spread| spread.width() == 0));
            }
        }
    }
}
