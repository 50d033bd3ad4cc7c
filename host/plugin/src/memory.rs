//! The ceiling of one guest's memory, all its linear memories together.

use wasmtime::ResourceLimiter;

/// More would be no sane table; each element is a pointer.
const TABLE_LEN_MAX: usize = 20_000;

/// What a guest holds and may hold, in bytes.
#[derive(Debug)]
pub(crate) struct Memory {
    held: usize,
    max: usize,
    was_refused: bool,
}

impl Memory {
    /// Nothing held yet.
    pub(crate) fn new(max: usize) -> Self {
        Self { held: 0, max, was_refused: false }
    }

    /// Did the guest ask for more than it may have?
    pub(crate) fn was_refused(&self) -> bool {
        self.was_refused
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let held = self.held.saturating_add(desired.saturating_sub(current));
        if held > self.max {
            self.was_refused = true;
            return Ok(false);
        }
        self.held = held;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_LEN_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_share_one_ceiling() {
        let mut memory = Memory::new(100);
        for (current, desired, may) in [(0, 60, true), (0, 40, true), (60, 61, false)] {
            assert!(!memory.was_refused());
            assert_eq!(memory.memory_growing(current, desired, None).unwrap(), may, "{current} to {desired}");
        }
        assert!(memory.was_refused());
    }
}
