//! All personalities of one host: loaded together or not at all, then each replaced by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use heliu_model::Namespace;
use heliu_store::Store;
use tokio::sync::{Mutex, Notify};

use crate::apps::Apps;
use crate::claim::{self, Claim};
use crate::config::PluginConfig;
use crate::context::{Allowance, Context};
use crate::generation::Generation;
use crate::load::{LoadError, Loader, SECRET_GRANT};
use crate::memory::SharedMemory;
use crate::meter::Spending;
use crate::plane::Plane;
use crate::plugin::Plugin;
use crate::reload::Lookouts;
use crate::stats::Stats;
use crate::turns::Turns;
use crate::workshop::{Source, Workshop};

const DENIAL_SPAN: Duration = Duration::from_secs(60);
const WRITES_SPAN: Duration = Duration::from_secs(60);
const LOG_SPAN: Duration = Duration::from_secs(1);

/// All loaded personalities. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Plugins {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    plugins: BTreeMap<Namespace, Arc<Plugin>>,
    pub(crate) loader: Loader,
    pub(crate) apps: Arc<Apps>,
    /// Components that were replaced so far.
    pub(crate) swaps: AtomicU64,
    /// Whoever holds it may replace components.
    pub(crate) lookouts: Mutex<Lookouts>,
    pub(crate) look_again: Notify,
}

impl Plugins {
    /// Loads every plugin of the configuration, or none.
    ///
    /// # Errors
    /// One sentence for the operator about the first thing that is wrong.
    pub async fn load(
        configs: Vec<PluginConfig>,
        store: Store,
        plane: Arc<dyn Plane>,
        workshop: Workshop,
    ) -> Result<Self, LoadError> {
        let loader = Loader::new(configs.iter().map(|config| &config.limits), workshop)?;
        let mut names = BTreeSet::new();
        if let Some(twice) = configs.iter().find(|config| !names.insert(&config.namespace)) {
            return Err(LoadError::NameTwice { plugin: twice.namespace.clone() });
        }
        let mut loaded = Vec::with_capacity(configs.len());
        for config in configs {
            let component = loader.load(&config, &Source::read(&config).await?).await?;
            let claim = Claim::new(&config, &component)?;
            loaded.push((config, component, claim));
        }
        let claims: Vec<&Claim> = loaded.iter().map(|(_, _, claim)| claim).collect();
        let apps = Arc::new(Apps::default());
        apps.replace(claim::settle(&claims)?);
        let plugins = loaded.into_iter().map(|(config, component, claim)| {
            let (context, turns) = (context(&config, &apps, &store, &plane), Turns::new(&config.limits));
            let first = Generation::first(&config, component, claim, Arc::new(context), turns);
            (config.namespace.clone(), Arc::new(Plugin::new(config, Arc::clone(&apps), first)))
        });
        let plugins = plugins.collect();
        let (swaps, lookouts, look_again) = Default::default();
        Ok(Self { inner: Arc::new(Inner { plugins, loader, apps, swaps, lookouts, look_again }) })
    }

    /// By name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.inner.plugins.values()
    }

    /// The one of this name.
    #[must_use]
    pub fn get(&self, namespace: &Namespace) -> Option<&Arc<Plugin>> {
        self.inner.plugins.get(namespace)
    }

    /// Who admits clients of this media app.
    #[must_use]
    pub fn owner_of_app(&self, app: &str) -> Option<&Arc<Plugin>> {
        self.iter().find(|plugin| plugin.owns_app(app))
    }

    /// How many components were replaced so far: whoever keeps what a component said should ask it again
    /// when this has grown.
    #[must_use]
    pub fn swaps(&self) -> u64 {
        self.inner.swaps.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Plugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What all generations of a plugin share.
fn context(config: &PluginConfig, apps: &Arc<Apps>, store: &Store, plane: &Arc<dyn Plane>) -> Context {
    let grants = config.grants.iter().flatten();
    let readable = grants.filter_map(|grant| grant.strip_prefix(SECRET_GRANT).map(str::to_owned));
    Context {
        namespace: config.namespace.clone(),
        store: store.clone(),
        plane: Arc::clone(plane),
        apps: Arc::clone(apps),
        config: config.config.to_string(),
        secrets: config.secrets.clone(),
        readable_secrets: readable.collect(),
        spending: Spending::new(config.limits.cpu_percent_max),
        memory: SharedMemory::new(config.limits.plugin_memory_len_max),
        writes: Allowance::new(WRITES_SPAN, config.limits.writes_per_minute_max),
        log_lines: Allowance::new(LOG_SPAN, config.limits.log_lines_per_second_max),
        denial_lines: Allowance::new(DENIAL_SPAN, 1),
        limits: config.limits.clone(),
        stats: Stats::default(),
    }
}
