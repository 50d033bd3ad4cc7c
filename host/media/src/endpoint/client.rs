//! An RTMP client in its room: lets it in, then carries bytes between its socket and its endpoint.

use std::rc::Rc;
use std::time::{Duration, Instant};

use heliu_model::{Direction, EndpointId, LeaveReason};
use heliu_room::{AcceptedAudio, Accepts, Error, Offer, Patience, View, Wish};
use heliu_rtmp::ServerSession;
use tokio::io::{AsyncReadExt, ReadHalf};

use crate::acceptor::Client;
use crate::endpoint::{Endpoint, Player, Publisher};
use crate::net::Stream;
use crate::queue::SendQueue;
use crate::worker::{RoomCell, Worker};

/// One read of a publisher; an access unit of 2.5 Mbit/s and 25 pictures a second is 12 KiB.
const PUBLISHER_READ_LEN: usize = 64 << 10;
/// One read of a player, who sends acknowledgements.
const PLAYER_READ_LEN: usize = 1 << 10;
/// A publisher that sends no byte for so long is gone.
const PUBLISHER_SILENT_MAX: Duration = Duration::from_secs(20);
/// What is queued for a connection that is over may take so long.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What the reader does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// More bytes.
    Read,
    /// The connection is over.
    Close(LeaveReason),
}

/// Lets a granted client into its room.
pub fn attach_client(worker: &Rc<Worker>, client: Client) {
    let mut stream = client.stream;
    if let Err(error) = stream.resume() {
        tracing::warn!(%error, "cannot take over a connection");
        return;
    }
    let room = worker.room(&client.grant.room);
    let id = worker.next_endpoint();
    let queue = Rc::new(SendQueue::new());
    let until = client.grant.time_max.map(|span| Instant::now() + span);
    let direction = client.attempt.direction;
    let (grant, attempt, session) = (client.grant, client.attempt, client.session);
    let (address, protocol) = (attempt.address.clone(), attempt.protocol);
    let let_in = room.turn(|shell| match direction {
        Direction::Publish => {
            let offer = Offer {
                endpoint: id,
                publication: grant.publication.clone(),
                participant: Some(grant.participant.clone()),
                address: Some(address.clone()),
                protocol,
                audio: grant.audio,
                video: grant.video,
                peer: Some(attempt.peer.clone()),
                takeover: grant.takeover,
            };
            let publisher = Publisher::new(session, queue.clone(), grant.publication, grant.bitrate_kbps_max, until);
            match shell.publish(offer, Endpoint::Publisher(Box::new(publisher))) {
                Ok(()) => {
                    if let Some(Endpoint::Publisher(publisher)) = shell.endpoint(id) {
                        publisher.accept();
                    }
                    Ok(())
                }
                Err((error, endpoint)) => Err((error, endpoint)),
            }
        }
        Direction::Play => {
            let wish = Wish {
                endpoint: id,
                publication: grant.publication,
                audio: grant.audio,
                video: grant.video,
                accepts: Accepts { audio: AcceptedAudio::Aac, ..Accepts::default() },
                is_sound_early: false,
                wait: patience(grant.wait),
                hold: patience(grant.hold),
                is_viewer: true,
                view: View::Frames,
            };
            let player = Player::new(session, queue.clone(), address.clone(), until);
            shell.play(wish, Endpoint::Player(Box::new(player)))
        }
    });
    match let_in {
        Some(Ok(())) => tracing::debug!(room = %room.id(), endpoint = %id, %address, ?direction, "client in"),
        Some(Err((error, endpoint))) => {
            tracing::info!(room = %room.id(), %address, cause = %error, "client refused by the room");
            refuse(endpoint, error);
        }
        None => queue.cut(),
    }
    tokio::task::spawn_local(async move {
        serve(room.clone(), id, direction, stream, queue).await;
        tracing::debug!(room = %room.id(), endpoint = %id, %address, ?direction, "client out");
        drop(client.places);
    });
}

fn refuse(endpoint: Endpoint, error: Error) {
    match (endpoint, error) {
        (Endpoint::Publisher(publisher), error) => publisher.refuse(&error.to_string()),
        (endpoint, Error::NotFound) => endpoint.not_found(),
        (endpoint, Error::Taken | Error::Full(_)) => endpoint.end(LeaveReason::Closed),
    }
}

/// A grant's span; none means not at all.
pub fn patience(span: Duration) -> Patience {
    if span.is_zero() { Patience::No } else { Patience::For(span) }
}

async fn serve(room: Rc<RoomCell>, id: EndpointId, direction: Direction, stream: Stream, queue: Rc<SendQueue>) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let reason = tokio::select! {
        reason = read(&room, id, direction, &mut reader) => reason,
        _ = queue.write_to(&mut writer) => LeaveReason::Lost,
    };
    room.turn(|shell| shell.remove(id, reason));
    queue.finish();
    let _ = tokio::time::timeout(LAST_WORDS, queue.write_to(&mut writer)).await;
}

async fn read(room: &Rc<RoomCell>, id: EndpointId, direction: Direction, reader: &mut ReadHalf<Stream>) -> LeaveReason {
    let (read_len, silent_max) = match direction {
        Direction::Publish => (PUBLISHER_READ_LEN, PUBLISHER_SILENT_MAX),
        // A player has nothing to say.
        Direction::Play => (PLAYER_READ_LEN, Duration::MAX),
    };
    let mut buffer = vec![0; read_len];
    // Before the first byte: the session may hold unread ones.
    let mut len = 0;
    loop {
        match room.turn(|shell| shell.handle_client(id, &buffer[..len])) {
            Some(Next::Read) => {}
            Some(Next::Close(reason)) => return reason,
            None => return LeaveReason::Closed,
        }
        len = match tokio::time::timeout(silent_max, reader.read(&mut buffer)).await {
            Ok(Ok(len)) if len > 0 => len,
            Ok(_) | Err(_) => return LeaveReason::Lost,
        };
    }
}

/// Queues what a session wants to say.
pub fn flush(session: &mut ServerSession, queue: &SendQueue) {
    while let Some(bytes) = session.poll_output() {
        queue.push_control(bytes);
    }
}
