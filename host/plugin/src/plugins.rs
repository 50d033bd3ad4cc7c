//! All personalities of one host, and what they must agree about: names, apps and routes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use heliu_model::Namespace;
use heliu_store::Store;

use crate::apps::{self, Apps};
use crate::config::PluginConfig;
use crate::context::{Allowance, Context};
use crate::describe::check_apps;
use crate::descriptor::Route;
use crate::engine;
use crate::imports;
use crate::load::{self, LoadError, Loaded, SECRET_GRANT};
use crate::memory::SharedMemory;
use crate::meter::Spending;
use crate::plane::Plane;
use crate::plugin::Plugin;
use crate::run::Runner;
use crate::stats::Stats;
use crate::template::Template;
use crate::turns::Turns;
use crate::workshop::Workshop;

const DENIAL_SPAN: Duration = Duration::from_secs(60);
const WRITES_SPAN: Duration = Duration::from_secs(60);
const LOG_SPAN: Duration = Duration::from_secs(1);

/// All loaded personalities.
#[derive(Debug)]
pub struct Plugins {
    plugins: BTreeMap<Namespace, Arc<Plugin>>,
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
        let engine = engine::start(configs.iter().map(|config| &config.limits))
            .map_err(|error| LoadError::Engine(format!("{error:#}")))?;
        let linker = imports::linker(&engine).map_err(|error| LoadError::Engine(format!("{error:#}")))?;
        let mut names = BTreeSet::new();
        if let Some(twice) = configs.iter().find(|config| !names.insert(&config.namespace)) {
            return Err(LoadError::NameTwice { plugin: twice.namespace.clone() });
        }
        let mut loaded = Vec::with_capacity(configs.len());
        for config in configs {
            loaded.push(Candidate::new(load::load(&engine, &linker, &workshop, config).await?)?);
        }
        let owners = owners(&loaded)?;
        check_routes(&loaded)?;
        check_apps_and_routes(&owners, &loaded)?;
        let named: Arc<BTreeSet<String>> = Arc::new(owners.into_keys().filter(|app| apps::is_named(app)).collect());
        let plugins = loaded.into_iter().map(|candidate| {
            let plugin = candidate.into_plugin(&named, &store, &plane);
            (plugin.namespace().clone(), Arc::new(plugin))
        });
        Ok(Self { plugins: plugins.collect() })
    }

    /// By name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.plugins.values()
    }

    /// The one of this name.
    #[must_use]
    pub fn get(&self, namespace: &Namespace) -> Option<&Arc<Plugin>> {
        self.plugins.get(namespace)
    }

    /// Who admits clients of this media app.
    #[must_use]
    pub fn owner_of_app(&self, app: &str) -> Option<&Arc<Plugin>> {
        self.iter().find(|plugin| plugin.owns_app(app))
    }
}

/// One that loaded, before it is known to get on with the others.
struct Candidate {
    loaded: Loaded,
    apps: Vec<String>,
    base: String,
}

impl Candidate {
    fn new(loaded: Loaded) -> Result<Self, LoadError> {
        let plugin = &loaded.config.namespace;
        let base = loaded.config.base.trim_end_matches('/').to_owned();
        let is_base = Template::parse(&loaded.config.base).is_ok_and(|template| template.names().next().is_none());
        if !is_base {
            return Err(LoadError::Base { plugin: plugin.clone() });
        }
        let apps = match &loaded.config.apps {
            Some(apps) => apps.clone(),
            None => loaded.descriptor.apps.clone(),
        };
        check_apps(&apps).map_err(|cause| LoadError::Descriptor { plugin: plugin.clone(), cause })?;
        if !apps.is_empty() && !loaded.exports.exported().admission {
            return Err(LoadError::CannotAdmit { plugin: plugin.clone() });
        }
        Ok(Self { loaded, apps, base })
    }

    fn namespace(&self) -> &Namespace {
        &self.loaded.config.namespace
    }

    fn shares_a_listener(&self, other: &Self) -> bool {
        let [own, others] = [self, other].map(|candidate| &candidate.loaded.config.http);
        own.is_empty() || others.is_empty() || own.iter().any(|listener| others.contains(listener))
    }

    /// Its routes with their path on the listener.
    fn routes(&self) -> impl Iterator<Item = (&Route, Template)> {
        let at_base = |template: &Template| Template::parse(&format!("{}{template}", self.base));
        self.loaded.descriptor.routes.iter().filter_map(move |route| Some((route, at_base(&route.template).ok()?)))
    }

    fn into_plugin(self, named: &Arc<BTreeSet<String>>, store: &Store, plane: &Arc<dyn Plane>) -> Plugin {
        let Loaded { config, linked, exports, descriptor } = self.loaded;
        let grants = config.grants.unwrap_or_default();
        let readable = grants.iter().filter_map(|grant| grant.strip_prefix(SECRET_GRANT).map(str::to_owned));
        let turns = Turns::new(&config.limits);
        let context = Context {
            namespace: config.namespace,
            store: store.clone(),
            plane: Arc::clone(plane),
            apps: Apps::new(&self.apps, Arc::clone(named)),
            config: config.config.to_string(),
            secrets: config.secrets,
            readable_secrets: readable.collect(),
            spending: Spending::new(config.limits.cpu_percent_max),
            memory: SharedMemory::new(config.limits.plugin_memory_len_max),
            writes: Allowance::new(WRITES_SPAN, config.limits.writes_per_minute_max),
            log_lines: Allowance::new(LOG_SPAN, config.limits.log_lines_per_second_max),
            denial_lines: Allowance::new(DENIAL_SPAN, 1),
            limits: config.limits,
            stats: Stats::default(),
        };
        let runner = Runner::new(Arc::new(context), turns, linked, exports);
        Plugin::new(descriptor, config.http, self.base, runner)
    }
}

/// Each app with its owner.
fn owners(candidates: &[Candidate]) -> Result<BTreeMap<String, Namespace>, LoadError> {
    let mut owners: BTreeMap<String, Namespace> = BTreeMap::new();
    for candidate in candidates {
        for app in &candidate.apps {
            let second = candidate.namespace();
            match owners.insert(app.clone(), second.clone()) {
                Some(first) if first != *second => {
                    return Err(LoadError::AppTwice { app: app.clone(), first, second: second.clone() });
                }
                Some(_) | None => {}
            }
        }
    }
    Ok(owners)
}

fn check_routes(candidates: &[Candidate]) -> Result<(), LoadError> {
    for (at, first) in candidates.iter().enumerate() {
        for second in candidates[at + 1..].iter().filter(|second| first.shares_a_listener(second)) {
            for (route, template) in first.routes() {
                let is_twin = |(other, at): &(&Route, Template)| {
                    let meets = other.method == route.method || other.method == "*" || route.method == "*";
                    meets && at.is_same_shape(&template)
                };
                if second.routes().any(|other| is_twin(&other)) {
                    return Err(LoadError::RouteTwice {
                        route: format!("{} {template}", route.method),
                        first: first.namespace().clone(),
                        second: second.namespace().clone(),
                    });
                }
            }
        }
    }
    Ok(())
}

fn check_apps_and_routes(owners: &BTreeMap<String, Namespace>, candidates: &[Candidate]) -> Result<(), LoadError> {
    for candidate in candidates {
        for (route, template) in candidate.routes() {
            let Some(first) = template.literals().next() else { continue };
            if let Some(owner) = owners.get(first) {
                return Err(LoadError::AppHidesRoute {
                    app: first.to_owned(),
                    owner: owner.clone(),
                    route: format!("{} {template}", route.method),
                    plugin: candidate.namespace().clone(),
                });
            }
        }
    }
    Ok(())
}
