//! A room: what its endpoints offer, and which frames of that reach which other endpoint.
//!
//! A plain value. Times are arguments, frames are handed out through a closure, what the shell must
//! do next is polled. It knows endpoints by number and nothing of sockets, protocols or codecs: where a
//! receiver needs a track in another form, it asks for a [`Rendition`] and hands on what is made.

mod accepts;
mod gop;
mod gop_budget;
mod meter;
mod packets;
mod publication;
mod receivers;
mod rendition;
mod room;
mod subscription;

pub use accepts::{AcceptedAudio, AcceptedVideo, Accepts, Rendition};
pub use gop_budget::GopBudget;
pub use packets::{Packet, PacketDelivery, Sync};
pub use publication::{Formats, Offer};
pub use room::{Delivery, Error, Room, RoomEvent, Sink};
pub use subscription::{Patience, View, Wish};
