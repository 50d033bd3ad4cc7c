//! The loaded plugins as what stands behind the edge: for each listener one router, and behind its
//! routes the media files of their apps.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heliu_plugin::{Descriptor, Face, Fault, Plugin, Plugins, Request, Response, Router};

use crate::dispatch::{Dispatch, Found, Personality, Place};
use crate::media_path;

/// Who owns which path on which listener.
#[derive(Debug)]
pub struct PluginRoutes {
    routers: BTreeMap<SocketAddr, Bound>,
}

/// What is bound to one listener.
#[derive(Debug)]
struct Bound {
    router: Router,
    plugins: Vec<Arc<Plugin>>,
}

impl Bound {
    /// The media file of an app that one of them owns.
    fn flv(&self, path: &str) -> Option<Found> {
        let address = media_path::flv_address(path)?;
        let owner = self.plugins.iter().find(|plugin| plugin.owns_app(address.app()))?;
        Some(Found::Flv { owner: owner.clone(), address })
    }
}

impl PluginRoutes {
    /// For these listeners, as configured. A plugin that names none answers on all.
    #[must_use]
    pub fn new(plugins: &Plugins, listeners: &[SocketAddr]) -> Self {
        let router = |listener: &SocketAddr| {
            let name = listener.to_string();
            let plugins: Vec<Arc<Plugin>> = plugins
                .iter()
                .filter(|plugin| {
                    let listeners = plugin.listeners();
                    listeners.is_empty() || listeners.contains(&name)
                })
                .cloned()
                .collect();
            Bound { router: Router::new(&plugins), plugins }
        };
        Self { routers: listeners.iter().map(|listener| (*listener, router(listener))).collect() }
    }
}

impl Dispatch for PluginRoutes {
    fn find(&self, listener: SocketAddr, method: &str, path: &str) -> Found {
        let Some(bound) = self.routers.get(&listener) else { return Found::Nobody };
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

fn owned(plugin: &Arc<Plugin>, place: Place) -> Found {
    Found::Owned { owner: plugin.clone(), place }
}

impl Personality for Plugin {
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
