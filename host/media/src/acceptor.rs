//! Accepts RTMP connections, runs their handshake and commands on the edge's threads, asks for
//! admission, and hands the socket with its session to the room's worker as one [`Client`].
//!
//! Bounded by [`Doors`], and each client must decide within ten seconds. One too many is closed and
//! logged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use heliu_model::{Address, Attempt, Direction, Grant, Refusal};
use heliu_rtmp::{ServerEvent, ServerSession, StreamRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;

use crate::connections::Dismissal;
use crate::director::{Director, Order};
use crate::doors::{Doors, Entry};
use crate::net::{Stream, TlsServer, bound_sending};

const DECIDE_WITHIN: Duration = Duration::from_secs(10);
/// After an error of `accept`, usually too many open files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// A handshake and commands; strangers may hold a thousand of these.
const READ_LEN: usize = 4 << 10;

/// A granted RTMP connection on its way to its room.
pub struct Client {
    /// What was asked.
    pub attempt: Attempt,
    /// What was answered.
    pub grant: Grant,
    /// Protocol state, unread bytes included.
    pub session: ServerSession,
    /// The connection, parked.
    pub stream: Stream,
    /// Its places among all connections, and among those who do the same.
    pub places: [OwnedSemaphorePermit; 2],
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

impl Dismissed {
    fn dismissal(&self) -> Dismissal {
        match self {
            Self::Late => Dismissal::Late,
            Self::Closed => Dismissal::Closed,
            Self::Malformed(_) => Dismissal::Malformed,
            Self::Io(_) => Dismissal::Lost,
            Self::Refused(_) => Dismissal::Refused,
        }
    }
}

/// Accepts until the task is aborted. `tls`: a client shakes hands first, within its ten seconds.
pub async fn run(listener: TcpListener, tls: Option<TlsServer>, doors: Doors, director: Arc<Director>) {
    loop {
        let (socket, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let Some(Entry { place, undecided }) = doors.enter(peer.ip()) else {
            tracing::debug!(%peer, "too many connections");
            continue;
        };
        let tls = tls.clone();
        let (director, doors) = (director.clone(), doors.clone());
        tokio::spawn(async move {
            let decided = tokio::time::timeout(DECIDE_WITHIN, decide(socket, tls, peer, place, &director)).await;
            drop(undecided);
            if let Err(cause) = decided.unwrap_or(Err(Dismissed::Late)) {
                doors.note(cause.dismissal());
                // Anybody can make these: not a line each where operators look. Who refuses tells of that.
                tracing::debug!(%peer, %cause, "rtmp connection dismissed");
            }
        });
    }
}

async fn decide(
    socket: TcpStream,
    tls: Option<TlsServer>,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
    director: &Director,
) -> Result<(), Dismissed> {
    bound_sending(&socket)?;
    let mut stream = match tls {
        Some(tls) => tls.accept(socket).await?,
        None => Stream::plain(socket),
    };
    let mut session = ServerSession::new();
    let (direction, request) = read_request(&mut stream, &mut session).await?;
    let attempt = match attempt(direction, &request, peer, director.next_connection()) {
        Ok(attempt) => attempt,
        Err(refusal) => return refuse(stream, session, direction, refusal).await,
    };
    tracing::debug!(%peer, address = %attempt.address, ?direction, "rtmp connection asks");
    let among_its_like = match director.crowd.enter(direction) {
        Ok(place) => place,
        Err(refusal) => return refuse(stream, session, direction, refusal).await,
    };
    match director.admit(attempt.clone()).await {
        Ok(grant) => {
            let room = grant.room.clone();
            stream.park()?;
            let client = Client { attempt, grant, session, stream, places: [place, among_its_like] };
            director.order(&room, Order::Attach(Box::new(client))).await;
            Ok(())
        }
        Err(refusal) => refuse(stream, session, direction, refusal).await,
    }
}

async fn read_request(
    stream: &mut Stream,
    session: &mut ServerSession,
) -> Result<(Direction, StreamRequest), Dismissed> {
    let mut buffer = vec![0; READ_LEN];
    loop {
        flush(stream, session).await?;
        while let Some(event) = session.poll_event() {
            match event {
                ServerEvent::PublishRequested(request) => return Ok((Direction::Publish, request)),
                ServerEvent::PlayRequested(request) => return Ok((Direction::Play, request)),
                ServerEvent::Ended => return Err(Dismissed::Closed),
                // Nothing is published yet.
                ServerEvent::Media(_) => {}
            }
        }
        let len = stream.read(&mut buffer).await?;
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
        headers: Vec::new(),
        peer: peer.ip().to_string(),
    })
}

async fn refuse(
    mut stream: Stream,
    mut session: ServerSession,
    direction: Direction,
    refusal: Refusal,
) -> Result<(), Dismissed> {
    match (direction, refusal.status) {
        (Direction::Publish, _) => session.refuse_publish(&refusal.reason),
        (Direction::Play, 404) => session.refuse_play_not_found(&refusal.reason),
        (Direction::Play, _) => session.refuse_play(&refusal.reason),
    }
    flush(&mut stream, &mut session).await?;
    stream.shutdown().await?;
    Err(Dismissed::Refused(refusal))
}

async fn flush(stream: &mut Stream, session: &mut ServerSession) -> std::io::Result<()> {
    while let Some(bytes) = session.poll_output() {
        stream.write_all(&bytes).await?;
    }
    stream.flush().await
}
