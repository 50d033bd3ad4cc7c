//! `addresses`: public names under the plugin's own apps.

use heliu_store::Collection;
use wasmtime::Result;

use crate::bindings::addresses::{Address, Host, Place};
use crate::bindings::types::{Error, Field};
use crate::call::{Call, Guest};
use crate::tape::{Question, Shown};
use crate::wish;

impl Host for Guest {
    fn put(&mut self, app: String, name: String, address: Address) -> Result<std::result::Result<(), Error>> {
        let question = Question::new("addresses.put", (&app, &name, Shown(&address)));
        self.answer(question, |call| put(call, &app, &name, &address))
    }

    fn delete(&mut self, app: String, name: String) -> Result<std::result::Result<(), Error>> {
        self.answer(Question::new("addresses.delete", (&app, &name)), |call| delete(call, &app, &name))
    }

    fn urls(&mut self, app: String, name: String, authority: Option<String>) -> Result<Vec<Field>> {
        self.answer(Question::new("addresses.urls", (&app, &name, &authority)), |call| {
            let Ok(address) = wish::address(&app, &name) else { return Vec::new() };
            let urls = call.context.plane.urls(&address, authority.as_deref());
            urls.into_iter().map(|(name, value)| Field { name, value }).collect()
        })
    }

    fn locate(&mut self, url: String) -> Result<Option<Place>> {
        self.answer(Question::new("addresses.locate", &url), |call| {
            let address = call.context.plane.locate(&url);
            address.map(|address| Place { app: address.app().to_owned(), name: address.name().to_owned() })
        })
    }
}

fn put(call: &mut Call, app: &str, name: &str, behind: &Address) -> std::result::Result<(), Error> {
    let address = wish::address(app, name)?;
    if !call.context.apps.is_of(app, &call.context.namespace) {
        call.context.deny("an address under an app that is not its own");
        return Err(Error::Denied("addresses".into()));
    }
    let intent = wish::address_intent(&call.context.namespace, address, behind)?;
    let bytes = serde_json::to_vec(&intent).expect("a wish is plain data");
    call.put(Collection::Address, intent.address.as_str(), bytes, None)
}

fn delete(call: &mut Call, app: &str, name: &str) -> std::result::Result<(), Error> {
    let address = wish::address(app, name)?;
    call.transaction.delete(Collection::Address, address.as_str())
}
