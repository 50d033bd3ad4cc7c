//! Changes inputs by a seed: the same seed makes the same inputs on every machine.
//!
//! Knows nothing of what it changes and learns nothing; that is the engine's part.

const LEN_MAX: usize = 4_096;
/// Numbers at which lengths and counts turn over.
const TURNS: [u8; 8] = [0x00, 0x01, 0x7f, 0x80, 0xff, 0xc3, 0x41, 0x0a];

/// A source of changed inputs.
#[derive(Debug)]
pub struct Mutator(u64);

impl Mutator {
    /// The same seed, the same inputs.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// One to eight changes of an input out of `corpus`, which is not empty.
    pub fn next(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut data = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(8) {
            let other = &corpus[self.below(corpus.len())];
            self.change(&mut data, other);
        }
        data.truncate(LEN_MAX.max(corpus.iter().map(Vec::len).max().unwrap_or(0)));
        data
    }

    fn change(&mut self, data: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(data.len() + 1);
        let len = self.below(16.min(data.len() - at + 1));
        match self.below(8) {
            0 if at < data.len() => data[at] ^= 1 << self.below(8),
            1 if at < data.len() => data[at] = self.byte(),
            2 if at < data.len() => data[at] = TURNS[self.below(TURNS.len())],
            3 => data.truncate(at),
            4 => drop(data.drain(at..at + len)),
            5 => {
                let copy = data[at..at + len].to_vec();
                drop(data.splice(at..at, copy));
            }
            6 => {
                let from = self.below(other.len() + 1);
                drop(data.splice(at.., other[from..].iter().copied()));
            }
            _ => data.insert(at, self.byte()),
        }
    }

    fn byte(&mut self) -> u8 {
        self.number().to_le_bytes()[0]
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() >> 33).expect("31 bits") % end
    }

    /// xorshift64*.
    fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}
