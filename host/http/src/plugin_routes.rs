//! The loaded plugins as what stands behind the edge: for each listener one router, made anew when a
//! component was replaced, and behind its routes the media files of their apps.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heliu_plugin::{Descriptor, Face, Fault, Generation, Plugin, Plugins, Request, Response, Router};

use crate::dispatch::{Dispatch, Found, Personality, Place};
use crate::media_path;

/// Who owns which path on which listener.
#[derive(Debug)]
pub struct PluginRoutes {
    plugins: Plugins,
    listeners: Vec<SocketAddr>,
    served: RwLock<Arc<Served>>,
}

/// What serves at one moment.
#[derive(Debug)]
struct Served {
    /// [`Plugins::swaps`] before it was asked.
    swaps: u64,
    by_listener: BTreeMap<SocketAddr, Bound>,
}

/// What is bound to one listener.
#[derive(Debug)]
struct Bound {
    router: Router,
    plugins: Vec<Arc<Plugin>>,
}

impl Bound {
    /// Of the generations that serve.
    fn new(plugins: Vec<Arc<Plugin>>) -> Self {
        let generations: Vec<_> = plugins.iter().map(|plugin| plugin.generation()).collect();
        Self { router: Router::new(&generations), plugins }
    }

    /// The media file of an app that one of them owns.
    fn flv(&self, path: &str) -> Option<Found> {
        let address = media_path::flv_address(path)?;
        let owner = self.plugins.iter().find(|plugin| plugin.owns_app(address.app()))?;
        Some(Found::Flv { owner: owner.generation(), address })
    }
}

impl Served {
    fn new(plugins: &Plugins, listeners: &[SocketAddr]) -> Self {
        // Before the generations: one that comes in between is seen the next time.
        let swaps = plugins.swaps();
        let bound = |listener: &SocketAddr| {
            let name = listener.to_string();
            let is_bound = |listeners: &[String]| listeners.is_empty() || listeners.contains(&name);
            Bound::new(plugins.iter().filter(|plugin| is_bound(plugin.listeners())).cloned().collect())
        };
        Self { swaps, by_listener: listeners.iter().map(|listener| (*listener, bound(listener))).collect() }
    }
}

impl PluginRoutes {
    /// For these listeners, as configured. A plugin that names none answers on all.
    #[must_use]
    pub fn new(plugins: &Plugins, listeners: &[SocketAddr]) -> Self {
        let served = RwLock::new(Arc::new(Served::new(plugins, listeners)));
        Self { plugins: plugins.clone(), listeners: listeners.to_vec(), served }
    }

    fn served(&self) -> Arc<Served> {
        let known = Arc::clone(&self.served.read().unwrap_or_else(PoisonError::into_inner));
        if known.swaps == self.plugins.swaps() {
            return known;
        }
        let made = Arc::new(Served::new(&self.plugins, &self.listeners));
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&made);
        made
    }
}

impl Dispatch for PluginRoutes {
    fn find(&self, listener: SocketAddr, method: &str, path: &str) -> Found {
        let served = self.served();
        let Some(bound) = served.by_listener.get(&listener) else { return Found::Nobody };
        match bound.router.find(method, path) {
            heliu_plugin::Found::Route { plugin, route, params } => {
                owned(plugin, Place::Route { id: route.to_owned(), params })
            }
            heliu_plugin::Found::MethodNotAllowed { plugin, allow } => {
                owned(plugin, Place::OtherMethods(allow.into_iter().map(str::to_owned).collect()))
            }
            heliu_plugin::Found::NoRoute { owner } => bound.flv(path).unwrap_or_else(|| match owner {
                Some(plugin) => owned(plugin, Place::Nothing),
                None => Found::Nobody,
            }),
        }
    }
}

fn owned(plugin: &Arc<Generation>, place: Place) -> Found {
    Found::Owned { owner: plugin.clone(), place }
}

impl Personality for Generation {
    fn descriptor(&self) -> &Descriptor {
        self.descriptor()
    }

    fn face(&self, path: &str) -> &Face {
        self.face(path)
    }

    fn handle_request(&self, request: Request) -> BoxFuture<'_, Result<Response, Fault>> {
        self.handle_request(request).boxed()
    }
}
