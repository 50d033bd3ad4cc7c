//! Which packet indices of one stream have been seen: unrolls sequence numbers and refuses replays
//! (RFC 3711 §3.3.1, §3.3.2).

/// Indices behind the highest that are told apart; older ones count as seen. A second and more of
/// video at a high bitrate: what a NACK brings back comes later than what is new.
const LEN: u64 = 1_024;
/// 32 bits of rollover counter before the sequence number.
const INDEX_END: u64 = 1 << 48;

/// The highest index of a stream, and which of those behind it were seen.
#[derive(Debug, Clone)]
pub struct Window {
    highest: Option<u64>,
    /// Bit `index % LEN`.
    seen: [u64; (LEN / 64) as usize],
}

impl Window {
    pub fn new() -> Self {
        Self { highest: None, seen: [0; (LEN / 64) as usize] }
    }

    /// The index that a sequence number stands for: the one next to the highest. `None`: it would be
    /// before the first rollover, or after the last.
    pub fn index(&self, sequence: u16) -> Option<u64> {
        let Some(highest) = self.highest else { return Some(u64::from(sequence)) };
        let ahead = sequence.wrapping_sub(highest as u16).cast_signed();
        highest.checked_add_signed(i64::from(ahead)).filter(|index| *index < INDEX_END)
    }

    /// Neither seen nor too old to tell.
    pub fn is_fresh(&self, index: u64) -> bool {
        match self.highest {
            None => true,
            Some(highest) if index > highest => true,
            Some(highest) if highest - index >= LEN => false,
            Some(_) => self.seen[word(index)] & bit(index) == 0,
        }
    }

    /// Seen, and still told apart from others.
    pub fn has_seen(&self, index: u64) -> bool {
        let is_near = self.highest.is_some_and(|highest| index <= highest && highest - index < LEN);
        is_near && self.seen[word(index)] & bit(index) != 0
    }

    /// From now on `index` is seen. It is fresh.
    pub fn note(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index <= highest => {}
            Some(highest) if index - highest < LEN => {
                (highest + 1..index).for_each(|skipped| self.seen[word(skipped)] &= !bit(skipped));
                self.highest = Some(index);
            }
            _ => {
                self.seen.fill(0);
                self.highest = Some(index);
            }
        }
        self.seen[word(index)] |= bit(index);
    }
}

fn word(index: u64) -> usize {
    (index % LEN / 64) as usize
}

fn bit(index: u64) -> u64 {
    1 << (index % 64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use heliu_sim::Rng;

    use super::*;

    #[test]
    fn sequence_numbers_unroll_next_to_the_highest() {
        let mut window = Window::new();
        for (sequence, index) in [
            (65_530, Some(65_530)),
            (3, Some(65_539)),
            (65_531, Some(65_531)),
            (32_000, Some(97_536)),
            (64_000, Some(129_536)),
            (5, Some(131_077)),
        ] {
            assert_eq!(window.index(sequence), index, "{sequence}");
            window.note(index.unwrap());
        }
    }

    #[test]
    fn nothing_is_before_the_first_or_after_the_last_rollover() {
        let mut window = Window::new();
        window.note(2);
        assert_eq!(window.index(65_530), None);
        window.note(INDEX_END - 1);
        assert_eq!(window.index(0), None);
        assert_eq!(window.index(65_534), Some(INDEX_END - 2));
    }

    #[test]
    fn an_index_is_fresh_once_and_old_ones_never() {
        for spread in [2, 100, 900, 3_000] {
            let (mut window, mut seen, mut rng) = (Window::new(), BTreeSet::new(), Rng::new(spread));
            for n in 0..20_000 {
                let index = n + rng.below(spread);
                let highest = seen.last().copied().unwrap_or(0);
                let want = !seen.contains(&index) && index + LEN > highest;
                assert_eq!(window.is_fresh(index), want, "{index} after {highest}");
                if want {
                    window.note(index);
                    seen.insert(index);
                }
            }
        }
    }
}
