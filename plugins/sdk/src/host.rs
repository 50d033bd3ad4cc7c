//! The one place that knows whether there is a host: the contract's imports in a component, the fake
//! host of this thread in a native test. Both offer the same functions with the same types.

#[cfg(target_family = "wasm")]
pub(crate) use crate::bindings::heliu::personality::{
    addresses, alarms, ambient, config, crypto, egresses, log, mixers, status, store, transaction,
};
#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::fake::imports::{
    addresses, alarms, ambient, config, crypto, egresses, log, mixers, status, store, transaction,
};
