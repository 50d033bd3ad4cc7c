//! What the system may hold back of one connection, and for how long.
//!
//! Linux would take up to four megabytes for a client that does not read, and nobody learns about it:
//! of a stream of 200 kbit/s that is three minutes. What it does not take stays where frames are shared,
//! dropped and counted ([`Backlog`](crate::backlog::Backlog)).

use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;

/// Bytes that wait for the other side's window; one write may go beyond it. What is on its way does not
/// count, so that a fast connection over a long way stays fast.
const UNSENT_BYTES_MAX: u32 = 32 << 10;
/// Nothing of what waits was taken for so long: the system ends the connection. A slow stream needs that,
/// whose backlog is late to notice.
const UNTAKEN_MAX: Duration = Duration::from_secs(20);

/// Bounds what waits in the system; what is written leaves at once.
///
/// # Errors
/// The system's, for a connection that is over already.
pub fn bound_sending(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let socket = SockRef::from(socket);
    socket.set_tcp_notsent_lowat(UNSENT_BYTES_MAX)?;
    socket.set_tcp_user_timeout(Some(UNTAKEN_MAX))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpSocket;

    use super::*;

    #[tokio::test]
    async fn little_is_taken_for_who_does_not_read() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpSocket::new_v4().unwrap();
        client.set_recv_buffer_size(4 << 10).unwrap();
        let (client, accepted) = tokio::join!(client.connect(listener.local_addr().unwrap()), listener.accept());
        let (_client, (socket, _)) = (client.unwrap(), accepted.unwrap());
        bound_sending(&socket).unwrap();
        let mut taken = 0;
        // It says that it is full, and still is when the first bytes have arrived.
        for _ in 0..100 {
            while let Ok(len) = socket.try_write(&[0; 16 << 10]) {
                taken += len;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(taken <= 160 << 10, "{taken} bytes");
    }
}
