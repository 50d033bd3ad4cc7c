//! Connects to a target that somebody else named: one look-up, each address checked, and one of those
//! that were checked connected to.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use heliu_model::{Namespace, RtmpUrl};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::filter::{EgressFilter, Forbidden};
use super::send_bounds::bound_sending;
use super::stream::Stream;
use super::tls_client::{TlsClient, TlsError};
use crate::own_names::OwnNames;

/// One address that swallows packets leaves time for the next: a try as a whole has ten seconds.
const ADDRESS_WITHIN: Duration = Duration::from_secs(3);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A push to ourselves stays inside, where it is admitted; by this name it cannot be recognised.
    #[error("this URL leads to this host by a name it does not know: add it to [public] hosts")]
    Own,
    /// Not public, and not allowed.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The name is not known, or nobody listens.
    #[error("cannot connect: {0}")]
    Tcp(#[from] io::Error),
    /// Nobody to be trusted, or nobody who speaks TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Opens connections.
#[derive(Default)]
pub struct Connector {
    filter: EgressFilter,
    tls: TlsClient,
}

impl Connector {
    /// By these rules.
    pub fn new(filter: EgressFilter) -> Self {
        Self { filter, tls: TlsClient::default() }
    }

    /// Connects to the host of `url` for `namespace`, with TLS if the URL says so.
    pub async fn connect(&self, namespace: &Namespace, url: &RtmpUrl, own: &OwnNames) -> Result<Stream, ConnectError> {
        let host = url.host().trim_matches(['[', ']']);
        let found: Vec<SocketAddr> = tokio::net::lookup_host((host, url.port())).await?.collect();
        let nowhere = (Ipv4Addr::UNSPECIFIED, 0).into();
        if found.iter().any(|&address| own.is_own_socket(nowhere, address)) {
            return Err(ConnectError::Own);
        }
        let socket = connect_any(&self.filter.check(namespace, &found)?).await?;
        // Another address of this machine is known as ours only by its two ends.
        if own.is_own_socket(socket.local_addr()?, socket.peer_addr()?) {
            return Err(ConnectError::Own);
        }
        bound_sending(&socket)?;
        if url.is_tls() { Ok(self.tls.connect(host, socket).await?) } else { Ok(Stream::plain(socket)) }
    }

    /// Targets that were refused because of where they are.
    pub fn refused(&self) -> u64 {
        self.filter.refused()
    }
}

/// The first address that answers; else why the last one did not.
async fn connect_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut refused = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for &address in addresses {
        match timeout(ADDRESS_WITHIN, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => refused = error,
            Err(_) => refused = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(refused)
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[tokio::test]
    async fn an_address_that_swallows_packets_does_not_hide_the_next() {
        let silent = TcpSocket::new_v4().unwrap();
        silent.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let silent = silent.listen(1).unwrap();
        let full = silent.local_addr().unwrap();
        // Nobody accepts: when its queue is full, it answers no more.
        let mut queue = Vec::new();
        while let Ok(Ok(socket)) = timeout(Duration::from_millis(300), TcpStream::connect(full)).await {
            queue.push(socket);
        }
        let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = good.local_addr().unwrap();
        let connected = timeout(Duration::from_secs(60), connect_any(&[full, address])).await;
        assert_eq!(connected.expect("in time").unwrap().peer_addr().unwrap(), address);
    }
}
