//! `alarms`: wake-ups, as records.

use heliu_model::Timestamp;
use heliu_store::{Alarm, Collection};
use wasmtime::Result;

use crate::bindings::alarms::Host;
use crate::bindings::types::Error;
use crate::call::{Call, Guest};
use crate::tape::Question;
use crate::wish::{check_id, invalid};

const PAYLOAD_LEN_MAX: usize = 4096;

impl Host for Guest {
    fn set(
        &mut self,
        name: String,
        after_ms: u32,
        key: Option<String>,
        payload: String,
    ) -> Result<std::result::Result<(), Error>> {
        let question = Question::new("alarms.set", (&name, after_ms, &key, &payload));
        self.answer(question, |call| set(call, &name, after_ms, key, payload))
    }

    fn cancel(&mut self, name: String) -> Result<std::result::Result<(), Error>> {
        self.answer(Question::new("alarms.cancel", &name), |call| {
            check_id("name", &name)?;
            call.transaction.delete(Collection::Alarm, &name)
        })
    }
}

fn set(
    call: &mut Call,
    name: &str,
    after_ms: u32,
    key: Option<String>,
    payload: String,
) -> std::result::Result<(), Error> {
    check_id("name", name)?;
    if let Some(key) = &key {
        check_id("key", key)?;
    }
    if payload.len() > PAYLOAD_LEN_MAX {
        return invalid("payload");
    }
    let transaction = &mut call.transaction;
    // Not noted as read: two calls that set alarms must not conflict.
    if !transaction.has_unnoted(Collection::Alarm, name)?
        && transaction.count_unnoted(Collection::Alarm, "")? >= call.context.limits.alarms_max
    {
        return Err(Error::Exhausted("alarms".into()));
    }
    let due = Timestamp(transaction.now().0 + u64::from(after_ms));
    let alarm = serde_json::to_vec(&Alarm { due, key, payload }).expect("an alarm is plain data");
    call.put(Collection::Alarm, name, alarm, None)
}
