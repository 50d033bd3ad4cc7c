//! One listener and its connections: accept, bound, serve, end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::routing::{any, get};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::exchange::{Client, Edge};
use crate::patience::Patient;

/// Between two tries while the system has no file for another connection.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// A bound listener.
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    /// As configured.
    pub(crate) name: SocketAddr,
    pub(crate) edge: Arc<Edge>,
    /// Shared by all listeners; one permit per connection.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Listener {
    /// Accepts until it is told to stop, then waits for its connections to end what they began.
    pub(crate) async fn serve(mut self) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = told_to_stop(&mut self.stop) => break,
                accepted = accept(&self.socket, &self.places) => match accepted {
                    Ok((place, stream, peer)) => { connections.spawn(self.connect(place, stream, peer)); }
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

    fn connect(
        &self,
        place: OwnedSemaphorePermit,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> impl Future<Output = ()> + use<> {
        let client = Client { edge: self.edge.clone(), listener: self.name, peer: peer.ip() };
        let mut stop = self.stop.clone();
        async move {
            let stream = Patient::new(stream, client.edge.config.write_time_max);
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(client.edge.config.head_time_max)
                .max_buf_size(client.edge.config.head_len_max)
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes(client)));
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

/// A place first: while there is none, those who come wait in the kernel's queue.
async fn accept(
    socket: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = socket.accept().await?;
    // Answers are written whole; waiting for more of them only delays.
    stream.set_nodelay(true)?;
    Ok((place, stream, peer))
}

/// Also when whoever could tell is gone.
async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn routes(client: Client) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .fallback(any(to_plugins))
        .with_state(client)
}

/// The process answers.
async fn healthz() -> &'static str {
    "ok\n"
}

/// All parts are started and none is stopping.
async fn readyz(State(client): State<Client>) -> (StatusCode, &'static str) {
    match client.edge.readiness.is_ready() {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

async fn to_plugins(State(client): State<Client>, request: Request) -> axum::response::Response {
    client.answer(request).await
}
