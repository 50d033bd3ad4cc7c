//! The operator's listener: what no client of a product API is to see.
//!
//! It knows no passwords. It is meant for the machine itself, so its guard keeps out what a browser on
//! that machine can be talked into: requests under a foreign name, and orders from a foreign page.
//! There is no CORS here: no other page may read an answer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::{Router, middleware};
use tokio::sync::watch;

use crate::connection::Routes;
use crate::{Config, Readiness, Server, StartError, answer, health};

mod generations;
mod guard;
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
    /// Which components serve.
    pub generations: Arc<dyn Generations>,
}

/// Listens. Needs a tokio runtime around it. [`Server::addresses`] holds one address.
///
/// # Errors
/// The address cannot be bound.
pub async fn start_admin(config: AdminConfig, sources: Sources) -> Result<Server, StartError> {
    let AdminConfig { listen, hosts } = config;
    if !listen.ip().is_loopback() {
        tracing::warn!(%listen, "the admin listener is open to other machines, and asks nobody who he is");
    }
    let bounds = Config { listen: vec![listen], connections_max: CONNECTIONS_MAX, ..Config::default() };
    let router = routes(sources, Guard::new(listen, &hosts));
    let routes: Routes = Arc::new(move |_| router.clone());
    Server::bind(&Arc::new(bounds), watch::Sender::new(false), |_| routes.clone()).await
}

/// Every page, behind the guard.
fn routes(sources: Sources, guard: Guard) -> Router {
    health::routes(sources.readiness)
        .merge(generations::routes(sources.generations))
        .fallback(async || answer::neutral(404, "not found"))
        .layer(middleware::from_fn_with_state(Arc::new(guard), guard::check))
}
