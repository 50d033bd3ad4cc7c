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
use crate::code_cache::CacheStats;
use crate::config::PluginConfig;
use crate::content_hash::ContentHash;
use crate::context::{Allowance, Context};
use crate::generation::Generation;
use crate::load::{LoadError, Loaded, Loader, SECRET_GRANT};
use crate::memory::SharedMemory;
use crate::meter::Spending;
use crate::plane::Plane;
use crate::plugin::{Plugin, Standing};
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
            loaded.push(Candidate::load(&loader, config).await?);
        }
        let claims: Vec<&Claim> = loaded.iter().map(|candidate| &candidate.claim).collect();
        let apps = Arc::new(Apps::default());
        apps.replace(claim::settle(&claims)?);
        let mut lookouts = Lookouts::default();
        for candidate in &loaded {
            candidate.remember(&loader, &mut lookouts).await;
        }
        let plugins = loaded.into_iter().map(|Candidate { config, loaded, claim, pinned_against, .. }| {
            let (context, turns) = (context(&config, &apps, &store, &plane), Turns::new(&config.limits));
            let first = Generation::first(&config, loaded, claim, Arc::new(context), turns);
            let plugin = Plugin::new(config, Arc::clone(&apps), first);
            if pinned_against.is_some() {
                plugin.set_standing(Standing::RolledBack);
            }
            (plugin.namespace().clone(), Arc::new(plugin))
        });
        let (plugins, lookouts) = (plugins.collect(), Mutex::new(lookouts));
        let (swaps, look_again) = Default::default();
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

    /// What the cache of compiled code was good for so far; `None`: there is none.
    #[must_use]
    pub fn cache_stats(&self) -> Option<CacheStats> {
        self.inner.loader.workshop().cache_stats()
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

/// One that loaded, before it is known to get on with the others.
struct Candidate {
    config: PluginConfig,
    source: Source,
    /// The operator went back from this one, which lies in the file.
    pinned_against: Option<ContentHash>,
    loaded: Loaded,
    claim: Claim,
}

impl Candidate {
    /// What lies in the file, or what the operator went back to.
    async fn load(loader: &Loader, config: PluginConfig) -> Result<Self, LoadError> {
        let file = Source::read(&config).await?;
        if let Some(older) = loader.workshop().instead_of(&config.namespace, file.hash).await {
            match loader.load(&config, &older).await {
                Ok(loaded) => return Self::new(config, older, Some(file.hash), loaded),
                Err(error) => {
                    let plugin = &config.namespace;
                    tracing::error!(%plugin, %error, "the component that was gone back to is no more taken");
                }
            }
        }
        let loaded = loader.load(&config, &file).await?;
        Self::new(config, file, None, loaded)
    }

    fn new(
        config: PluginConfig,
        source: Source,
        pinned_against: Option<ContentHash>,
        loaded: Loaded,
    ) -> Result<Self, LoadError> {
        let claim = Claim::new(&config, &loaded)?;
        Ok(Self { config, source, pinned_against, loaded, claim })
    }

    async fn remember(&self, loader: &Loader, lookouts: &mut Lookouts) {
        let plugin = &self.config.namespace;
        match self.pinned_against {
            Some(_) => lookouts.entry(plugin.clone()).or_default().pin_against(self.pinned_against),
            None => loader.workshop().served(plugin, &self.source).await,
        }
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
