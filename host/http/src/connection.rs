//! One listener and its connections: accept, bound, serve, end.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::{Router, middleware};
use heliu_media::bound_sending;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::patience::Patient;
use crate::places::{Place, Places};
use crate::{Config, host_header};

/// Between two tries while the system has no file for another connection.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// What a client finds, by its address and its connection's place.
pub(crate) type Routes = Arc<dyn Fn(IpAddr, Place) -> Router + Send + Sync>;

/// A bound listener.
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) config: Arc<Config>,
    /// What a client of this address finds here.
    pub(crate) routes: Routes,
    /// Shared by all listeners.
    pub(crate) places: Places,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Listener {
    /// Accepts until it is told to stop, then waits for its connections to end what they began.
    pub(crate) async fn serve(mut self) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = told_to_stop(&mut self.stop) => break,
                accepted = accept(&self.socket) => match accepted {
                    Ok((stream, peer)) => match self.places.enter(peer.ip()) {
                        Ok(place) => { connections.spawn(self.connect(place, stream, peer)); }
                        Err(crowded) => tracing::debug!(%peer, ?crowded, "connection refused"),
                    },
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept");
                        tokio::time::sleep(ACCEPT_RETRY).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.socket);
        while connections.join_next().await.is_some() {}
    }

    fn connect(&self, place: Place, stream: TcpStream, peer: SocketAddr) -> impl Future<Output = ()> + use<> {
        let routes = (self.routes)(peer.ip(), place.clone()).layer(middleware::from_fn(host_header::check));
        let config = self.config.clone();
        let mut stop = self.stop.clone();
        async move {
            let stream = Patient::new(stream, config.write_time_max);
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(config.head_time_max)
                .max_buf_size(config.head_len_max)
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
            let mut connection = std::pin::pin!(connection);
            let result = tokio::select! {
                result = connection.as_mut() => result,
                () = told_to_stop(&mut stop) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = result {
                tracing::debug!(%error, "connection ended");
            }
            drop(place);
        }
    }
}

async fn accept(socket: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = socket.accept().await?;
    bound_sending(&stream)?;
    Ok((stream, peer))
}

/// Also when whoever could tell is gone.
async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
