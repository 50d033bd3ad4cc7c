//! One TCP connection with patience for each step.

use std::net::{TcpStream, ToSocketAddrs};

use super::{Error, PATIENCE};

/// Tries each address of the name. An IPv6 address may stand in its brackets.
pub(crate) fn connect(host: &str, port: u16) -> Result<TcpStream, Error> {
    let name = host.trim_start_matches('[').trim_end_matches(']');
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
