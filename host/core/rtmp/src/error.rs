//! Why a session is over.

/// The other side broke the protocol. The session takes no more bytes after any of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first byte is no RTMP version (3).
    #[error("the handshake is not RTMP's")]
    Handshake,
    /// A continuation without a beginning, a chunk size out of range, a fresh header inside a message.
    #[error("a chunk is malformed")]
    Chunk,
    /// Over 64 chunk streams, 4 MiB in a message (64 KiB in a command), 8 MiB in unfinished ones.
    #[error("a message is too large")]
    TooLarge,
    /// AMF that ends early, nests too deep or holds too many values.
    #[error("a command is malformed")]
    Command,
}
