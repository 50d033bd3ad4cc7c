//! How many bytes each namespace holds, so that none fills the host.

use std::collections::BTreeMap;

use heliu_model::Namespace;

use crate::error::CommitError;
use crate::key::Key;

/// What one namespace may hold, keys included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ceiling {
    pub(crate) disk_bytes_max: u64,
    pub(crate) memory_bytes_max: u64,
}

impl Default for Ceiling {
    fn default() -> Self {
        Self { disk_bytes_max: 64 << 20, memory_bytes_max: 64 << 20 }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Usage {
    namespaces: BTreeMap<Namespace, Bytes>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Bytes {
    disk: u64,
    memory: u64,
}

impl Usage {
    pub(crate) fn add_disk(&mut self, namespace: Namespace, bytes: u64) {
        self.namespaces.entry(namespace).or_default().disk += bytes;
    }

    /// Of all namespaces.
    pub(crate) fn disk_bytes(&self) -> u64 {
        self.namespaces.values().map(|bytes| bytes.disk).sum()
    }

    /// Keeps the memory side, takes the disk side from `other`: after the file was opened again.
    pub(crate) fn replace_disk(&mut self, other: &Self) {
        for bytes in self.namespaces.values_mut() {
            bytes.disk = 0;
        }
        for (namespace, bytes) in &other.namespaces {
            self.add_disk(namespace.clone(), bytes.disk);
        }
    }

    /// Counts changes of size, or refuses them all. What shrinks always passes.
    pub(crate) fn change<'a>(
        &mut self,
        changes: impl IntoIterator<Item = (&'a Key, u64, u64)>,
        ceiling: Ceiling,
    ) -> Result<(), CommitError> {
        let mut after = BTreeMap::new();
        for (key, old, new) in changes {
            let before = self.namespaces.get(&key.namespace).copied().unwrap_or_default();
            let bytes = after.entry(&key.namespace).or_insert(before);
            let side = if key.is_volatile() { &mut bytes.memory } else { &mut bytes.disk };
            *side = (*side + new).saturating_sub(old);
        }
        for (namespace, bytes) in &after {
            let before = self.namespaces.get(*namespace).copied().unwrap_or_default();
            if bytes.disk > ceiling.disk_bytes_max.max(before.disk) {
                return Err(CommitError::StoreFull);
            }
            if bytes.memory > ceiling.memory_bytes_max.max(before.memory) {
                return Err(CommitError::MemoryFull);
            }
        }
        for (namespace, bytes) in after {
            self.namespaces.insert(namespace.clone(), bytes);
        }
        Ok(())
    }
}
