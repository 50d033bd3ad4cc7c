//! Which of the last packets have been there: a bit for each.

/// So far back a packet may come.
pub(super) const HISTORY_LEN: u64 = 2_048;
const WORD: u64 = u64::BITS as u64;

/// The last packets up to the highest.
#[derive(Debug)]
pub(super) struct History([u64; (HISTORY_LEN / WORD) as usize]);

impl Default for History {
    fn default() -> Self {
        Self([0; (HISTORY_LEN / WORD) as usize])
    }
}

impl History {
    /// A packet above `highest` has come; those between have not.
    pub(super) fn advance(&mut self, highest: Option<u64>, sequence: u64) {
        match highest {
            Some(highest) if sequence - highest < HISTORY_LEN => (highest + 1..sequence).for_each(|at| self.clear(at)),
            _ => *self = Self::default(),
        }
        let (word, bit) = place(sequence);
        self.0[word] |= bit;
    }

    /// A packet below the highest, and not [`HISTORY_LEN`] below, has come. False if it was there.
    pub(super) fn note(&mut self, sequence: u64) -> bool {
        let (word, bit) = place(sequence);
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }

    fn clear(&mut self, sequence: u64) {
        let (word, bit) = place(sequence);
        self.0[word] &= !bit;
    }
}

fn place(sequence: u64) -> (usize, u64) {
    let at = sequence % HISTORY_LEN;
    ((at / WORD) as usize, 1 << (at % WORD))
}
