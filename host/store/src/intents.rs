//! The wishes of all plugins, decoded for the control loop.
//!
//! A record that cannot be read is passed over with an error in the log: one plugin's damaged mixer
//! must not keep all others from running.

use std::collections::BTreeMap;
use std::sync::Arc;

use heliu_model::{Address, AddressIntent, EgressId, EgressIntent, Intents, MixerId, MixerIntent, Namespace, Revision};
use serde::de::DeserializeOwned;

use crate::alarm::{Alarm, PendingAlarm};
use crate::error::ReadError;
use crate::key::{Collection, Key};
use crate::snapshot::Snapshot;

impl Snapshot {
    /// All mixers, egresses and addresses, each with the revision at which it was put. Two namespaces
    /// with one address: the first in order has it.
    ///
    /// # Errors
    /// The disk fails.
    pub fn intents(&self) -> Result<Intents, ReadError> {
        let mut intents = Intents::default();
        for (key, revision, intent) in self.decoded(Collection::Mixer)? {
            if let Ok(id) = MixerId::new(&key.namespace, &key.name) {
                intents.mixers.insert(id, (revision, Arc::new(intent)));
            }
        }
        for (key, revision, intent) in self.decoded(Collection::Egress)? {
            if let Ok(id) = EgressId::new(&key.namespace, &key.name) {
                intents.egresses.insert(id, (revision, Arc::new(intent)));
            }
        }
        intents.addresses = self.addresses()?;
        Ok(intents)
    }

    /// One mixer's wish and when it was put.
    ///
    /// # Errors
    /// The record is damaged or the disk fails.
    pub fn mixer(&self, id: &MixerId) -> Result<Option<(Revision, Arc<MixerIntent>)>, ReadError> {
        self.intent(&Key::new(&id.namespace(), Collection::Mixer, id.local()))
    }

    /// One egress' wish and when it was put.
    ///
    /// # Errors
    /// The record is damaged or the disk fails.
    pub fn egress(&self, id: &EgressId) -> Result<Option<(Revision, Arc<EgressIntent>)>, ReadError> {
        self.intent(&Key::new(&id.namespace(), Collection::Egress, id.local()))
    }

    /// What a namespace put behind a public name.
    ///
    /// # Errors
    /// The record is damaged or the disk fails.
    pub fn address(
        &self,
        namespace: &Namespace,
        address: &Address,
    ) -> Result<Option<(Revision, Arc<AddressIntent>)>, ReadError> {
        self.intent(&Key::new(namespace, Collection::Address, address.as_str()))
    }

    fn intent<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<(Revision, Arc<T>)>, ReadError> {
        let Some(record) = self.record(key)? else { return Ok(None) };
        let intent = serde_json::from_slice(&record.bytes).map_err(|_| ReadError::Damaged(key.clone()))?;
        Ok(Some((record.revision, Arc::new(intent))))
    }

    /// All alarms that wait or are due, in no particular order of time.
    ///
    /// # Errors
    /// The disk fails.
    pub fn alarms(&self) -> Result<Vec<PendingAlarm>, ReadError> {
        let alarms = self.decoded::<Alarm>(Collection::Alarm)?.into_iter();
        let pending = |(key, revision, alarm): (Key, _, _)| PendingAlarm {
            namespace: key.namespace,
            name: key.name,
            revision,
            alarm,
        };
        Ok(alarms.map(pending).collect())
    }

    fn addresses(&self) -> Result<BTreeMap<Address, (Revision, Arc<AddressIntent>)>, ReadError> {
        let mut addresses = BTreeMap::new();
        for (_, revision, intent) in self.decoded::<AddressIntent>(Collection::Address)? {
            addresses.entry(intent.address.clone()).or_insert_with(|| (revision, Arc::new(intent)));
        }
        Ok(addresses)
    }

    fn decoded<T: DeserializeOwned>(&self, collection: Collection) -> Result<Vec<(Key, Revision, T)>, ReadError> {
        let mut found = Vec::new();
        for entry in self.everywhere(collection)? {
            let (key, record) = match entry {
                Err(error @ ReadError::Disk(_)) => return Err(error),
                Err(error) => {
                    tracing::error!(%error, "record passed over");
                    continue;
                }
                Ok(entry) => entry,
            };
            match serde_json::from_slice(&record.bytes) {
                Ok(value) => found.push((key, record.revision, value)),
                // serde's message may quote the record, and with it a stream key.
                Err(_) => tracing::error!(record = %key, "record passed over: it does not decode"),
            }
        }
        Ok(found)
    }
}
