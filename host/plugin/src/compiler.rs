//! From a component to compiled code, where the compiler can harm nobody.
//!
//! A compiler is a large program over a stranger's bytes. In a served host it runs as a process of its
//! own with ceilings of memory and time ([`Compiler::Child`]); whatever happens to it there is one
//! sentence here.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::Engine;

use crate::code::Code;

mod child;
mod duty;

pub use child::Child;
pub use duty::{Ceilings, compile_component};

/// Where components are compiled.
#[derive(Debug, Clone)]
pub enum Compiler {
    /// Without ceilings, for components one trusts: tests, tools.
    InProcess,
    /// In a process of its own.
    Child(Child),
}

/// Why there is no compiled code.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// It is no component, or none of this engine's kind.
    #[error("{0}")]
    NotAComponent(String),
    /// Memory.
    #[error("compiling it takes more than {} MiB of memory", .0 >> 20)]
    Memory(u64),
    /// Computing, or waiting.
    #[error("compiling it takes more than {} s", .0.as_secs())]
    Time(Duration),
    /// Code.
    #[error("its compiled code is longer than {} MiB", .0 >> 20)]
    CodeLen(usize),
    /// A signal, or words nobody expected.
    #[error("the compiler died over it: {0}")]
    Died(String),
    /// The system gives no process.
    #[error("the compiler does not start: {0}")]
    Start(io::Error),
    /// What came back is no code of this engine.
    #[error("the compiler made something else: {0}")]
    Foreign(String),
}

impl Compiler {
    /// Compiles for `engine`. The caller's thread is free meanwhile.
    pub(crate) async fn compile(&self, engine: &Engine, component: Arc<[u8]>) -> Result<Code, CompileError> {
        match self {
            Self::Child(child) => child.compile(&component).await,
            Self::InProcess => {
                let engine = engine.clone();
                let compile = move || duty::compile(&engine, &component);
                let compiled = tokio::task::spawn_blocking(compile).await;
                compiled.map_err(|error| CompileError::Died(error.to_string()))?
            }
        }
    }
}
