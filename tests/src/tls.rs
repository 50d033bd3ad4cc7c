//! A TLS server in front of somebody else's plain one, with a certificate that only the test knows.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// A certificate for some names, signed by itself.
pub struct Certificate(rcgen::CertifiedKey<rcgen::KeyPair>);

impl Certificate {
    /// Names and addresses it is valid for.
    pub fn of(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        Self(rcgen::generate_simple_self_signed(names).expect("names are names"))
    }

    /// Writes it where a client reads whom it trusts.
    pub fn write(&self, path: &Path) {
        std::fs::write(path, self.0.cert.pem()).expect("the folder is writable");
    }
}

/// Takes TLS connections and hands their bytes to `port` of this machine; as long as the test lives.
pub fn terminate(certificate: &Certificate, port: u16) -> SocketAddr {
    let key = PrivateKeyDer::try_from(certificate.0.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.0.cert.der().clone()], key)
        .expect("the key fits");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(serve(listener, TlsAcceptor::from(Arc::new(config)), port));
    });
    address
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, port: u16) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("inside a runtime");
    while let Ok((socket, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let Ok(mut outer) = acceptor.accept(socket).await else { return };
            let Some(mut inner) = connect(port).await else { return };
            let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
        });
    }
}

/// The program behind may still be starting.
async fn connect(port: u16) -> Option<TcpStream> {
    for _ in 0..100 {
        if let Ok(socket) = TcpStream::connect(("127.0.0.1", port)).await {
            return Some(socket);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}
