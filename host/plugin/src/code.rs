//! Compiled code, and the one door through which it reaches the processor.
//!
//! The engine checks that code was made by an engine of its own kind, not that it is harmless: whoever
//! can hand it bytes of his own runs in the host. So [`Code`] is made in two places only: by a
//! compiler of ours, and by the cache after its seal was found whole.

#![expect(
    unsafe_code,
    reason = "the engine has no safe way to load compiled code; where it may come from is said above"
)]

use wasmtime::Engine;
use wasmtime::component::Component;

/// Bytes that a compiler of ours has written.
#[derive(Clone)]
pub(crate) struct Code(Vec<u8>);

impl Code {
    /// Vouches that these bytes left a compiler of ours and nobody had them in hand since.
    pub(crate) fn vouched(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// As written.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Makes it callable.
    ///
    /// # Errors
    /// It was made for another engine, or there is no memory for it.
    pub(crate) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: the bytes are what `Engine::precompile_component` gave, as `Code` promises.
        unsafe { Component::deserialize(engine, &self.0) }
    }
}
