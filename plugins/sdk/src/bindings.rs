//! The contract as Rust, generated from `wit/`: types, imports, and the traits of the exports.
//!
//! Everything else in this crate is a shorter way to say what stands here. Plugin code seldom needs it.

#![allow(missing_docs, unsafe_code, clippy::all, unused_qualifications, reason = "generated code")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "personality",
    pub_export_macro: true,
    export_macro_name: "export_personality",
    default_bindings_module: "heliu_sdk::bindings",
    additional_derives: [PartialEq],
    generate_all,
});
