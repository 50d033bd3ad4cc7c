//! `store`: records of the plugin, in the transaction of the call.

use heliu_model::Namespace;
use heliu_store::{Collection, CommitError};
use wasmtime::Result;

use crate::bindings::store::{Entry, Host, Range};
use crate::bindings::types::Error;
use crate::call::{Call, Guest};
use crate::tape::{Question, Shown};
use crate::transaction::ScanRange;

impl Host for Guest {
    fn get(&mut self, key: String) -> Result<Result<Option<Vec<u8>>, Error>> {
        self.answer(Question::new("store.get", &key), |call| call.transaction.get(Collection::Data, &key))
    }

    fn put(&mut self, key: String, value: Vec<u8>, ttl_s: Option<u32>) -> Result<Result<(), Error>> {
        let question = Question::new("store.put", (&key, &value, ttl_s));
        self.answer(question, |call| call.put(Collection::Data, &key, value, ttl_s))
    }

    fn delete(&mut self, key: String) -> Result<Result<(), Error>> {
        self.answer(Question::new("store.delete", &key), |call| call.transaction.delete(Collection::Data, &key))
    }

    fn clear(&mut self, prefix: String) -> Result<Result<(), Error>> {
        self.answer(Question::new("store.clear", &prefix), |call| call.transaction.clear(&prefix))
    }

    fn scan(&mut self, range: Range) -> Result<Result<Vec<Entry>, Error>> {
        let question = Question::new("store.scan", Shown(&range));
        let Range { prefix, after, skip, limit, reverse } = range;
        let range = ScanRange { prefix, after, skip, limit, reverse };
        self.answer(question, |call| {
            let found = call.transaction.scan(&range)?;
            Ok(found.into_iter().map(|(key, value)| Entry { key, value }).collect())
        })
    }

    fn count(&mut self, prefix: String) -> Result<Result<u32, Error>> {
        self.answer(Question::new("store.count", &prefix), |call| call.transaction.count(&prefix))
    }

    async fn next(&mut self, sequence: String) -> Result<Result<u64, Error>> {
        let question = Question::new("store.next", &sequence);
        let call = self.call()?;
        if let Some(played) = call.recall(question)? {
            return Ok(played);
        }
        let answer = next(call, &sequence).await;
        call.remember(question, &answer);
        Ok(answer)
    }

    fn add(&mut self, total: String, delta: i32) -> Result<Result<(), Error>> {
        self.answer(Question::new("store.add", (&total, delta)), |call| call.transaction.add(&total, delta))
    }

    fn total(&mut self, name: String) -> Result<Result<i64, Error>> {
        self.answer(Question::new("store.total", &name), |call| call.transaction.total(&name))
    }
}

async fn next(call: &Call, sequence: &str) -> Result<u64, Error> {
    let key = call.transaction.sequence(sequence)?;
    let drawn = call.context.store.next(&key).await;
    drawn.map_err(|error| told(&call.context.namespace, &error))
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
