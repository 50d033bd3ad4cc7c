//! Containers and stream headers as functions over frames: FLV tag bodies, headers of H.264, AAC and
//! Opus, and the way from a publisher's milliseconds to the room's time.
//!
//! Everything here meets bytes of strangers: it never panics, borrows where it can, and says why it
//! dropped something instead of failing.
//!
//! Not here: sockets, RTMP chunks, decoding. Whether our decoder may see a format is answered by
//! [`avc::decodable`] and [`aac::decodable`] from the headers alone.

pub mod aac;
pub mod avc;
mod discard;
pub mod flv;
pub mod opus;
mod timeline;
mod undecodable;

pub use discard::{Discard, Discards, Foreign};
pub use timeline::{Mapped, Timeline};
pub use undecodable::Undecodable;
