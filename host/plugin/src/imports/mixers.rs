//! `mixers`: composed pictures and mixed sound, as wishes within the operator's capacity.

use heliu_store::Collection;
use wasmtime::Result;

use crate::bindings::mixers::{Host, Mixer};
use crate::bindings::types::Error;
use crate::call::{Call, Guest};
use crate::capacity;
use crate::tape::{Question, Shown};
use crate::wish::{check_id, mixer_intent};

impl Host for Guest {
    fn put(&mut self, id: String, mixer: Mixer) -> Result<std::result::Result<(), Error>> {
        let question = Question::new("mixers.put", (&id, Shown(&mixer)));
        self.answer(question, |call| put(call, &id, mixer))
    }

    fn delete(&mut self, id: String) -> Result<std::result::Result<(), Error>> {
        self.answer(Question::new("mixers.delete", &id), |call| {
            check_id("id", &id)?;
            call.transaction.delete(Collection::Mixer, &id)
        })
    }
}

fn put(call: &mut Call, id: &str, mixer: Mixer) -> std::result::Result<(), Error> {
    check_id("id", id)?;
    let intent = mixer_intent(&call.context.namespace, mixer)?;
    let limits = call.context.plane.limits();
    capacity::check_mixer(&mut call.transaction, id, &intent, limits)?;
    let bytes = serde_json::to_vec(&intent).expect("a wish is plain data");
    call.put(Collection::Mixer, id, bytes, None)
}
