//! TLS towards targets: the system's root certificates, the host's name in SNI and in the check.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

use super::socket::Socket;
use super::stream::Stream;

/// Why there is no TLS with a target.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Of Debian's packages, `ca-certificates` brings them.
    #[error("this machine has no root certificates to check the target's with")]
    NoRoots,
    /// It holds characters a host cannot have.
    #[error("the URL's host is no name for TLS")]
    Name,
    /// Unknown issuer, another name, out of date.
    #[error("the target's certificate is not accepted: {0}")]
    Certificate(rustls::CertificateError),
    /// It closed, or speaks something else.
    #[error("the target speaks no TLS: {0}")]
    Handshake(io::Error),
}

/// Opens TLS connections. The roots are read for the first of them: from the system, or from where
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` point.
#[derive(Default)]
pub struct TlsClient {
    connector: OnceCell<TlsConnector>,
}

impl TlsClient {
    /// Shakes hands with `host` (a name, or an address without brackets) over a connection to it.
    pub async fn connect(&self, host: &str, socket: TcpStream) -> Result<Stream, TlsError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Name)?;
        let connector = self.connector.get_or_try_init(connector).await?;
        let stream = connector.connect(name, Socket::Live(socket)).await.map_err(TlsError::from)?;
        Ok(Stream::tls(stream))
    }
}

impl From<io::Error> for TlsError {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(cause)) => Self::Certificate(cause.clone()),
            Some(_) | None => Self::Handshake(error),
        }
    }
}

async fn connector() -> Result<TlsConnector, TlsError> {
    // Some hundred files: not on a thread that moves media.
    let roots = tokio::task::spawn_blocking(roots).await.map_err(|_| TlsError::NoRoots)?;
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider serves TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "cannot read root certificates");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    roots
}
