//! Stories of the store as its callers see it.

mod bound;
mod conflict;
mod crash;
mod faults;
mod medium;
mod private;
mod scanning;

use heliu_model::Namespace;

use crate::{Collection, CommitError, Key, Snapshot, Store, Transaction, Value};

pub(crate) fn key(name: &str) -> Key {
    of("mix", Collection::Data, name)
}

pub(crate) fn of(namespace: &str, collection: Collection, name: &str) -> Key {
    Key::new(&namespace.parse::<Namespace>().unwrap(), collection, name)
}

pub(crate) fn begin(snapshot: &Snapshot) -> Transaction {
    Transaction::at(snapshot.revision())
}

impl Transaction {
    pub(crate) fn put(mut self, key: &Key, value: &str) -> Self {
        self.writes.insert(key.clone(), Some(Value::new(value)));
        self
    }

    pub(crate) fn read(mut self, key: &Key) -> Self {
        self.reads.keys.insert(key.clone());
        self
    }
}

pub(crate) async fn put(store: &Store, key: &Key, value: &str) -> Result<(), CommitError> {
    store.commit(Transaction::default().put(key, value)).await.map(drop)
}

pub(crate) fn get(store: &Store, key: &Key) -> Option<String> {
    store.snapshot().unwrap().get(key).unwrap().map(|bytes| String::from_utf8(bytes).unwrap())
}
