//! One viewer of an FLV stream, seen from the edge: asks, is let in, and takes bytes until the end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use heliu_model::{Address, Attempt, Direction, Grant, Refusal};
use tokio::sync::OwnedSemaphorePermit;

use crate::director::{Director, Order};
use crate::outbox::{Outbox, Taken};

/// Who wants to view what.
#[derive(Clone, PartialEq, Eq)]
pub struct ViewRequest {
    /// Where to.
    pub address: Address,
    /// Raw query of the URL. May hold secrets: never in a log.
    pub query: Option<String>,
    /// Host name the client asked for, with port if sent.
    pub authority: Option<String>,
    /// Headers of the request, names in lower case, in order. May hold secrets: never in a log.
    pub headers: Vec<(String, String)>,
    /// Client address without port.
    pub peer: String,
}

/// Bytes of an FLV stream, endless while the publication lives. Dropping it leaves the room.
#[derive(Debug)]
pub struct Viewing {
    outbox: Arc<Outbox>,
    _place: OwnedSemaphorePermit,
}

/// The stream broke off: the viewer did not read for too long, or the room was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the viewer was cut")]
pub struct Cut;

/// A granted viewer on its way to its room.
pub struct Viewer {
    /// What was asked.
    pub attempt: Attempt,
    /// What was answered.
    pub grant: Grant,
    /// What the viewer gets.
    pub outbox: Arc<Outbox>,
}

/// Asks for admission, enters the room, waits for the first bytes.
///
/// # Errors
/// Admission's refusal, or the crowd's; 404 if nothing came as long as the grant lets wait; 503 if the room broke.
pub async fn view(director: &Director, request: ViewRequest) -> Result<Viewing, Refusal> {
    let ViewRequest { address, query, authority, headers, peer } = request;
    let id = director.next_connection();
    let attempt = Attempt { id, protocol: "flv", direction: Direction::Play, authority, address, query, headers, peer };
    let place = director.crowd.enter(Direction::Play)?;
    let grant = director.admit(attempt.clone()).await?;
    let room = grant.room.clone();
    let viewing = Viewing { outbox: Outbox::new(), _place: place };
    let viewer = Viewer { attempt, grant, outbox: viewing.outbox.clone() };
    if !director.order(&room, Order::View(Box::new(viewer))).await {
        return Err(Refusal { status: 503, reason: "the server is stopping".to_owned() });
    }
    match std::future::poll_fn(|context| viewing.outbox.poll_filled(context)).await {
        true => Ok(viewing),
        false => Err(Refusal { status: 404, reason: "no such stream".to_owned() }),
    }
}

impl Stream for Viewing {
    type Item = Result<Bytes, Cut>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.outbox.poll_take(context).map(|taken| match taken {
            Taken::Bytes(bytes) => Some(Ok(bytes)),
            Taken::End => None,
            Taken::Cut => Some(Err(Cut)),
        })
    }
}

impl Drop for Viewing {
    fn drop(&mut self) {
        self.outbox.leave();
    }
}
