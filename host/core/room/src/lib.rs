//! A room: what its endpoints offer, and which frames of that reach which other endpoint.
//!
//! A plain value. Times are arguments, frames are handed out through a closure, what the shell must
//! do next is polled. It knows endpoints by number and nothing of sockets, protocols or codecs.

mod gop;
mod gop_budget;
mod meter;
mod packets;
mod publication;
mod room;
mod subscription;

pub use gop_budget::GopBudget;
pub use packets::{Packet, PacketDelivery, Sync};
pub use publication::{Formats, Offer};
pub use room::{Delivery, Error, Room, RoomEvent, Sink};
pub use subscription::{Patience, View, Wish};
