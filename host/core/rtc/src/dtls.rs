//! DTLS 1.2 for one session (RFC 6347, RFC 5764): who the peer is, and the keys of SRTP.
//!
//! The handshake is a library's; what stands here is what it does not do itself: it is shown only what
//! is whole and was not there before, never more than a bound, and repeats its flights on a schedule of
//! ours. The caller shows it only what came from addresses of the peer.
//!
//! Not here: application data. Nothing is sent over DTLS itself.

mod association;
mod certificate;
mod hello;
mod record;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;

pub use certificate::{Certificate, CertificateError};

use crate::agreement::DtlsRole;
use crate::discard::Discard;
use crate::fingerprint::Fingerprint;
use crate::srtp::MasterKey;
use association::{Association, Progress};
use hello::Hello;

/// A handshake takes some 5 KB from the peer; with everything repeated five times still fewer.
const RECEIVED_MAX: usize = 64 << 10;
/// From the first datagram to the keys.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// The DTLS side of one session.
#[derive(Debug)]
pub struct Dtls {
    certificate: Arc<Certificate>,
    remote: Fingerprint,
    state: State,
    /// Bytes shown to the library, before and after it is connected: repeated flights, a goodbye.
    received: usize,
}

#[derive(Debug)]
enum State {
    /// Until the ClientHello is whole, which says what SRTP the peer can do.
    Listening(Hello),
    /// We shall begin, when there is somewhere to send to.
    Waiting,
    Shaking {
        association: Box<Association>,
        deadline: Instant,
    },
    Connected(Box<Association>),
    Over,
}

/// Keys of both directions, from the certificate that was agreed on.
#[derive(Debug)]
pub struct Keys {
    /// The peer seals with this.
    pub inbound: MasterKey,
    /// We seal with this.
    pub outbound: MasterKey,
}

/// What came of a datagram or of time.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing to tell.
    Nothing,
    /// The peer is who it should be.
    Connected(Box<Keys>),
    /// The peer says goodbye.
    Closed,
    /// There will be no keys.
    Failed(Failure),
}

/// Why there will be no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The peer showed another certificate than it was told to have.
    Fingerprint,
    /// The peer refused.
    Refused,
    /// It took too long.
    Late,
    /// Connected, but without keys that SRTP can use.
    Keys,
}

impl Dtls {
    /// Waits for the peer's ClientHello, or for [`Self::start`].
    #[must_use]
    pub fn new(role: DtlsRole, certificate: Arc<Certificate>, remote: Fingerprint) -> Self {
        let state = match role {
            DtlsRole::Server => State::Listening(Hello::default()),
            DtlsRole::Client => State::Waiting,
        };
        Self { certificate, remote, state, received: 0 }
    }

    /// There is an address to send to: begins, if we are to begin and have not.
    pub fn start(&mut self, now: Instant) {
        if matches!(self.state, State::Waiting) {
            let association = Box::new(Association::connect(&self.certificate, now));
            self.state = State::Shaking { association, deadline: now + HANDSHAKE_MAX };
        }
    }

    /// Takes a datagram from an address of the peer.
    ///
    /// # Errors
    /// It was not shown to the library, or the library made nothing of it.
    pub fn handle_datagram(&mut self, datagram: &[u8], now: Instant) -> Result<Outcome, Discard> {
        if !record::is_sane(datagram) {
            return Err(Discard::DtlsMalformed);
        }
        if self.received + datagram.len() > RECEIVED_MAX {
            return Err(Discard::DtlsExcess);
        }
        self.received += datagram.len();
        match &mut self.state {
            State::Listening(hello) => match hello.handle_datagram(datagram)? {
                None => Ok(Outcome::Nothing),
                Some(profile) => {
                    let datagrams = hello.take();
                    let association = Box::new(Association::listen(&self.certificate, profile));
                    self.state = State::Shaking { association, deadline: now + HANDSHAKE_MAX };
                    datagrams.iter().try_fold(Outcome::Nothing, |_, datagram| self.show(datagram, now))
                }
            },
            State::Shaking { .. } | State::Connected(_) => self.show(datagram, now),
            State::Waiting | State::Over => Err(Discard::DtlsUnexpected),
        }
    }

    /// The next datagram for the peer.
    pub fn poll_transmit(&mut self) -> Option<BytesMut> {
        match &mut self.state {
            State::Shaking { association, .. } | State::Connected(association) => association.poll_transmit(),
            State::Listening(_) | State::Waiting | State::Over => None,
        }
    }

    /// When [`Self::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Shaking { association, deadline } => {
                Some(association.poll_timeout().map_or(*deadline, |retry| retry.min(*deadline)))
            }
            State::Listening(_) | State::Waiting | State::Connected(_) | State::Over => None,
        }
    }

    /// Repeats what was not answered, or gives up.
    pub fn handle_timeout(&mut self, now: Instant) -> Outcome {
        match &mut self.state {
            State::Shaking { deadline, .. } if *deadline <= now => self.fail(Failure::Late),
            State::Shaking { association, .. } => {
                association.handle_timeout(now);
                Outcome::Nothing
            }
            State::Listening(_) | State::Waiting | State::Connected(_) | State::Over => Outcome::Nothing,
        }
    }

    /// Says goodbye, if there is somebody to say it to.
    pub fn close(&mut self, now: Instant) {
        if let State::Connected(association) = &mut self.state {
            association.close(now);
        }
    }

    fn show(&mut self, datagram: &[u8], now: Instant) -> Result<Outcome, Discard> {
        let (State::Shaking { association, .. } | State::Connected(association)) = &mut self.state else {
            return Err(Discard::DtlsUnexpected);
        };
        match association.handle_datagram(datagram, now)? {
            Progress::Nothing => Ok(Outcome::Nothing),
            Progress::Connected => Ok(self.connected()),
            Progress::Closed if matches!(self.state, State::Shaking { .. }) => Ok(self.fail(Failure::Refused)),
            Progress::Closed => Ok(Outcome::Closed),
        }
    }

    /// The certificate is compared before any key is used.
    fn connected(&mut self) -> Outcome {
        let State::Shaking { association, .. } = std::mem::replace(&mut self.state, State::Over) else {
            return Outcome::Nothing;
        };
        if !association.peer_certificate().is_some_and(|certificate| self.remote.matches(certificate)) {
            return Outcome::Failed(Failure::Fingerprint);
        }
        let Some(keys) = association.keys() else { return Outcome::Failed(Failure::Keys) };
        self.state = State::Connected(association);
        Outcome::Connected(Box::new(keys))
    }

    fn fail(&mut self, failure: Failure) -> Outcome {
        self.state = State::Over;
        Outcome::Failed(failure)
    }
}
