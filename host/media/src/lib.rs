//! The media plane: workers that own rooms and sockets, and the endpoints in those rooms.
//!
//! Knows rooms, tracks and codecs, and nothing of plugins: who may come in is asked of [`Admit`], what
//! shall run is said by [`heliu_model::Command`] through a [`Handle`], what runs is in its [`Handle::status`].

mod acceptor;
mod admit;
mod backlog;
mod clock;
mod config;
mod connections;
mod crowd;
mod director;
mod doors;
mod endpoint;
mod flows;
mod handle;
mod jobs;
mod negotiation;
mod negotiator;
mod net;
mod outbox;
mod own_names;
mod peers;
mod placement;
mod queue;
mod room_shell;
mod rtc;
mod sessions;
mod sources;
mod udp;
mod viewing;
mod worker;

pub use admit::Admit;
pub use config::{Config, Rtmps, WebRtc};
pub use connections::Connections;
pub use doors::CONNECTIONS_MAX;
pub use handle::{CodecEffort, Handle, Media, StartError};
pub use negotiation::{Negotiated, NegotiationError, OfferRequest, SessionId, Trickle, Trickled};
pub use net::{Certificate, CertificateError, bound_sending};
pub use own_names::OwnNames;
pub use peers::{Peers, Visit};
pub use sources::Source;
pub use viewing::{Cut, ViewRequest, Viewing};
