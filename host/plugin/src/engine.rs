//! One wasmtime engine for all plugins, and the thread that is its clock.
//!
//! Instances come from a pool: a fresh one per call costs a few microseconds. The clock ticks every
//! five milliseconds; a guest that is running then stops and is charged (see [`crate::meter`]).
//!
//! Not here: compiled code on disk.

use std::thread;

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::config::Limits;
use crate::meter::TICK;

/// A component made by the usual tools holds a main module, a shim and a fix-up of its tables.
const CORE_INSTANCES_PER_COMPONENT: u32 = 4;
/// More would reserve more address space than a process has.
const INSTANCES_MAX: usize = 4096;
/// What an instance has written is wiped up to here when it goes; giving pages back to the system instead
/// costs a message to every processor.
const KEEP_RESIDENT: usize = 1 << 20;
/// The same of a table; those of a component from the usual tools have some hundred entries.
const TABLE_KEEP_RESIDENT: usize = 64 << 10;

/// Makes the engine and starts its clock, which stops with the engine.
///
/// # Errors
/// The machine has not the address space, or no thread.
pub(crate) fn start<'a>(limits: impl Iterator<Item = &'a Limits> + Clone) -> wasmtime::Result<wasmtime::Engine> {
    let instances: usize = limits
        .clone()
        .map(|limits| limits.in_flight_max.saturating_add(limits.waiting_max).saturating_add(limits.idle_max))
        .sum();
    let memory_len_max = limits.map(|limits| limits.memory_len_max).max().unwrap_or_default();
    let engine = wasmtime::Engine::new(&config(instances.clamp(1, INSTANCES_MAX), memory_len_max))?;
    tick(&engine)?;
    Ok(engine)
}

/// An engine for a process that compiles and calls nobody: no pool, no clock.
///
/// # Errors
/// This machine's processor is not served.
pub(crate) fn for_compiling() -> wasmtime::Result<wasmtime::Engine> {
    wasmtime::Engine::new(&code_config())
}

fn config(instances: usize, memory_len_max: usize) -> Config {
    let instances = u32::try_from(instances).expect("it was clamped to a few thousand");
    let mut pool = PoolingAllocationConfig::new();
    pool.max_memory_size(memory_len_max)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(TABLE_KEEP_RESIDENT)
        .pagemap_scan(Enabled::Auto)
        .total_component_instances(instances)
        .total_core_instances(instances * CORE_INSTANCES_PER_COMPONENT)
        .total_tables(instances * CORE_INSTANCES_PER_COMPONENT)
        .total_memories(instances)
        .total_stacks(instances);
    let mut config = code_config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// All that code depends on: what is compiled with this runs in every engine of this file.
fn code_config() -> Config {
    let mut config = Config::new();
    config.concurrency_support(false).epoch_interruption(true);
    config
}

fn tick(engine: &wasmtime::Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    let clock = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("plugin-clock".to_owned()).spawn(clock).map(drop)
}
