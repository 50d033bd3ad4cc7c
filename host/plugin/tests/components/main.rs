//! Real components, loaded and called as the host does it.
//!
//! The guests are a few lines of WebAssembly text each, so that these tests need no compiler for wasm
//! and a guest can do exactly one wrong thing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

mod breaker;
mod compiling;
mod faults;
mod guest;
mod host;
mod instances;
mod limits;
mod loading;
mod reload;
mod replay;
mod rollback;
mod transactions;
