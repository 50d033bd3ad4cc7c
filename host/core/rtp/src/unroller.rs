//! Numbers that roll over, unrolled.
//!
//! Each is read as the one nearest to the highest so far (RFC 3550 appendix A.1), so that neither a late
//! packet nor the first behind the turn is misread. Values begin one whole turn above zero: what comes
//! late at the very beginning has a place too, and nothing is ever negative.

/// Unrolls sequence numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SequenceUnroller {
    highest: Option<u64>,
}

/// Unrolls timestamps.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimestampUnroller {
    highest: Option<u64>,
}

impl SequenceUnroller {
    /// The number nearest to the highest so far; the first one is itself plus 2^16.
    pub fn unroll(&mut self, sequence: u16) -> u64 {
        let unrolled = self.peek(sequence);
        self.highest = self.highest.max(Some(unrolled));
        unrolled
    }

    /// As [`Self::unroll`], without taking it in.
    #[must_use]
    pub fn peek(&self, sequence: u16) -> u64 {
        match self.highest {
            Some(highest) => {
                highest.wrapping_add_signed(i64::from(sequence.wrapping_sub(highest as u16).cast_signed()))
            }
            None => (1 << 16) + u64::from(sequence),
        }
    }

    /// As [`Self::unroll`] for a source that began anew: always a number above all others.
    pub fn restart(&mut self, sequence: u16) -> u64 {
        let unrolled = match self.highest {
            Some(highest) => {
                highest.wrapping_add(1).wrapping_add(u64::from(sequence.wrapping_sub(highest as u16).wrapping_sub(1)))
            }
            None => self.peek(sequence),
        };
        self.highest = Some(unrolled);
        unrolled
    }

    /// The highest so far.
    #[must_use]
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }
}

impl TimestampUnroller {
    /// The timestamp nearest to the highest so far; the first one is itself plus 2^32.
    pub fn unroll(&mut self, timestamp: u32) -> u64 {
        let unrolled = self.peek(timestamp);
        self.highest = self.highest.max(Some(unrolled));
        unrolled
    }

    /// As [`Self::unroll`], without taking it in.
    #[must_use]
    pub fn peek(&self, timestamp: u32) -> u64 {
        match self.highest {
            Some(highest) => {
                highest.wrapping_add_signed(i64::from(timestamp.wrapping_sub(highest as u32).cast_signed()))
            }
            None => (1 << 32) + u64::from(timestamp),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TURN: u64 = 1 << 16;

    #[test]
    fn turns_are_counted_in_both_directions() {
        let mut unroller = SequenceUnroller::default();
        for (what, sequence, want) in [
            ("the first", 10, TURN + 10),
            ("late, before the turn", 65_530, TURN - 6),
            ("on", 30_000, TURN + 30_000),
            ("on", 60_000, TURN + 60_000),
            ("over the turn", 5, 2 * TURN + 5),
            ("late, before the turn", 65_535, TURN + 65_535),
            ("nearest to the highest, not to the last", 32_700, 2 * TURN + 32_700),
        ] {
            assert_eq!(unroller.unroll(sequence), want, "{what}");
        }
        assert_eq!(unroller.highest(), Some(2 * TURN + 32_700));
    }

    #[test]
    fn who_begins_anew_goes_on_above() {
        let mut unroller = SequenceUnroller::default();
        for (sequence, want) in [(100, TURN + 100), (101, TURN + 101), (101, 2 * TURN + 101), (3, 3 * TURN + 3)] {
            assert_eq!(unroller.restart(sequence), want);
        }
    }

    #[test]
    fn timestamps_turn_too() {
        let mut unroller = TimestampUnroller::default();
        for (timestamp, want) in [(u32::MAX, (1 << 33) - 1), (2_999, (1 << 33) + 2_999), (u32::MAX, (1 << 33) - 1)] {
            assert_eq!(unroller.unroll(timestamp), want);
        }
    }

    proptest! {
        #[test]
        fn low_bits_are_kept_whatever_comes(numbers in proptest::collection::vec(any::<(u16, u32, bool)>(), 0..100)) {
            let (mut sequences, mut timestamps) = (SequenceUnroller::default(), TimestampUnroller::default());
            for (sequence, timestamp, is_new) in numbers {
                let highest = sequences.highest();
                let unrolled = if is_new { sequences.restart(sequence) } else { sequences.unroll(sequence) };
                prop_assert_eq!(unrolled as u16, sequence);
                prop_assert!(!is_new || Some(unrolled) > highest);
                prop_assert_eq!(timestamps.unroll(timestamp) as u32, timestamp);
            }
        }
    }
}
