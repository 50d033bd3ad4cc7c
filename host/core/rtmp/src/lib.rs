//! RTMP (Adobe's specification 1.0) as bytes in, bytes out: one session value per connection.
//!
//! [`ServerSession`] answers a client that publishes or plays, [`ClientSession`] publishes or plays
//! elsewhere.
//! Sockets, clocks and what the media means are not here: bodies of audio and video messages are FLV
//! tag bodies and pass untouched.

mod acknowledgement;
mod amf;
mod chunk_reader;
mod chunk_writer;
mod client;
mod command;
mod digest;
mod error;
mod handshake;
mod link;
mod media;
mod message;
mod metadata;
mod server;

pub use chunk_writer::{MediaKind, media_message, metadata_message};
pub use client::{ClientEvent, ClientSession};
pub use error::Error;
pub use media::Media;
pub use metadata::Metadata;
pub use server::{SERVER_STREAM_ID, ServerEvent, ServerSession, StreamRequest};
