//! Typed records: JSON values under a prefix of the plugin's store.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::heliu::personality::store::{Entry, Range};
use crate::bindings::heliu::personality::types::Error;
use crate::host::store;
use crate::json;

/// The contract's bound on one scan.
const SCAN_MAX: u32 = 1_000;

/// What can be the key of a table. Keys are ordered bytewise, so a number takes a fixed width.
pub trait Key: Sized {
    /// As it stands in the store.
    fn to_text(&self) -> String;
    /// From the store; none: it is no key of this type.
    fn from_text(text: &str) -> Option<Self>;
}

impl Key for String {
    fn to_text(&self) -> String {
        self.clone()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Key for u64 {
    fn to_text(&self) -> String {
        format!("{self:020}")
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// Two keys; the first one must not hold `/`.
impl<A: Key, B: Key> Key for (A, B) {
    fn to_text(&self) -> String {
        format!("{}/{}", self.0.to_text(), self.1.to_text())
    }

    fn from_text(text: &str) -> Option<Self> {
        let (first, second) = text.split_once('/')?;
        Some((A::from_text(first)?, B::from_text(second)?))
    }
}

/// Records `<prefix><key>` with a JSON value. A prefix that begins with `~` lives in memory only and is
/// gone with the host.
#[derive(Debug)]
pub struct Table<K, V> {
    prefix: &'static str,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K: Key, V: Serialize + DeserializeOwned> Table<K, V> {
    /// By convention the prefix ends in `/`.
    #[must_use]
    pub const fn new(prefix: &'static str) -> Self {
        Self { prefix, types: PhantomData }
    }

    /// None: nothing there.
    ///
    /// # Errors
    /// The host's, or `invalid` where a record does not fit `V`.
    pub fn get(&self, key: &K) -> Result<Option<V>, Error> {
        let name = self.name(key);
        let Some(value) = store::get(&name)? else { return Ok(None) };
        decode(&name, &value).map(Some)
    }

    /// # Errors
    /// The host's: `exhausted` where the store is full.
    pub fn put(&self, key: &K, value: &V) -> Result<(), Error> {
        store::put(&self.name(key), &encode(value), None)
    }

    /// Fine if there is nothing.
    ///
    /// # Errors
    /// The host's.
    pub fn delete(&self, key: &K) -> Result<(), Error> {
        store::delete(&self.name(key))
    }

    /// All records whose key begins so, in order; empty: all there are.
    ///
    /// # Errors
    /// As [`Table::get`].
    pub fn scan(&self, begin: &str) -> Result<Vec<(K, V)>, Error> {
        let mut found = Vec::new();
        let mut range =
            Range { prefix: format!("{}{begin}", self.prefix), after: None, skip: 0, limit: SCAN_MAX, reverse: false };
        loop {
            let entries = store::scan(&range)?;
            let Some(last) = entries.last() else { return Ok(found) };
            range.after = Some(last.key.clone());
            for Entry { key, value } in entries {
                let name = key.strip_prefix(self.prefix).and_then(K::from_text);
                let name = name.ok_or_else(|| Error::Invalid(format!("record {key}")))?;
                found.push((name, decode(&key, &value)?));
            }
        }
    }

    /// How many keys begin so.
    ///
    /// # Errors
    /// The host's.
    pub fn count(&self, begin: &str) -> Result<u32, Error> {
        store::count(&format!("{}{begin}", self.prefix))
    }

    /// Removes every record whose key begins so.
    ///
    /// # Errors
    /// The host's.
    pub fn clear(&self, begin: &str) -> Result<(), Error> {
        store::clear(&format!("{}{begin}", self.prefix))
    }

    fn name(&self, key: &K) -> String {
        format!("{}{}", self.prefix, key.to_text())
    }
}

/// One record of its own: a setting, a counter.
#[derive(Debug)]
pub struct Record<V> {
    name: &'static str,
    value: PhantomData<fn() -> V>,
}

impl<V: Serialize + DeserializeOwned> Record<V> {
    /// Under this key.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, value: PhantomData }
    }

    /// None: never put.
    ///
    /// # Errors
    /// As [`Table::get`].
    pub fn get(&self) -> Result<Option<V>, Error> {
        store::get(self.name)?.map(|value| decode(self.name, &value)).transpose()
    }

    /// # Errors
    /// As [`Table::put`].
    pub fn put(&self, value: &V) -> Result<(), Error> {
        store::put(self.name, &encode(value), None)
    }
}

fn encode<V: Serialize>(value: &V) -> Vec<u8> {
    serde_json::to_vec(value).expect("a record's type has a JSON form")
}

fn decode<V: DeserializeOwned>(name: &str, value: &[u8]) -> Result<V, Error> {
    json::from_slice(value).map_err(|misfit| Error::Invalid(format!("record {name}: {misfit}")))
}
