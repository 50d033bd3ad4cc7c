//! What stands behind the edge: who owns a path on a listener, and the call itself.
//!
//! Traits, so that the edge is tested against a small fake, and because it needs no more of a
//! personality than this.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use heliu_model::Address;
use heliu_plugin::{Descriptor, Face, Fault, Request, Response};

/// All personalities.
pub trait Dispatch: Send + Sync + 'static {
    /// Who owns `path` (raw, without query) on the listener configured as `listener`, and what is there.
    fn find(&self, listener: SocketAddr, method: &str, path: &str) -> Found;
}

/// One personality.
pub trait Personality: Send + Sync + 'static {
    /// What it says about itself.
    fn descriptor(&self) -> &Descriptor;

    /// How a raw path of its own looks to the outside.
    fn face(&self, path: &str) -> &Face;

    /// One call.
    fn handle_request(&self, request: Request) -> BoxFuture<'_, Result<Response, Fault>>;
}

/// Whose a path is.
pub enum Found {
    /// Nobody's: the host answers neutrally.
    Nobody,
    /// A personality's.
    Owned {
        /// It.
        owner: Arc<dyn Personality>,
        /// What is there.
        place: Place,
    },
    /// A media file of an app that a personality owns.
    Flv {
        /// It.
        owner: Arc<dyn Personality>,
        /// Which media.
        address: Address,
    },
}

/// What is at a path of its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A route that takes the method.
    Route {
        /// `Route::id` in the owner's descriptor.
        id: String,
        /// Percent-decoded values of the template's names.
        params: Vec<(String, String)>,
    },
    /// Routes that take other methods: these; `*` is any.
    OtherMethods(Vec<String>),
    /// Nothing.
    Nothing,
}
