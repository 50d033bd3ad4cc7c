//! The media plane as WHIP and WHEP need it: an offer becomes a session, which has a life of its own.
//!
//! A trait, so that the edge is tested against a small fake.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heliu_media::{Handle, Negotiated, NegotiationError, OfferRequest, SessionId, Trickle, Trickled};

/// Makes sessions of offers, and keeps them.
pub trait Negotiate: Send + Sync + 'static {
    /// Asks admission, and answers. May wait for a publication as long as admission lets.
    fn offer(&self, request: OfferRequest) -> BoxFuture<'static, Result<Negotiated, NegotiationError>>;

    /// Hands a session what its client says about ICE.
    fn trickle(&self, session: SessionId, trickle: Trickle) -> BoxFuture<'static, Result<Trickled, NegotiationError>>;

    /// Ends a session. The second time it is not found.
    fn end(&self, session: SessionId) -> BoxFuture<'static, Result<(), NegotiationError>>;
}

impl Negotiate for Handle {
    fn offer(&self, request: OfferRequest) -> BoxFuture<'static, Result<Negotiated, NegotiationError>> {
        let handle = self.clone();
        async move { handle.negotiate(request).await }.boxed()
    }

    fn trickle(&self, session: SessionId, trickle: Trickle) -> BoxFuture<'static, Result<Trickled, NegotiationError>> {
        let handle = self.clone();
        async move { handle.trickle(session, trickle).await }.boxed()
    }

    fn end(&self, session: SessionId) -> BoxFuture<'static, Result<(), NegotiationError>> {
        let handle = self.clone();
        async move { handle.end_session(session).await }.boxed()
    }
}
