//! Why the store refused. Each variant is something its caller can do.

use std::path::PathBuf;
use std::sync::Arc;

use crate::key::{Key, NAME_LEN_MAX};
use crate::record::VALUE_LEN_MAX;

/// Why the file does not open. The host does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{} is in use by another process", .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Something else lies there.
    #[error("{} is not a heliu store; move it away or choose another data_dir", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Written by a later release.
    #[error("{} has schema {found}, this heliu reads schema {known}; use the release that wrote it", .path.display())]
    OtherSchema {
        /// The file.
        path: PathBuf,
        /// On disk.
        found: u64,
        /// Ours.
        known: u64,
    },
    /// It is ours, but does not read as it should.
    #[error("{} is damaged ({cause}); restore it from a backup or move it away", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In redb's words.
        cause: redb::Error,
    },
    /// It is ours, but its pages make no sense.
    #[error("{} is damaged and cannot be read; restore it from a backup or move it away", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
    },
    /// It opens, but a record in it is torn or no record of ours.
    #[error("{} cannot be used: {cause}; restore it from a backup or move it away", .path.display())]
    DamagedRecord {
        /// The file.
        path: PathBuf,
        /// Which record.
        cause: Box<ReadError>,
    },
    /// Missing folder, no permission, disk trouble.
    #[error("{} does not open: {cause}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// From the system.
        cause: std::io::Error,
    },
    /// No thread for the committer.
    #[error("the committer's thread does not start: {0}")]
    Thread(std::io::Error),
}

/// Why a read gave nothing. Reading again helps after the committer has reopened the file.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The record is torn or of an unknown version; delete or restore it.
    #[error("the record {0} is damaged")]
    Damaged(Key),
    /// A record whose very name is no name of ours.
    #[error("the store holds a record whose key cannot be read")]
    DamagedKey,
    /// The disk below.
    #[error("the store cannot be read: {0}")]
    Disk(#[source] Arc<redb::Error>),
}

/// Why nothing of a transaction became true.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// Something it read has changed: run the call again on a fresh snapshot.
    #[error("something the call read has changed")]
    Conflict,
    /// A name over 512 bytes.
    #[error("a name is longer than {NAME_LEN_MAX} bytes")]
    NameTooLong,
    /// A value over 1 MiB.
    #[error("a value is larger than {VALUE_LEN_MAX} bytes")]
    ValueTooLarge,
    /// The namespace's share on disk is used up; deletions still pass.
    #[error("the namespace has used up its share of the disk")]
    StoreFull,
    /// The namespace's share in memory (`~`) is used up; deletions still pass.
    #[error("the namespace has used up its share of memory")]
    MemoryFull,
    /// A total or sequence it adds to is unreadable.
    #[error("the record {0} is damaged")]
    Damaged(Key),
    /// The system's disk is full or fails. Whether a commit that failed in its sync survives a crash is
    /// unknown; otherwise nothing did.
    #[error("the store cannot be written: {0}")]
    Disk(#[source] Arc<redb::Error>),
    /// The host is going down.
    #[error("the store is closing")]
    Closed,
}

impl ReadError {
    pub(crate) fn disk(error: impl Into<redb::Error>) -> Self {
        Self::Disk(Arc::new(error.into()))
    }
}

impl CommitError {
    pub(crate) fn disk(error: impl Into<redb::Error>) -> Self {
        Self::Disk(Arc::new(error.into()))
    }
}
