//! The library's handshake with one peer, and what it must be kept from.
//!
//! It forgets to repeat a flight when it hears one again that it knows, so it does not hear those. It
//! repeats at a constant pace; here the pause doubles. It looks for a message among all fragments it
//! holds, which costs their square, so they are few.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;

use super::certificate::{Certificate, FLIGHT_INTERVAL};
use super::{Keys, record};
use crate::discard::Discard;
use crate::srtp::{MasterKey, Profile};

/// The library tells connections apart by address; each of ours has its own endpoint and this address,
/// so that the peer may change its own.
pub const PEER: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9));
/// RFC 5764 §4.2.
pub const EXPORTER: &str = "EXTRACTOR-dtls_srtp";
/// A handshake has ten messages, some in two parts, some of them in the next try cut elsewhere.
const FRAGMENTS_MAX: usize = 256;
/// More are the library's end: it errs.
const REPEATS_MAX: u32 = 7;

/// A handshake, or what came of it.
pub struct Association {
    endpoint: Endpoint,
    /// Message and offset of fragments that were shown.
    seen: Vec<(u16, usize)>,
    /// Until our ServerHello.
    hears_first_hello: bool,
    repeat: Repeat,
}

/// When the flight that was sent last is repeated.
#[derive(Debug, Default)]
struct Repeat {
    /// The library's own time, by which a new flight is noticed.
    library: Option<Instant>,
    at: Option<Instant>,
    times: u32,
}

/// What came of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Nothing,
    Connected,
    /// The peer's alert: refused, or goodbye.
    Closed,
}

impl Association {
    /// Answers a ClientHello.
    pub fn listen(certificate: &Certificate, profile: Profile) -> Self {
        Self::new(Endpoint::new(PEER, TransportProtocol::UDP, Some(certificate.server(profile))))
    }

    /// Sends a ClientHello.
    pub fn connect(certificate: &Certificate, now: Instant) -> Self {
        let mut endpoint = Endpoint::new(PEER, TransportProtocol::UDP, None);
        // Fails without randomness only; the deadline ends it then.
        let _ = endpoint.connect(now, PEER, certificate.client(), None);
        let mut association = Self::new(endpoint);
        association.hears_first_hello = false;
        association.note_flight();
        association
    }

    fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, seen: Vec::new(), hears_first_hello: true, repeat: Repeat::default() }
    }

    /// Shows a datagram to the library, if it should see it.
    ///
    /// # Errors
    /// It should not, or it made nothing of it.
    pub fn handle_datagram(&mut self, datagram: &[u8], now: Instant) -> Result<Progress, Discard> {
        if !self.is_worth_showing(datagram) {
            return Err(Discard::DtlsRepeated);
        }
        if !self.note_fragments(datagram) {
            return Err(Discard::DtlsExcess);
        }
        let heard = self.endpoint.read(now, PEER, None, BytesMut::from(datagram));
        self.note_flight();
        match heard {
            Ok(events) => {
                Ok(events.iter().map(progress).find(|told| *told != Progress::Nothing).unwrap_or(Progress::Nothing))
            }
            Err(rtc_shared::error::Error::ErrAlertFatalOrClose) => Ok(Progress::Closed),
            Err(_) => Err(Discard::DtlsMalformed),
        }
    }

    pub fn poll_transmit(&mut self) -> Option<BytesMut> {
        let datagram = self.endpoint.poll_transmit()?.message;
        self.hears_first_hello &= !record::is_server_hello(&datagram);
        Some(datagram)
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.repeat.at
    }

    /// Repeats the last flight, if it is time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.repeat.at.is_none_or(|at| at > now) {
            return;
        }
        // Errs when it is over; the deadline ends it then.
        let _ = self.endpoint.handle_timeout(PEER, now);
        let times = self.repeat.times + 1;
        self.repeat.library = self.endpoint.poll_timeout(&PEER);
        self.repeat.times = times;
        self.repeat.at = self.repeat.library.filter(|_| times < REPEATS_MAX).map(|_| now + pause(times));
    }

    /// Tells the peer that it is over.
    pub fn close(&mut self, now: Instant) {
        // What it hands back is what it closed.
        drop(self.endpoint.stop(now, PEER));
    }

    /// In DER.
    pub fn peer_certificate(&self) -> Option<&[u8]> {
        self.endpoint.get_connection_state(PEER)?.peer_certificates.first().map(Vec::as_slice)
    }

    /// RFC 5764 §4.2. `None`: no protection was agreed on that we know.
    pub fn keys(&self) -> Option<Keys> {
        let state = self.endpoint.get_connection_state(PEER)?;
        let profile = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => Profile::AeadAes128Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => Profile::Aes128CmSha1_80,
            _ => return None,
        };
        let len = 2 * (Profile::KEY_LEN + profile.salt_len());
        let material = state.export_keying_material(EXPORTER, &[], len).ok()?;
        let (client, server) = MasterKey::pair(profile, material.as_ref())?;
        let (inbound, outbound) = if state.is_client() { (server, client) } else { (client, server) };
        Some(Keys { inbound, outbound })
    }

    #[cfg(test)]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What is known makes the library forget its timer. But a first ClientHello that comes again is
    /// how a peer asks for a lost HelloVerifyRequest.
    fn is_worth_showing(&self, datagram: &[u8]) -> bool {
        let is_new = |part: record::Fragment<'_>| !self.seen.contains(&(part.sequence, part.offset));
        record::has_more(datagram) || self.hears_first_hello || record::fragments(datagram).any(is_new)
    }

    /// False: there are too many.
    fn note_fragments(&mut self, datagram: &[u8]) -> bool {
        for part in record::fragments(datagram) {
            if !self.seen.contains(&(part.sequence, part.offset)) {
                self.seen.push((part.sequence, part.offset));
            }
        }
        self.seen.len() <= FRAGMENTS_MAX
    }

    /// A new flight begins with the shortest pause.
    fn note_flight(&mut self) {
        let library = self.endpoint.poll_timeout(&PEER);
        if library != self.repeat.library {
            self.repeat = Repeat { library, at: library, times: 0 };
        }
    }
}

fn progress(event: &EndpointEvent) -> Progress {
    match event {
        EndpointEvent::HandshakeComplete => Progress::Connected,
        EndpointEvent::PeerClosed => Progress::Closed,
        _ => Progress::Nothing,
    }
}

fn pause(times: u32) -> Duration {
    FLIGHT_INTERVAL * 2_u32.pow(times)
}

/// Keys are not told.
impl fmt::Debug for Association {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Association").field("repeat", &self.repeat).finish_non_exhaustive()
    }
}
