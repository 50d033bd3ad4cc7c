//! The ceilings of linear memory: one for each guest, all its memories together, and one for all guests
//! of a plugin.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::ResourceLimiter;

use crate::limit::Limit;

/// More would be no sane table; each element is a pointer.
const TABLE_LEN_MAX: usize = 20_000;

/// What all guests of a plugin hold together and may hold, in bytes.
#[derive(Debug)]
pub(crate) struct SharedMemory {
    held: AtomicUsize,
    max: usize,
}

/// What a guest holds and may hold, in bytes. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Memory {
    held: usize,
    max: usize,
    shared: Arc<SharedMemory>,
    refused: Option<Limit>,
}

impl SharedMemory {
    /// Nothing held yet.
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { held: AtomicUsize::new(0), max })
    }

    /// Bytes held by all guests.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn take(&self, len: usize) -> bool {
        let grown = |held: usize| held.checked_add(len).filter(|held| *held <= self.max);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).is_ok()
    }
}

impl Memory {
    /// Nothing held yet.
    pub(crate) fn new(max: usize, shared: Arc<SharedMemory>) -> Self {
        Self { held: 0, max, shared, refused: None }
    }

    /// Which ceiling the guest met when it asked for more than it may have.
    pub(crate) fn refused(&self) -> Option<Limit> {
        self.refused
    }

    /// Bytes held.
    pub(crate) fn held(&self) -> usize {
        self.held
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.shared.held.fetch_sub(self.held, Ordering::Relaxed);
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let refused = if self.held.saturating_add(more) > self.max {
            Some(Limit::Memory)
        } else if !self.shared.take(more) {
            Some(Limit::PluginMemory)
        } else {
            self.held += more;
            None
        };
        self.refused = self.refused.or(refused);
        Ok(refused.is_none())
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_LEN_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_of_a_guest_share_one_ceiling() {
        let mut memory = Memory::new(100, SharedMemory::new(1_000));
        for (current, desired, may) in [(0, 60, true), (0, 40, true), (60, 61, false)] {
            assert_eq!(memory.refused(), None);
            assert_eq!(memory.memory_growing(current, desired, None).unwrap(), may, "{current} to {desired}");
        }
        assert_eq!((memory.refused(), memory.held()), (Some(Limit::Memory), 100));
    }

    #[test]
    fn guests_of_a_plugin_share_one_ceiling_and_give_back() {
        let shared = SharedMemory::new(150);
        let [mut first, mut second] = [(); 2].map(|()| Memory::new(100, Arc::clone(&shared)));
        assert!(first.memory_growing(0, 100, None).unwrap());
        assert!(!second.memory_growing(0, 51, None).unwrap());
        assert_eq!((second.refused(), shared.held()), (Some(Limit::PluginMemory), 100));
        drop(first);
        assert!(second.memory_growing(0, 51, None).unwrap());
        drop(second);
        assert_eq!(shared.held(), 0);
    }
}
