//! What a component exports, found by name and checked by type.

use wasmtime::Store;
use wasmtime::component::{Component, Instance, InstancePre};

use crate::bindings::exported::{admission, events, manifest, requests};
use crate::call::Guest;
use crate::describe::Exported;

/// Where the exports are; the optional ones only if the component has them.
#[derive(Clone)]
pub(crate) struct Exports {
    manifest: manifest::GuestIndices,
    requests: requests::GuestIndices,
    admission: Option<admission::GuestIndices>,
    events: Option<events::GuestIndices>,
}

impl Exports {
    /// Looks them up. `has` says whether an interface is exported at all.
    ///
    /// # Errors
    /// One of them lacks a function.
    pub(crate) fn find(linked: &InstancePre<Guest>, has: Exported) -> wasmtime::Result<Self> {
        Ok(Self {
            manifest: manifest::GuestIndices::new(linked)?,
            requests: requests::GuestIndices::new(linked)?,
            admission: has.admission.then(|| admission::GuestIndices::new(linked)).transpose()?,
            events: has.events.then(|| events::GuestIndices::new(linked)).transpose()?,
        })
    }

    /// Checks the type of every function; nothing else does before it is called.
    ///
    /// # Errors
    /// One has another type than the contract says.
    pub(crate) fn check(&self, store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<()> {
        self.manifest(store, instance)?;
        self.requests(store, instance)?;
        self.admission(store, instance)?;
        self.events(store, instance)?;
        Ok(())
    }

    pub(crate) fn manifest(&self, store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<manifest::Guest> {
        self.manifest.load(store, instance)
    }

    pub(crate) fn requests(&self, store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<requests::Guest> {
        self.requests.load(store, instance)
    }

    pub(crate) fn admission(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
    ) -> wasmtime::Result<Option<admission::Guest>> {
        self.admission.as_ref().map(|indices| indices.load(store, instance)).transpose()
    }

    pub(crate) fn events(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
    ) -> wasmtime::Result<Option<events::Guest>> {
        self.events.as_ref().map(|indices| indices.load(store, instance)).transpose()
    }

    /// Which of the optional ones there are.
    pub(crate) fn exported(&self) -> Exported {
        Exported { admission: self.admission.is_some(), events: self.events.is_some() }
    }
}

/// Is an interface of the contract among the component's exports?
pub(crate) fn has(engine: &wasmtime::Engine, component: &Component, name: &str) -> bool {
    component.component_type().get_export(engine, name).is_some()
}
