//! The compiler's own work, in whichever process.

use std::io::{self, Read, Write};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wasmtime::Engine;

use super::CompileError;
use crate::code::Code;
use crate::engine;
use crate::load::in_one_line;

/// What a compiling process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceilings {
    /// What the process may hold of its own, in bytes: heap and stacks. Address space would be no measure,
    /// for an allocator reserves far more of it than it uses.
    pub memory_len_max: u64,
    /// Computing time, all threads together.
    pub cpu_max: Duration,
}

impl Ceilings {
    /// Takes them for this process and its children, for ever. They hold for what is allocated from
    /// then on: whoever takes them should start the compiler's program afterwards.
    ///
    /// # Errors
    /// The system does not take them.
    pub fn take(self) -> io::Result<()> {
        let cpu_s_max = self.cpu_max.as_secs().max(1);
        lower(Resource::Data, self.memory_len_max, 0)?;
        // A second between the signal that says what it is about and the one that kills.
        lower(Resource::Cpu, cpu_s_max, 1)?;
        // An abort is an answer here; nobody wants its picture.
        lower(Resource::Core, 0, 0)
    }
}

/// The life of a compiling process: reads a component from `input` to its end, writes its compiled code
/// to `output`.
///
/// # Errors
/// The component is none, or a pipe broke.
pub fn compile_component(input: &mut impl Read, output: &mut impl Write) -> Result<(), CompileError> {
    let broke = |error: io::Error| CompileError::Died(error.to_string());
    let engine = engine::for_compiling().map_err(|error| CompileError::Died(in_one_line(&error)))?;
    let mut component = Vec::new();
    input.read_to_end(&mut component).map_err(broke)?;
    let code = compile(&engine, &component)?;
    output.write_all(code.bytes()).and_then(|()| output.flush()).map_err(broke)
}

/// Compiles here and now.
pub(super) fn compile(engine: &Engine, component: &[u8]) -> Result<Code, CompileError> {
    let compiled = engine.precompile_component(component);
    compiled.map(Code::vouched).map_err(|error| CompileError::NotAComponent(in_one_line(&error)))
}

/// Never above what whoever started this process allows.
fn lower(resource: Resource, at_most: u64, grace: u64) -> io::Result<()> {
    let allowed = getrlimit(resource);
    let within = |wanted: u64, allowed: Option<u64>| Some(allowed.map_or(wanted, |allowed| wanted.min(allowed)));
    let maximum = within(at_most.saturating_add(grace), allowed.maximum);
    setrlimit(resource, Rlimit { current: within(at_most, allowed.current), maximum })?;
    Ok(())
}
