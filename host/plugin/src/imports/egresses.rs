//! `egresses`: media that the host pushes, as wishes within the operator's ceiling.

use heliu_store::Collection;
use wasmtime::Result;

use crate::bindings::egresses::{Egress, Host};
use crate::bindings::types::Error;
use crate::call::{Call, Guest};
use crate::capacity;
use crate::tape::{Question, Shown};
use crate::wish::{check_id, egress_intent};

impl Host for Guest {
    fn put(&mut self, id: String, egress: Egress) -> Result<std::result::Result<(), Error>> {
        let question = Question::new("egresses.put", (&id, Shown(&egress)));
        self.answer(question, |call| put(call, &id, egress))
    }

    fn delete(&mut self, id: String) -> Result<std::result::Result<(), Error>> {
        self.answer(Question::new("egresses.delete", &id), |call| {
            check_id("id", &id)?;
            call.transaction.delete(Collection::Egress, &id)
        })
    }
}

fn put(call: &mut Call, id: &str, egress: Egress) -> std::result::Result<(), Error> {
    check_id("id", id)?;
    let intent = egress_intent(&call.context.namespace, egress)?;
    let limits = call.context.plane.limits();
    capacity::check_egress(&mut call.transaction, id, limits)?;
    let bytes = serde_json::to_vec(&intent).expect("a wish is plain data");
    call.put(Collection::Egress, id, bytes, None)
}
