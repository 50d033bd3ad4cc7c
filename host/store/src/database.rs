//! The redb file: its tables, its schema, and how it is opened.
//!
//! Schema 1: `records` (encoded key to encoded record), `expiries` (time and key of what will expire),
//! `meta` (`schema`, and `revision` of the last commit).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use heliu_model::{Revision, Timestamp};
use redb::{
    Database, DatabaseError, Error, ReadableDatabase, ReadableTable, ReadableTableMetadata, StorageError,
    TableDefinition, TableHandle, WriteTransaction,
};

use crate::error::OpenError;
use crate::key::Key;
use crate::record::Record;
use crate::snapshot::{Durable, decode};
use crate::usage::Usage;

const SCHEMA: u64 = 1;
const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const RECORDS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("records");
const EXPIRIES: TableDefinition<'static, (u64, &[u8]), ()> = TableDefinition::new("expiries");

/// Opens the medium below, also a second time after it failed.
pub(crate) type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send>;

/// An open file.
pub(crate) struct Disk {
    database: Database,
}

/// What a file knew when it was opened.
pub(crate) struct Opened {
    pub(crate) disk: Disk,
    pub(crate) revision: Revision,
    pub(crate) usage: Usage,
}

/// Changes that are not durable yet. Dropped, they never were.
pub(crate) struct Writing {
    transaction: WriteTransaction,
}

impl Disk {
    /// redb believes the pages of a file that was closed in order, and panics on one that it cannot
    /// make sense of.
    pub(crate) fn open(opener: &Opener, path: &Path) -> Result<Opened, OpenError> {
        let opened = catch_unwind(AssertUnwindSafe(|| Self::open_believing(opener, path)));
        opened.unwrap_or_else(|_| Err(unreadable(path)))
    }

    /// Looks at every record: one that is damaged would be missed by whoever reads around it.
    pub(crate) fn check(&self, path: &Path) -> Result<(), OpenError> {
        let checked = catch_unwind(AssertUnwindSafe(|| self.check_believing(path)));
        checked.unwrap_or_else(|_| Err(unreadable(path)))
    }

    fn open_believing(opener: &Opener, path: &Path) -> Result<Opened, OpenError> {
        let database = opener().map_err(|error| refused(error.into(), path))?;
        let tables = tables(&database).map_err(|error| refused(error, path))?;
        if tables.is_empty() {
            initialise(&database).map_err(|error| refused(error, path))?;
        } else if !tables.iter().any(|table| table == META.name()) {
            return Err(OpenError::Foreign { path: path.to_owned() });
        }
        let disk = Self { database };
        let (schema, revision) = disk.meta().map_err(|error| refused(error, path))?;
        if schema != SCHEMA {
            return Err(OpenError::OtherSchema { path: path.to_owned(), found: schema, known: SCHEMA });
        }
        let usage = disk.usage().map_err(|error| refused(error, path))?;
        Ok(Opened { disk, revision, usage })
    }

    pub(crate) fn durable(&self) -> Result<Durable, Error> {
        Ok(self.database.begin_read()?.open_table(RECORDS)?)
    }

    pub(crate) fn begin(&self) -> Result<Writing, Error> {
        Ok(Writing { transaction: self.database.begin_write()? })
    }

    fn check_believing(&self, path: &Path) -> Result<(), OpenError> {
        let storage = |error: StorageError| refused(error.into(), path);
        let durable = self.durable().map_err(|error| refused(error, path))?;
        let mut left = durable.len().map_err(storage)?;
        for entry in durable.range::<&[u8]>(..).map_err(storage)? {
            let (key, raw) = entry.map_err(storage)?;
            decode(key.value(), raw.value())
                .map_err(|cause| OpenError::DamagedRecord { path: path.to_owned(), cause: Box::new(cause) })?;
            // Who asks for it by its name goes another way, and must arrive as well.
            let is_found = durable.get(key.value()).map_err(storage)?.is_some();
            left = left.checked_sub(1).filter(|_| is_found).ok_or_else(|| unreadable(path))?;
        }
        if left == 0 { Ok(()) } else { Err(unreadable(path)) }
    }

    fn meta(&self) -> Result<(u64, Revision), Error> {
        let meta = self.database.begin_read()?.open_table(META)?;
        let schema = meta.get("schema")?.map_or(0, |value| value.value());
        let revision = meta.get("revision")?.map_or(0, |value| value.value());
        Ok((schema, Revision(revision)))
    }

    fn usage(&self) -> Result<Usage, Error> {
        let mut usage = Usage::default();
        for entry in self.durable()?.range::<&[u8]>(..)? {
            let (key, raw) = entry?;
            let len = (key.value().len() + raw.value().len()) as u64;
            if let Some(key) = Key::from_bytes(key.value()) {
                usage.add_disk(key.namespace, len);
            }
        }
        Ok(usage)
    }
}

impl Writing {
    /// The record as it lies there, changes of this batch included.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let table = self.transaction.open_table(RECORDS)?;
        Ok(table.get(key)?.map(|raw| raw.value().to_vec()))
    }

    /// Bytes of the record as it lies there, without its key.
    pub(crate) fn len_of(&self, key: &[u8]) -> Result<Option<usize>, Error> {
        let table = self.transaction.open_table(RECORDS)?;
        Ok(table.get(key)?.map(|raw| raw.value().len()))
    }

    pub(crate) fn put(&self, key: &[u8], record: &Record) -> Result<(), Error> {
        let raw = record.encode(key);
        let old = self.transaction.open_table(RECORDS)?.insert(key, raw.as_slice())?.and_then(|old| expires_at(&old));
        self.move_expiry(key, old, record.expires)
    }

    pub(crate) fn remove(&self, key: &[u8]) -> Result<(), Error> {
        let old = self.transaction.open_table(RECORDS)?.remove(key)?.and_then(|old| expires_at(&old));
        self.move_expiry(key, old, None)
    }

    fn move_expiry(&self, key: &[u8], old: Option<Timestamp>, new: Option<Timestamp>) -> Result<(), Error> {
        if old == new {
            return Ok(());
        }
        let mut expiries = self.transaction.open_table(EXPIRIES)?;
        if let Some(old) = old {
            expiries.remove((old.0, key))?;
        }
        if let Some(new) = new {
            expiries.insert((new.0, key), ())?;
        }
        Ok(())
    }

    /// The first keys whose time is over.
    pub(crate) fn expired(&self, now: Timestamp, limit: usize) -> Result<Vec<Vec<u8>>, Error> {
        let expiries = self.transaction.open_table(EXPIRIES)?;
        let until = (now.0.saturating_add(1), &[][..]);
        let mut keys = Vec::new();
        for entry in expiries.range(..until)?.take(limit) {
            keys.push(entry?.0.value().1.to_vec());
        }
        Ok(keys)
    }

    /// One sync; when it returns, the batch outlives a crash.
    pub(crate) fn commit(self, revision: Revision) -> Result<(), Error> {
        self.transaction.open_table(META)?.insert("revision", revision.0)?;
        Ok(self.transaction.commit()?)
    }
}

fn expires_at(raw: &redb::AccessGuard<'_, &[u8]>) -> Option<Timestamp> {
    Record::peek_expires(raw.value())
}

fn tables(database: &Database) -> Result<Vec<String>, Error> {
    let reading = database.begin_read()?;
    let mut names: Vec<String> = reading.list_tables()?.map(|table| table.name().to_owned()).collect();
    names.extend(reading.list_multimap_tables()?.map(|table| redb::MultimapTableHandle::name(&table).to_owned()));
    Ok(names)
}

fn initialise(database: &Database) -> Result<(), Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert("schema", SCHEMA)?;
    transaction.open_table(RECORDS)?;
    transaction.open_table(EXPIRIES)?;
    Ok(transaction.commit()?)
}

fn unreadable(path: &Path) -> OpenError {
    OpenError::Unreadable { path: path.to_owned() }
}

fn refused(error: Error, path: &Path) -> OpenError {
    let path: PathBuf = path.to_owned();
    match error {
        Error::DatabaseAlreadyOpen => OpenError::InUse { path },
        Error::UpgradeRequired(_) | Error::TableTypeMismatch { .. } | Error::TableDoesNotExist(_) => {
            OpenError::Foreign { path }
        }
        Error::Io(cause) if cause.kind() == std::io::ErrorKind::InvalidData => OpenError::Foreign { path },
        Error::Io(cause) => OpenError::Io { path, cause },
        cause => OpenError::Damaged { path, cause },
    }
}
