//! One connection, plain or TLS, with patience for each step.
//!
//! Whom TLS trusts is the system's question; `SSL_CERT_FILE` names other certificates.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{Error, PATIENCE};

pub(crate) enum Connection {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Connection {
    /// Tries each address of the name. An IPv6 address may stand in its brackets.
    pub(crate) fn open(host: &str, port: u16, is_tls: bool) -> Result<Self, Error> {
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let socket = connect(name, port)?;
        if is_tls { secure(name, socket) } else { Ok(Self::Plain(socket)) }
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

fn connect(name: &str, port: u16) -> Result<TcpStream, Error> {
    let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
    for address in (name, port).to_socket_addrs().map_err(Error::Connect)? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                socket.set_read_timeout(Some(PATIENCE))?;
                socket.set_write_timeout(Some(PATIENCE))?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(Error::Connect(last))
}

fn secure(name: &str, mut socket: TcpStream) -> Result<Connection, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).map_err(|_| Error::TlsName)?;
    let mut session = ClientConnection::new(Arc::new(config), name)?;
    while session.is_handshaking() {
        session.complete_io(&mut socket).map_err(Error::TlsHandshake)?;
    }
    Ok(Connection::Tls(Box::new(StreamOwned::new(session, socket))))
}
