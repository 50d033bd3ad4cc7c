//! One WebRTC session as a plain value: an offer is answered, datagrams go in and out, packets go in and
//! out. No sockets, no clock, no rooms.

#![forbid(unsafe_code)]

mod agreement;
mod discard;
mod dtls;
mod fingerprint;
mod ice;
mod line;
pub mod sdp;
mod session;
pub mod srtp;

pub use agreement::{Agreement, DtlsRole};
pub use discard::{Discard, Discards};
pub use dtls::{Certificate, CertificateError, Dtls, Failure, Keys, Outcome};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use ice::{Agent, Credentials, Heard, local_ufrag};
pub use line::{Codec, Direction, ExtensionIds, Feedback, MLine};
pub use session::{CloseReason, Config, Event, Incoming, Outgoing, Session, Stats};
