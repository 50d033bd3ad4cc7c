//! The operator's listener: what no client of a product API is to see.
//!
//! It knows no passwords. It is meant for the machine itself, so its guard keeps out what a browser on
//! that machine can be talked into: requests under a foreign name, and orders from a foreign page.
//! There is no CORS here: no other page may read an answer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::{Router, middleware};
use heliu_control::{Door, Insight};
use heliu_media::Handle;
use heliu_plugin::Plugins;
use heliu_store::Store;
use tokio::sync::watch;

use crate::connection::Routes;
use crate::{Config, Readiness, Server, StartError, Stats, answer, health};

mod explain;
mod exposition;
mod generations;
mod guard;
mod metrics;
mod process;
#[cfg(test)]
mod tests;

pub use generations::Generations;
use guard::Guard;

/// Connections at one time, beside those of the other listeners, so that a crowd there keeps no
/// operator out.
const CONNECTIONS_MAX: usize = 64;

/// Where operators connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminConfig {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Names and addresses, without port, by which clients may call it beside the loopback ones and
    /// `listen`.
    pub hosts: Vec<String>,
}

/// What the pages are made of. Cheap to clone.
#[derive(Clone)]
pub struct Sources {
    /// For `/readyz`.
    pub readiness: Readiness,
    /// What the public listeners answered.
    pub http: Stats,
    /// Which components serve, and their calls.
    pub plugins: Plugins,
    /// Rooms, connections, codecs.
    pub media: Handle,
    /// Who was let in.
    pub door: Door,
    /// Wishes, answers, letters.
    pub insight: Insight,
    /// Commits.
    pub store: Store,
}

/// Listens. Needs a tokio runtime around it. [`Server::addresses`] holds one address.
///
/// # Errors
/// The address cannot be bound.
pub async fn start_admin(config: AdminConfig, sources: Sources) -> Result<Server, StartError> {
    let pages = health::routes(sources.readiness.clone())
        .merge(explain::routes(sources.insight.clone()))
        .merge(generations::routes(Arc::new(sources.plugins.clone())))
        .merge(metrics::routes(sources));
    serve(config, pages).await
}

async fn serve(config: AdminConfig, pages: Router) -> Result<Server, StartError> {
    let AdminConfig { listen, hosts } = config;
    if !listen.ip().is_loopback() {
        tracing::warn!(%listen, "the admin listener is open to other machines, and asks nobody who he is");
    }
    let (connections_max, connections_per_peer_max) = (CONNECTIONS_MAX, CONNECTIONS_MAX);
    let bounds = Config { listen: vec![listen], connections_max, connections_per_peer_max, ..Config::default() };
    let router = guarded(pages, Guard::new(listen, &hosts));
    let routes: Routes = Arc::new(move |_, _| router.clone());
    Server::bind(&Arc::new(bounds), watch::Sender::new(false), Stats::default(), |_| routes.clone()).await
}

fn guarded(pages: Router, guard: Guard) -> Router {
    pages
        .fallback(async || answer::neutral(404, "not found"))
        .layer(middleware::from_fn_with_state(Arc::new(guard), guard::check))
}
