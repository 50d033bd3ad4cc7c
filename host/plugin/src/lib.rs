//! Personalities: wasm components that each speak one REST API and decide about media.
//!
//! **A call is a transaction.** An instance gets a snapshot of its plugin's records, and what it
//! wrote and wished becomes true together, durably, before its answer leaves; or nothing happened. A
//! call that met another one runs again, and what it did outside the store it does not do twice. What a guest may reach is what it imports and the operator
//! granted; what it may use is bounded on every side.
//!
//! Not here: HTTP, the media plane (seen through [`Plane`]), and when events and alarms are due.

mod apps;
mod bindings;
mod breaker;
mod call;
mod calls;
mod capacity;
mod claim;
mod code;
mod code_cache;
mod compiler;
mod config;
mod content_hash;
mod context;
mod describe;
mod descriptor;
mod engine;
mod exchange;
mod exports;
mod face;
mod fault;
mod generation;
mod happening;
mod imports;
mod instances;
mod limit;
mod load;
mod lookout;
mod memory;
mod meter;
mod plane;
mod plugin;
mod plugins;
mod reload;
mod router;
mod run;
mod schema;
mod share;
mod stats;
mod tape;
mod template;
mod transaction;
mod turns;
mod wish;
mod workshop;

pub use code_cache::{CacheStats, CodeCache};
pub use compiler::{Ceilings, Child, CompileError, Compiler, compile_component};
pub use config::{Limits, PluginConfig, Reuse, Secret};
pub use content_hash::{ContentHash, NoContentHash};
pub use describe::DescriptorError;
pub use descriptor::{Cors, Descriptor, Face, FaultShape, Route};
pub use exchange::{Request, Response};
pub use face::Alone;
pub use fault::Fault;
pub use generation::Generation;
pub use happening::{Alarm, PluginEvent};
pub use limit::Limit;
pub use load::{CONTRACT, LoadError};
pub use plane::{HostLimits, Plane};
pub use plugin::{Plugin, Standing};
pub use plugins::Plugins;
pub use reload::RollbackError;
pub use router::{Found, Routed, Router};
pub use schema::SchemaError;
pub use stats::StatsSnapshot;
pub use template::{Template, TemplateError};
pub use workshop::Workshop;
