//! Bytes read as a script: numbers and lengths first, what they speak of behind them.
//!
//! Never fails: behind the end stand zeros and empty texts, so every input means something.

/// What is left of an input.
#[derive(Debug, Clone, Copy)]
pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// Big endian.
    pub fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// Big endian.
    pub fn long(&mut self) -> u32 {
        u32::from(self.short()) << 16 | u32::from(self.short())
    }

    /// So many, or what is there.
    pub fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    /// A length of two bytes, then as many.
    pub fn sized(&mut self) -> &'a [u8] {
        let len = self.short();
        self.bytes(usize::from(len))
    }

    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// The same bytes in pieces of 1 to 256, as a seed likes.
pub fn pieces(mut bytes: &[u8], seed: u8) -> Vec<&[u8]> {
    let mut state = u32::from(seed).wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Short ones more often: headers are cut where it hurts.
        let len = if state & 0x100 == 0 { state >> 29 } else { state >> 24 };
        let (piece, rest) = bytes.split_at(bytes.len().min(len as usize + 1));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}
