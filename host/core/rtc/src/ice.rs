//! Connectivity by ICE, the lite side (RFC 8445 §2.5).

mod credentials;

pub use credentials::Credentials;
