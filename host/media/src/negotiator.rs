//! From an offer to a session: asks for admission on the edge, hands the offer to the worker of its room,
//! and finds the session again for what its client says later.

use heliu_model::{Attempt, Grant};
use heliu_rtc::sdp::{Fragment, Offer, OfferError};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::director::{Director, Order};
use crate::negotiation::{Negotiated, NegotiationError, OfferRequest, SessionId, Trickle, Trickled};

/// A granted offer on its way to its room.
pub struct Negotiating {
    /// What was asked.
    pub attempt: Attempt,
    /// What was answered.
    pub grant: Grant,
    /// What the client can.
    pub offer: Offer,
    /// By which the session is found.
    pub session: SessionId,
    /// Its place among all who publish or play.
    pub place: OwnedSemaphorePermit,
    /// Waits for the answer.
    pub answer: oneshot::Sender<Result<Negotiated, NegotiationError>>,
}

/// Something for a session, sent to every worker; the one that has it answers.
#[derive(Clone)]
pub struct Calling {
    /// Which.
    pub session: SessionId,
    /// What of it.
    pub ask: Ask,
    /// Closed without an answer: nobody has it.
    pub answer: mpsc::Sender<Result<Trickled, NegotiationError>>,
}

/// What a session is asked.
#[derive(Clone)]
pub enum Ask {
    /// To end.
    End,
    /// To go on under what the client says.
    Trickle {
        /// As in [`Trickle`].
        etag: Option<String>,
        /// Read already.
        fragment: Fragment,
    },
}

/// Turns an offer into a session.
///
/// # Errors
/// The offer, admission or the room refuses.
pub async fn negotiate(director: &Director, request: OfferRequest) -> Result<Negotiated, NegotiationError> {
    let OfferRequest { direction, protocol, address, query, authority, peer, headers, sdp } = request;
    let offer = Offer::parse(&sdp)?;
    let id = director.next_connection();
    let attempt = Attempt { id, protocol, direction, authority, address, query, headers, peer };
    let place = director.crowd.enter(direction).map_err(NegotiationError::Refused)?;
    let grant = director.admit(attempt.clone()).await.map_err(NegotiationError::Refused)?;
    let room = grant.room.clone();
    let (answer, answered) = oneshot::channel();
    let negotiating = Negotiating { attempt, grant, offer, session: SessionId::random(), place, answer };
    director.order(&room, Order::Negotiate(Box::new(negotiating))).await;
    answered.await.unwrap_or(Err(NegotiationError::Unavailable))
}

/// Tells a session what its client has to say.
///
/// # Errors
/// The fragment is none, the session is gone or has moved on.
pub async fn trickle(director: &Director, session: SessionId, trickle: Trickle) -> Result<Trickled, NegotiationError> {
    let fragment = Fragment::parse(&trickle.fragment)?;
    call(director, session, Ask::Trickle { etag: trickle.etag, fragment }).await
}

/// Ends a session.
///
/// # Errors
/// There is none.
pub async fn end(director: &Director, session: SessionId) -> Result<(), NegotiationError> {
    call(director, session, Ask::End).await.map(|_| ())
}

async fn call(director: &Director, session: SessionId, ask: Ask) -> Result<Trickled, NegotiationError> {
    let (answer, mut answered) = mpsc::channel(1);
    director.order_all(|| Order::Call(Calling { session, ask: ask.clone(), answer: answer.clone() })).await;
    drop(answer);
    answered.recv().await.unwrap_or(Err(NegotiationError::NotFound))
}

impl From<OfferError> for NegotiationError {
    fn from(error: OfferError) -> Self {
        if error.is_garbage() { Self::Garbage(error.to_string()) } else { Self::Unmet(error.to_string()) }
    }
}
