//! Why a plugin is not loaded.

use std::path::PathBuf;

use heliu_model::Namespace;

use super::CONTRACT;
use crate::compiler::CompileError;
use crate::describe::DescriptorError;
use crate::schema::SchemaError;

/// Why the plugins of a configuration cannot be loaded. Each text is one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Address space or a thread is missing.
    #[error("the plugin engine does not start: {0}")]
    Engine(String),
    /// The file.
    #[error("plugin {plugin}: {} cannot be read: {cause}", .component.display())]
    Unreadable {
        /// Which.
        plugin: Namespace,
        /// Its file.
        component: PathBuf,
        /// From the system.
        cause: std::io::Error,
    },
    /// Something else.
    #[error("plugin {plugin}: {} is no WebAssembly component{hint}", .component.display())]
    NotAComponent {
        /// Which.
        plugin: Namespace,
        /// Its file.
        component: PathBuf,
        /// What it is instead, or what is wrong with it.
        hint: String,
    },
    /// The compiler gives nothing, within its ceilings.
    #[error("plugin {plugin}: {} gives no code: {cause}", .component.display())]
    NotCompiled {
        /// Which.
        plugin: Namespace,
        /// Its file.
        component: PathBuf,
        /// Why.
        cause: CompileError,
    },
    /// Built from another `wit/`.
    #[error("plugin {plugin} is built for the contract {found}, this host serves {CONTRACT}")]
    OtherContract {
        /// Which.
        plugin: Namespace,
        /// What it imports or exports.
        found: String,
    },
    /// Nothing of that name here.
    #[error("plugin {plugin} imports `{import}`, which this host does not have")]
    UnknownImport {
        /// Which.
        plugin: Namespace,
        /// What.
        import: String,
    },
    /// The operator says no.
    #[error("plugin {plugin} imports `{import}`, which its `grants` do not list")]
    NotGranted {
        /// Which.
        plugin: Namespace,
        /// What.
        import: String,
    },
    /// The operator's list names nothing.
    #[error("plugin {plugin}: `grants` lists `{grant}`, which this host does not have")]
    UnknownGrant {
        /// Which.
        plugin: Namespace,
        /// What.
        grant: String,
    },
    /// A required interface.
    #[error("plugin {plugin} does not export `{export}`")]
    MissingExport {
        /// Which.
        plugin: Namespace,
        /// What.
        export: &'static str,
    },
    /// A function's or record's shape.
    #[error("plugin {plugin} does not fit the contract {CONTRACT}: {cause}")]
    DoesNotFit {
        /// Which.
        plugin: Namespace,
        /// In the engine's words.
        cause: String,
    },
    /// It trapped, or took too long.
    #[error("plugin {plugin} does not say what it is: {cause}")]
    Describe {
        /// Which.
        plugin: Namespace,
        /// In the engine's words.
        cause: String,
    },
    /// A rule of the contract, or something not served.
    #[error("plugin {plugin}: {cause}")]
    Descriptor {
        /// Which.
        plugin: Namespace,
        /// What.
        cause: DescriptorError,
    },
    /// The operator's table.
    #[error("plugin {plugin}: {cause}")]
    Config {
        /// Which.
        plugin: Namespace,
        /// What.
        cause: SchemaError,
    },
    /// The operator's `apps` for a plugin that cannot admit.
    #[error("plugin {plugin} is given apps, but does not export `admission`")]
    CannotAdmit {
        /// Which.
        plugin: Namespace,
    },
    /// The operator's `base`.
    #[error("plugin {plugin}: `base` must begin with `/` and hold no parameters")]
    Base {
        /// Which.
        plugin: Namespace,
    },
    /// One table's name twice.
    #[error("two plugins are called {plugin}")]
    NameTwice {
        /// Which.
        plugin: Namespace,
    },
    /// One app, two owners.
    #[error("the app `{app}` is claimed by the plugins {first} and {second}")]
    AppTwice {
        /// Which.
        app: String,
        /// One.
        first: Namespace,
        /// The other.
        second: Namespace,
    },
    /// One method and path on one listener.
    #[error("the plugins {first} and {second} both answer {route}")]
    RouteTwice {
        /// Method and path.
        route: String,
        /// One.
        first: Namespace,
        /// The other.
        second: Namespace,
    },
    /// A path that would be both.
    #[error("the app `{app}` of plugin {owner} hides the route {route} of plugin {plugin}")]
    AppHidesRoute {
        /// Which app.
        app: String,
        /// Its owner.
        owner: Namespace,
        /// Method and path.
        route: String,
        /// Whose route.
        plugin: Namespace,
    },
}
