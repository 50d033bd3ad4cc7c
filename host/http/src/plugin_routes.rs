//! The loaded plugins as what stands behind the edge: one router for each listener.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heliu_plugin::{Descriptor, Face, Fault, Plugin, Plugins, Request, Response, Router};

use crate::dispatch::{Dispatch, Found, Personality, Place};

/// Who owns which path on which listener.
#[derive(Debug)]
pub struct PluginRoutes {
    routers: BTreeMap<SocketAddr, Router>,
}

impl PluginRoutes {
    /// For these listeners, as configured. A plugin that names none answers on all.
    #[must_use]
    pub fn new(plugins: &Plugins, listeners: &[SocketAddr]) -> Self {
        let router = |listener: &SocketAddr| {
            let name = listener.to_string();
            let bound = plugins.iter().filter(|plugin| {
                let listeners = plugin.listeners();
                listeners.is_empty() || listeners.contains(&name)
            });
            Router::new(bound)
        };
        Self { routers: listeners.iter().map(|listener| (*listener, router(listener))).collect() }
    }
}

impl Dispatch for PluginRoutes {
    fn find(&self, listener: SocketAddr, method: &str, path: &str) -> Found {
        let Some(router) = self.routers.get(&listener) else { return Found::Nobody };
        match router.find(method, path) {
            heliu_plugin::Found::Route { plugin, route, params } => {
                owned(plugin, Place::Route { id: route.to_owned(), params })
            }
            heliu_plugin::Found::MethodNotAllowed { plugin, allow } => {
                owned(plugin, Place::OtherMethods(allow.into_iter().map(str::to_owned).collect()))
            }
            heliu_plugin::Found::NoRoute { owner: Some(plugin) } => owned(plugin, Place::Nothing),
            heliu_plugin::Found::NoRoute { owner: None } => Found::Nobody,
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
