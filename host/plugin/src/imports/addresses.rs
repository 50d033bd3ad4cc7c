//! `addresses`: public names under the plugin's own apps.

use heliu_store::Collection;
use wasmtime::Result;

use crate::bindings::addresses::{Address, Host, Place};
use crate::bindings::types::{Error, Field};
use crate::call::{Call, Guest};
use crate::wish;

impl Host for Guest {
    fn put(&mut self, app: String, name: String, address: Address) -> Result<std::result::Result<(), Error>> {
        Ok(put(self.call()?, &app, &name, &address))
    }

    fn delete(&mut self, app: String, name: String) -> Result<std::result::Result<(), Error>> {
        Ok(delete(self.call()?, &app, &name))
    }

    fn urls(&mut self, app: String, name: String, authority: Option<String>) -> Result<Vec<Field>> {
        let call = self.call()?;
        let Ok(address) = wish::address(&app, &name) else { return Ok(Vec::new()) };
        let urls = call.context.plane.urls(&address, authority.as_deref());
        Ok(urls.into_iter().map(|(name, value)| Field { name, value }).collect())
    }

    fn locate(&mut self, url: String) -> Result<Option<Place>> {
        let address = self.call()?.context.plane.locate(&url);
        Ok(address.map(|address| Place { app: address.app().to_owned(), name: address.name().to_owned() }))
    }
}

fn put(call: &mut Call, app: &str, name: &str, behind: &Address) -> std::result::Result<(), Error> {
    let address = wish::address(app, name)?;
    if !call.context.apps.owns(app) {
        call.context.deny("an address under an app that is not its own");
        return Err(Error::Denied("addresses".into()));
    }
    let intent = wish::address_intent(&call.context.namespace, address, behind)?;
    let bytes = serde_json::to_vec(&intent).expect("a wish is plain data");
    call.transaction.put(Collection::Address, intent.address.as_str(), bytes, None)
}

fn delete(call: &mut Call, app: &str, name: &str) -> std::result::Result<(), Error> {
    let address = wish::address(app, name)?;
    call.transaction.delete(Collection::Address, address.as_str())
}
