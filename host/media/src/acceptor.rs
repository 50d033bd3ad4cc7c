//! Accepts RTMP connections, runs their handshake and commands on the edge's threads, asks for
//! admission, and hands the socket with its session to the room's worker as one [`Client`].
//!
//! Bounded: so many connections in all, so many of them undecided, and each must decide within ten
//! seconds. One too many is closed and logged.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heliu_model::{Address, Attempt, Direction, Grant, Refusal};
use heliu_rtmp::{ServerEvent, ServerSession, StreamRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::director::{Director, Order};

const CONNECTIONS_MAX: usize = 8_192;
const UNDECIDED_MAX: usize = 1_024;
/// Of one client address: no stranger alone closes the door.
const UNDECIDED_PER_PEER_MAX: usize = 64;
const DECIDE_WITHIN: Duration = Duration::from_secs(10);
/// After an error of `accept`, usually too many open files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
const READ_LEN: usize = 16 << 10;

/// A granted RTMP connection on its way to its room.
pub struct Client {
    /// What was asked.
    pub attempt: Attempt,
    /// What was answered.
    pub grant: Grant,
    /// Protocol state, unread bytes included.
    pub session: ServerSession,
    /// The connection.
    pub socket: std::net::TcpStream,
    /// Its place among all connections.
    pub place: OwnedSemaphorePermit,
}

/// Why a connection came to nothing.
#[derive(Debug, thiserror::Error)]
enum Dismissed {
    #[error("not decided within ten seconds")]
    Late,
    #[error("closed by the client")]
    Closed,
    #[error("malformed: {0}")]
    Malformed(#[from] heliu_rtmp::Error),
    #[error("connection lost: {0}")]
    Io(#[from] std::io::Error),
    #[error("refused: {} {}", .0.status, .0.reason)]
    Refused(Refusal),
}

/// Accepts until the task is aborted.
pub async fn run(listener: TcpListener, director: Arc<Director>) {
    let peers = Peers::default();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let undecided = Arc::new(Semaphore::new(UNDECIDED_MAX));
    loop {
        let (socket, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let permits =
            (places.clone().try_acquire_owned(), undecided.clone().try_acquire_owned(), peers.enter(peer.ip()));
        let (Ok(place), Ok(permit), Some(visit)) = permits else {
            tracing::debug!(%peer, "too many connections");
            continue;
        };
        let director = director.clone();
        tokio::spawn(async move {
            let decided = tokio::time::timeout(DECIDE_WITHIN, decide(socket, peer, place, &director)).await;
            drop((permit, visit));
            match decided.unwrap_or(Err(Dismissed::Late)) {
                Ok(()) => {}
                Err(Dismissed::Refused(refusal)) => {
                    tracing::info!(%peer, status = refusal.status, reason = %refusal.reason, "rtmp client refused");
                }
                // Anybody can make these: not a line each where operators look.
                Err(cause) => tracing::debug!(%peer, %cause, "rtmp connection dismissed"),
            }
        });
    }
}

/// Undecided connections by client address.
#[derive(Debug, Default, Clone)]
struct Peers(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// One of them; leaves when dropped.
struct Visit(Peers, IpAddr);

impl Peers {
    fn enter(&self, ip: IpAddr) -> Option<Visit> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(ip).or_default();
        if *count >= UNDECIDED_PER_PEER_MAX {
            return None;
        }
        *count += 1;
        Some(Visit(self.clone(), ip))
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut counts = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

async fn decide(
    mut socket: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
    director: &Director,
) -> Result<(), Dismissed> {
    socket.set_nodelay(true)?;
    let mut session = ServerSession::new();
    let (direction, request) = read_request(&mut socket, &mut session).await?;
    let attempt = match attempt(direction, &request, peer, director.next_connection()) {
        Ok(attempt) => attempt,
        Err(refusal) => return refuse(socket, session, direction, refusal).await,
    };
    tracing::debug!(%peer, address = %attempt.address, ?direction, "rtmp connection asks");
    match director.admit(attempt.clone()).await {
        Ok(grant) => {
            let room = grant.room.clone();
            let socket = socket.into_std()?;
            let client = Client { attempt, grant, session, socket, place };
            director.order(&room, Order::Attach(Box::new(client))).await;
            Ok(())
        }
        Err(refusal) => refuse(socket, session, direction, refusal).await,
    }
}

async fn read_request(
    socket: &mut TcpStream,
    session: &mut ServerSession,
) -> Result<(Direction, StreamRequest), Dismissed> {
    let mut buffer = vec![0; READ_LEN];
    loop {
        flush(socket, session).await?;
        while let Some(event) = session.poll_event() {
            match event {
                ServerEvent::PublishRequested(request) => return Ok((Direction::Publish, request)),
                ServerEvent::PlayRequested(request) => return Ok((Direction::Play, request)),
                ServerEvent::Ended => return Err(Dismissed::Closed),
                // Nothing is published yet.
                ServerEvent::Media(_) => {}
            }
        }
        let len = socket.read(&mut buffer).await?;
        if len == 0 {
            return Err(Dismissed::Closed);
        }
        session.handle_bytes(&buffer[..len])?;
    }
}

fn attempt(direction: Direction, request: &StreamRequest, peer: SocketAddr, id: String) -> Result<Attempt, Refusal> {
    let bad = |error: heliu_model::AddressError| Refusal { status: 400, reason: error.to_string() };
    let (address, query) = Address::from_rtmp(&request.app, &request.stream).map_err(bad)?;
    Ok(Attempt {
        id,
        protocol: "rtmp",
        direction,
        authority: request.authority(),
        address,
        query,
        peer: peer.ip().to_string(),
    })
}

async fn refuse(
    mut socket: TcpStream,
    mut session: ServerSession,
    direction: Direction,
    refusal: Refusal,
) -> Result<(), Dismissed> {
    match (direction, refusal.status) {
        (Direction::Publish, _) => session.refuse_publish(&refusal.reason),
        (Direction::Play, 404) => session.refuse_play_not_found(&refusal.reason),
        (Direction::Play, _) => session.refuse_play(&refusal.reason),
    }
    flush(&mut socket, &mut session).await?;
    socket.shutdown().await?;
    Err(Dismissed::Refused(refusal))
}

async fn flush(socket: &mut TcpStream, session: &mut ServerSession) -> std::io::Result<()> {
    while let Some(bytes) = session.poll_output() {
        socket.write_all(&bytes).await?;
    }
    Ok(())
}
