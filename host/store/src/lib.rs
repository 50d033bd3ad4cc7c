//! What plugins and the host remember: one redb file, optimistic transactions, one committer.
//!
//! A reader takes a [`Snapshot`], one consistent moment. A writer hands a [`Transaction`] to the
//! committer, which checks every key and range read against its last change, applies the batch and
//! syncs once for all who wait. *Committed means durable*, except for names that begin with `~`: they
//! take part in the same transactions but live in memory and never touch the disk.
//!
//! Not here: what the records mean (plugins and the reconciler know), own writes of a running call
//! (the caller lays them over its snapshot), and when to run a call again.

mod alarm;
mod committer;
mod database;
mod draft;
mod error;
mod history;
mod intents;
mod key;
mod memory;
mod record;
mod scan;
mod snapshot;
mod stats;
mod store;
mod transaction;
mod usage;

#[cfg(test)]
mod tests;

pub use alarm::{Alarm, PendingAlarm};
pub use error::{CommitError, OpenError, ReadError};
pub use key::{Collection, Key, NAME_LEN_MAX, Range};
pub use record::{Record, VALUE_LEN_MAX};
pub use scan::{SCAN_BYTES_MAX, Scan};
pub use snapshot::Snapshot;
pub use stats::Stats;
pub use store::{Exclusive, Store};
pub use transaction::{Reads, Transaction, Value};
