//! Connections with the outside: TCP, and TLS over it; where we may connect to. What flows in them is
//! not known here.

mod connect;
mod filter;
mod send_bounds;
mod socket;
mod stream;
mod tls_client;
mod tls_server;

pub use connect::{ConnectError, Connector};
pub use filter::EgressFilter;
pub use send_bounds::bound_sending;
pub use stream::Stream;
pub use tls_server::{Certificate, CertificateError, TlsServer};
