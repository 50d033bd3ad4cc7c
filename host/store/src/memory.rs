//! The part of the store that a restart forgets: volatile records and their expiries.
//!
//! Persistent maps, so that a batch works on a copy and a snapshot keeps the state it saw, both for
//! the price of a reference.

use heliu_model::Timestamp;
use rpds::RedBlackTreeSetSync;

use crate::record::Record;
use crate::snapshot::Volatile;
use crate::usage::Usage;

/// What lives in memory; cloning shares everything.
#[derive(Clone)]
pub(crate) struct Memory {
    pub(crate) volatile: Volatile,
    expiries: RedBlackTreeSetSync<(Timestamp, Vec<u8>)>,
    pub(crate) usage: Usage,
}

impl Memory {
    /// Nothing in memory yet; `usage` is what lies on the disk.
    pub(crate) fn new(usage: Usage) -> Self {
        Self { volatile: Volatile::new_sync(), expiries: RedBlackTreeSetSync::new_sync(), usage }
    }

    /// Bytes under a key, its own included.
    pub(crate) fn len_of(&self, key: &[u8]) -> u64 {
        self.volatile.get(key).map_or(0, |record| (key.len() + record.raw_len()) as u64)
    }

    /// `None` removes.
    pub(crate) fn put(&mut self, key: Vec<u8>, record: Option<Record>) {
        if let Some(expires) = self.volatile.get(&key).and_then(|old| old.expires) {
            self.expiries.remove_mut(&(expires, key.clone()));
        }
        let Some(record) = record else {
            self.volatile.remove_mut(&key);
            return;
        };
        if let Some(expires) = record.expires {
            self.expiries.insert_mut((expires, key.clone()));
        }
        self.volatile.insert_mut(key, record);
    }

    /// The first keys whose time is over.
    pub(crate) fn expired(&self, now: Timestamp, limit: usize) -> Vec<Vec<u8>> {
        let is_over = |entry: &&(Timestamp, Vec<u8>)| entry.0 <= now;
        self.expiries.iter().take_while(is_over).take(limit).map(|(_, key)| key.clone()).collect()
    }
}
