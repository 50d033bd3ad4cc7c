//! The contract as Rust, generated from `wit/`.
//!
//! Imports that only look at memory are plain functions; those that wait are `async`. All may end
//! the guest, so all are trappable.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "personality",
    imports: {
        "heliu:personality/transaction.commit": async | trappable,
        "heliu:personality/store.next": async | trappable,
        "heliu:personality/status.wait": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    additional_derives: [PartialEq],
});

pub use exports::heliu::personality as exported;
pub use heliu::personality::{
    addresses, alarms, ambient, config, crypto, egresses, http, log, mixers, status, store, transaction, types,
};
