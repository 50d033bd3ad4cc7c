//! A TCP connection that may leave one runtime and enter another: the edge accepts it, a worker owns it.
//!
//! It moves where it stands, also as the inside of a TLS stream: parked by the runtime it leaves,
//! resumed by the one it enters. Parked, it neither reads nor writes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// One TCP connection.
#[derive(Debug)]
pub enum Socket {
    /// Registered with the current runtime.
    Live(TcpStream),
    /// Between two runtimes.
    Parked(std::net::TcpStream),
    /// A move failed half-way.
    Lost,
}

impl Socket {
    /// Leaves the runtime it is registered with.
    pub fn park(&mut self) -> io::Result<()> {
        *self = match std::mem::replace(self, Self::Lost) {
            Self::Live(socket) => Self::Parked(socket.into_std()?),
            other => other,
        };
        Ok(())
    }

    /// Enters the current runtime.
    pub fn resume(&mut self) -> io::Result<()> {
        *self = match std::mem::replace(self, Self::Lost) {
            Self::Parked(socket) => Self::Live(TcpStream::from_std(socket)?),
            other => other,
        };
        Ok(())
    }

    fn live(self: Pin<&mut Self>) -> io::Result<Pin<&mut TcpStream>> {
        match self.get_mut() {
            Self::Live(socket) => Ok(Pin::new(socket)),
            Self::Parked(_) | Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.live()?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.live()?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.live()?.poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.live()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.live()?.poll_shutdown(cx)
    }
}
