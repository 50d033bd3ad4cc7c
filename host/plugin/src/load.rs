//! From a component's file to a plugin that can be called, or one sentence why not.
//!
//! Linking checks names only; types are checked when the component is instantiated and its exports
//! are looked up, so both are done here before anybody is served.

use std::time::Instant;

use heliu_model::Namespace;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Engine, Store};

use crate::call::Guest;
use crate::compiler::CompileError;
use crate::config::{Limits, PluginConfig};
use crate::content_hash::ContentHash;
use crate::describe::{self, Exported};
use crate::descriptor::Descriptor;
use crate::engine;
use crate::exports::{self, Exports};
use crate::imports::{self, GRANTABLE, GRANTED};
use crate::memory::{Memory, SharedMemory};
use crate::meter::{Meter, Spending};
use crate::schema;
use crate::workshop::{Source, Workshop};

mod error;

pub use error::LoadError;

/// The contract this host serves.
pub const CONTRACT: &str = "heliu:personality@0.1.0";
const PACKAGE: &str = "heliu:personality/";
const VERSION: &str = "0.1.0";
/// Prefix of a grant that lets the guest read one secret in clear.
pub(crate) const SECRET_GRANT: &str = "secret:";

/// Loads the components of one host.
pub(crate) struct Loader {
    engine: Engine,
    linker: Linker<Guest>,
    workshop: Workshop,
}

/// A component that fits, and what it says about itself.
pub(crate) struct Loaded {
    pub(crate) component: ContentHash,
    pub(crate) linked: InstancePre<Guest>,
    pub(crate) exports: Exports,
    pub(crate) descriptor: Descriptor,
}

impl Loader {
    /// For plugins with these limits.
    ///
    /// # Errors
    /// The engine does not start.
    pub(crate) fn new<'a>(
        limits: impl Iterator<Item = &'a Limits> + Clone,
        workshop: Workshop,
    ) -> Result<Self, LoadError> {
        let failed = |error: wasmtime::Error| LoadError::Engine(format!("{error:#}"));
        let engine = engine::start(limits).map_err(failed)?;
        let linker = imports::linker(&engine).map_err(failed)?;
        Ok(Self { engine, linker, workshop })
    }

    /// Where components come from.
    pub(crate) fn workshop(&self) -> &Workshop {
        &self.workshop
    }

    /// Compiles, links, instantiates and asks.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(crate) async fn load(&self, config: &PluginConfig, source: &Source) -> Result<Loaded, LoadError> {
        let began = Instant::now();
        let Self { engine, linker, workshop } = self;
        let component = component(engine, workshop, config, source).await?;
        let plugin = &config.namespace;
        check_grants(config)?;
        check_imports(engine, &component, config)?;
        let exported = check_exports(engine, &component, plugin)?;
        let unfit =
            |cause: wasmtime::Error| LoadError::DoesNotFit { plugin: plugin.clone(), cause: in_one_line(&cause) };
        let linked = linker.instantiate_pre(&component).map_err(unfit)?;
        let exports = Exports::find(&linked, exported).map_err(unfit)?;
        let told = describe(engine, &linked, &exports, config).await?;
        let descriptor = describe::descriptor(told, exported)
            .map_err(|cause| LoadError::Descriptor { plugin: plugin.clone(), cause })?;
        if let Some(schema) = &descriptor.config_schema {
            schema::check(schema, &config.config, &format!("plugins.{plugin}.config"))
                .map_err(|cause| LoadError::Config { plugin: plugin.clone(), cause })?;
        }
        let (component, took) = (source.hash.short(), began.elapsed());
        tracing::info!(%plugin, component, ?took, "plugin loaded");
        Ok(Loaded { component: source.hash, linked, exports, descriptor })
    }
}

async fn component(
    engine: &Engine,
    workshop: &Workshop,
    config: &PluginConfig,
    source: &Source,
) -> Result<Component, LoadError> {
    let (plugin, component) = (config.namespace.clone(), config.component.clone());
    workshop.component(engine, source).await.map_err(|cause| match cause {
        CompileError::NotAComponent(cause) => {
            LoadError::NotAComponent { plugin, component, hint: hint(&source.bytes, &cause) }
        }
        cause => LoadError::NotCompiled { plugin, component, cause },
    })
}

/// Modules and components begin alike and differ in the layer of their version field.
fn hint(bytes: &[u8], cause: &str) -> String {
    match bytes {
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => ", but a core module that was not made into one yet".to_owned(),
        [b'\0', b'a', b's', b'm', ..] => format!(": {cause}"),
        _ => String::new(),
    }
}

fn check_grants(config: &PluginConfig) -> Result<(), LoadError> {
    let is_known = |grant: &String| match grant.strip_prefix(SECRET_GRANT) {
        Some(secret) => config.secrets.contains_key(secret),
        None => GRANTABLE.contains(&grant.as_str()) || GRANTED.contains(&grant.as_str()),
    };
    match config.grants.iter().flatten().find(|grant| !is_known(grant)) {
        Some(grant) => Err(LoadError::UnknownGrant { plugin: config.namespace.clone(), grant: grant.clone() }),
        None => Ok(()),
    }
}

fn check_imports(engine: &Engine, component: &Component, config: &PluginConfig) -> Result<(), LoadError> {
    let plugin = &config.namespace;
    for (name, _) in component.component_type().imports(engine) {
        let interface = interface_of(name, plugin)?;
        let interface = interface.filter(|name| GRANTED.contains(name) || GRANTABLE.contains(name));
        let Some(interface) = interface else {
            return Err(LoadError::UnknownImport { plugin: plugin.clone(), import: name.to_owned() });
        };
        let is_granted = |grants: &Vec<String>| grants.iter().any(|grant| grant == interface);
        if !GRANTED.contains(&interface) && !config.grants.as_ref().is_none_or(is_granted) {
            return Err(LoadError::NotGranted { plugin: plugin.clone(), import: interface.to_owned() });
        }
    }
    Ok(())
}

/// `store` of `heliu:personality/store@0.1.0`; `None`: another package's.
fn interface_of<'a>(name: &'a str, plugin: &Namespace) -> Result<Option<&'a str>, LoadError> {
    let Some(rest) = name.strip_prefix(PACKAGE) else { return Ok(None) };
    let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
    if version != VERSION {
        let found =
            if version.is_empty() { "heliu:personality".to_owned() } else { format!("heliu:personality@{version}") };
        return Err(LoadError::OtherContract { plugin: plugin.clone(), found });
    }
    Ok(Some(interface))
}

fn check_exports(engine: &Engine, component: &Component, plugin: &Namespace) -> Result<Exported, LoadError> {
    for (name, _) in component.component_type().exports(engine) {
        interface_of(name, plugin)?;
    }
    let has = |interface: &str| exports::has(engine, component, &format!("{PACKAGE}{interface}@{VERSION}"));
    for export in ["manifest", "requests"] {
        if !has(export) {
            return Err(LoadError::MissingExport { plugin: plugin.clone(), export });
        }
    }
    Ok(Exported { admission: has("admission"), events: has("events") })
}

async fn describe(
    engine: &Engine,
    linked: &InstancePre<Guest>,
    exports: &Exports,
    config: &PluginConfig,
) -> Result<crate::bindings::exported::manifest::Descriptor, LoadError> {
    let plugin = &config.namespace;
    let limits = &config.limits;
    let meter = Meter::new(limits.cpu_max, Spending::new(limits.cpu_percent_max));
    let memory = Memory::new(limits.memory_len_max, SharedMemory::new(limits.plugin_memory_len_max));
    let mut store = new_store(engine, Guest::idle(memory), &meter);
    store.set_hostcall_fuel(limits.host_call_len_max);
    let failed = |cause: wasmtime::Error| LoadError::Describe { plugin: plugin.clone(), cause: in_one_line(&cause) };
    let unfit = |cause: wasmtime::Error| LoadError::DoesNotFit { plugin: plugin.clone(), cause: in_one_line(&cause) };
    let instance = meter.charge(linked.instantiate_async(&mut store)).await.map_err(unfit)?;
    exports.check(&mut store, &instance).map_err(unfit)?;
    let manifest = exports.manifest(&mut store, &instance).map_err(unfit)?;
    meter.charge(manifest.call_describe(&mut store)).await.map_err(failed)
}

/// A store whose guest is charged and bounded.
pub(crate) fn new_store(engine: &Engine, guest: Guest, meter: &Meter) -> Store<Guest> {
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| &mut guest.memory);
    store.set_epoch_deadline(1);
    let meter = meter.clone();
    store.epoch_deadline_callback(move |_| {
        Ok(match meter.tick() {
            Ok(()) => wasmtime::UpdateDeadline::Yield(1),
            Err(_) => wasmtime::UpdateDeadline::Interrupt,
        })
    });
    store
}

/// The innermost cause and the outermost context, without the engine's stack of wasm frames.
pub(crate) fn in_one_line(error: &wasmtime::Error) -> String {
    let first_line = |text: String| text.lines().next().unwrap_or_default().trim_end_matches(':').to_owned();
    let outer = first_line(error.to_string());
    let inner = first_line(error.root_cause().to_string());
    if outer == inner || outer.starts_with("error while executing") { inner } else { format!("{outer}: {inner}") }
}
