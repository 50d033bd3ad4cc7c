//! `store`: records of the plugin, in the transaction of the call.

use heliu_model::Namespace;
use heliu_store::{Collection, CommitError};
use wasmtime::Result;

use crate::bindings::store::{Entry, Host, Range};
use crate::bindings::types::Error;
use crate::call::Guest;
use crate::transaction::ScanRange;

impl Host for Guest {
    fn get(&mut self, key: String) -> Result<Result<Option<Vec<u8>>, Error>> {
        Ok(self.call()?.transaction.get(Collection::Data, &key))
    }

    fn put(&mut self, key: String, value: Vec<u8>, ttl_s: Option<u32>) -> Result<Result<(), Error>> {
        Ok(self.call()?.transaction.put(Collection::Data, &key, value, ttl_s))
    }

    fn delete(&mut self, key: String) -> Result<Result<(), Error>> {
        Ok(self.call()?.transaction.delete(Collection::Data, &key))
    }

    fn clear(&mut self, prefix: String) -> Result<Result<(), Error>> {
        Ok(self.call()?.transaction.clear(&prefix))
    }

    fn scan(&mut self, range: Range) -> Result<Result<Vec<Entry>, Error>> {
        let Range { prefix, after, skip, limit, reverse } = range;
        let range = ScanRange { prefix, after, skip, limit, reverse };
        let found = self.call()?.transaction.scan(&range);
        Ok(found.map(|found| found.into_iter().map(|(key, value)| Entry { key, value }).collect()))
    }

    fn count(&mut self, prefix: String) -> Result<Result<u32, Error>> {
        Ok(self.call()?.transaction.count(&prefix))
    }

    async fn next(&mut self, sequence: String) -> Result<Result<u64, Error>> {
        let call = self.call()?;
        let key = match call.transaction.sequence(&sequence) {
            Ok(key) => key,
            Err(error) => return Ok(Err(error)),
        };
        let drawn = call.context.store.next(&key).await;
        Ok(drawn.map_err(|error| told(&call.context.namespace, &error)))
    }

    fn add(&mut self, total: String, delta: i32) -> Result<Result<(), Error>> {
        Ok(self.call()?.transaction.add(&total, delta))
    }

    fn total(&mut self, name: String) -> Result<Result<i64, Error>> {
        Ok(self.call()?.transaction.total(&name))
    }
}

fn told(namespace: &Namespace, error: &CommitError) -> Error {
    tracing::error!(plugin = %namespace, %error, "the store gave no number");
    match error {
        CommitError::StoreFull | CommitError::MemoryFull => Error::Exhausted("store".into()),
        CommitError::NameTooLong => Error::Invalid("key".into()),
        CommitError::Conflict
        | CommitError::ValueTooLarge
        | CommitError::Damaged(_)
        | CommitError::Disk(_)
        | CommitError::Closed => Error::Unavailable("store".into()),
    }
}
