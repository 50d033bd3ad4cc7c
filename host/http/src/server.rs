//! All listeners together: bound at once, stopped at once.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::connection::{Listener, Routes};
use crate::exchange::{Client, Edge};
use crate::negotiate::Negotiate;
use crate::places::Places;
use crate::play::Play;
use crate::request_id::RequestIds;
use crate::{Config, Dispatch, Readiness, Stats};

/// Why nobody listens.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or the address is not this machine's.
    #[error("cannot listen on http://{listen}: {reason}")]
    Listen {
        /// As configured.
        listen: SocketAddr,
        /// The system's words.
        reason: io::Error,
    },
}

/// The edge while it runs.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
}

impl Server {
    /// Listens on all addresses, or on none, and counts in `stats`. Without `sessions` there is no WebRTC.
    /// Needs a tokio runtime around it.
    ///
    /// # Errors
    /// One address cannot be bound.
    pub async fn start(
        config: Config,
        dispatch: Arc<dyn Dispatch>,
        media: Arc<dyn Play>,
        sessions: Option<Arc<dyn Negotiate>>,
        readiness: Readiness,
        stats: Stats,
    ) -> Result<Self, StartError> {
        let config = Arc::new(config);
        let edge = Edge {
            config: config.clone(),
            dispatch,
            media,
            sessions,
            readiness,
            request_ids: RequestIds::new(),
            stats: stats.clone(),
        };
        let edge = Arc::new(edge);
        let (stop, stopped) = watch::channel(false);
        let routes = |listener| -> Routes {
            let (edge, stopped) = (edge.clone(), stopped.clone());
            Arc::new(move |peer, place| {
                Client { edge: edge.clone(), listener, peer, place, stop: stopped.clone() }.routes()
            })
        };
        Self::bind(&config, stop, stats, routes).await
    }

    /// Listens on all addresses, or on none, until `stop` says so; `routes` says what is found on one, as
    /// configured.
    pub(crate) async fn bind(
        config: &Arc<Config>,
        stop: watch::Sender<bool>,
        stats: Stats,
        routes: impl Fn(SocketAddr) -> Routes,
    ) -> Result<Self, StartError> {
        let mut sockets = Vec::new();
        for listen in config.listen.clone() {
            let socket = TcpListener::bind(listen).await.map_err(|reason| StartError::Listen { listen, reason })?;
            let address = socket.local_addr().map_err(|reason| StartError::Listen { listen, reason })?;
            sockets.push((listen, address, socket));
        }
        let stopped = stop.subscribe();
        let places = Places::new(config, stats);
        let addresses = sockets.iter().map(|(_, address, _)| *address).collect();
        let mut listeners = JoinSet::new();
        for (name, _, socket) in sockets {
            let (config, places, stop) = (config.clone(), places.clone(), stopped.clone());
            listeners.spawn(Listener { socket, config, routes: routes(name), places, stop }.serve());
        }
        Ok(Self { addresses, stop, listeners })
    }

    /// Where it listens, in the order of the configuration; ports are real.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Accepts nobody else, lets answers that began end, and cuts what is left after `at_most`.
    pub async fn stop(mut self, at_most: Duration) {
        self.stop.send_replace(true);
        let ended = async { while self.listeners.join_next().await.is_some() {} };
        if tokio::time::timeout(at_most, ended).await.is_err() {
            tracing::warn!("connections were cut at the end of the stop");
        }
    }
}
