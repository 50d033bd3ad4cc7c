//! TLS towards clients: the operator's certificate, or one made at the start.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::socket::Socket;
use super::stream::Stream;

/// What a TLS listener shows its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// PEM files of the operator: the chain, the host's own certificate first, and its key.
    Files {
        /// The chain.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// One that nobody has signed, made at each start: for trying out.
    SelfSigned,
}

impl Certificate {
    /// Would a listener take it?
    ///
    /// # Errors
    /// A file is missing, or holds something else.
    pub fn check(&self) -> Result<(), CertificateError> {
        TlsServer::start(self, &["localhost".to_owned()]).map(drop)
    }
}

/// Why there is no TLS listener.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// No such file, or no PEM in it.
    #[error("cannot read a certificate from {0}: {1}")]
    Chain(PathBuf, rustls::pki_types::pem::Error),
    /// No such file, or no key in it.
    #[error("cannot read a private key from {0}: {1}")]
    Key(PathBuf, rustls::pki_types::pem::Error),
    /// They do not belong together, or are of a kind that is not served.
    #[error("the certificate and its key cannot be used: {0}")]
    Pair(rustls::Error),
    /// A name of `[public] hosts` is no host name.
    #[error("cannot make a certificate: {0}")]
    Make(rcgen::Error),
}

/// Takes TLS connections.
#[derive(Clone)]
pub struct TlsServer(TlsAcceptor);

impl TlsServer {
    /// Reads or makes the certificate. `names`: whom one that is made is for.
    ///
    /// # Errors
    /// A file is missing, or holds something else.
    pub fn start(certificate: &Certificate, names: &[String]) -> Result<Self, CertificateError> {
        let (chain, key) = match certificate {
            Certificate::Files { cert, key } => (read_chain(cert)?, read_key(key)?),
            Certificate::SelfSigned => make(names)?,
        };
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider serves TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(CertificateError::Pair)?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Shakes hands with a client.
    pub async fn accept(&self, socket: TcpStream) -> io::Result<Stream> {
        self.0.accept(Socket::Live(socket)).await.map(Stream::tls)
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let chain = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match chain {
        Ok(chain) if Vec::is_empty(&chain) => {
            Err(CertificateError::Chain(path.to_owned(), rustls::pki_types::pem::Error::NoItemsFound))
        }
        Ok(chain) => Ok(chain),
        Err(error) => Err(CertificateError::Chain(path.to_owned(), error)),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| CertificateError::Key(path.to_owned(), error))
}

fn make(names: &[String]) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), CertificateError> {
    let made = rcgen::generate_simple_self_signed(names).map_err(CertificateError::Make)?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    Ok((vec![made.cert.der().clone()], key.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_hold_no_certificate_or_no_key_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let [cert, key, other, empty] = ["cert", "key", "other", "empty"].map(|name| folder.path().join(name));
        let write = |cert: &Path, key: &Path| {
            let made = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
            std::fs::write(cert, made.cert.pem()).unwrap();
            std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
        };
        write(&folder.path().join("unused"), &other);
        write(&cert, &key);
        std::fs::write(&empty, "").unwrap();
        let missing = folder.path().join("missing");
        for (what, cert, key, want) in [
            ("a pair", &cert, &key, ""),
            ("no certificate", &missing, &key, "cannot read a certificate from"),
            ("an empty certificate", &empty, &key, "cannot read a certificate from"),
            ("no key", &cert, &missing, "cannot read a private key from"),
            ("a certificate for a key", &cert, &cert, "cannot read a private key from"),
            ("another's key", &cert, &other, "cannot be used"),
        ] {
            let files = Certificate::Files { cert: cert.clone(), key: key.clone() };
            let told = TlsServer::start(&files, &[]).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(told.contains(want) && told.is_empty() == want.is_empty(), "{what}: {told}");
        }
        assert!(TlsServer::start(&Certificate::SelfSigned, &["localhost".to_owned()]).is_ok());
    }
}
