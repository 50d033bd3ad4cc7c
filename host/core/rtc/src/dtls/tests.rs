//! Handshakes over a bad link in simulated time, against the library alone and against ourselves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use heliu_model::MediaTime;
use heliu_sim::Link;

use rtc_dtls::endpoint::Endpoint;
use rtc_shared::TransportProtocol;

use super::association::{EXPORTER, PEER};
use super::*;
use crate::srtp::Profile;

#[test]
fn both_roles_and_both_protections_lead_to_the_same_keys() {
    for (role, offered, want) in [
        (DtlsRole::Server, &[Profile::Aes128CmSha1_80, Profile::AeadAes128Gcm][..], Profile::AeadAes128Gcm),
        (DtlsRole::Server, &[Profile::Aes128CmSha1_80], Profile::Aes128CmSha1_80),
        (DtlsRole::Client, &[Profile::AeadAes128Gcm], Profile::AeadAes128Gcm),
        (DtlsRole::Client, &[Profile::Aes128CmSha1_80], Profile::Aes128CmSha1_80),
    ] {
        for is_library in [false, true] {
            let mut run = Run::new(role, offered, is_library, 0.0, 1);
            let keys = run.finish().unwrap_or_else(|failure| panic!("{role:?} {offered:?}: {failure:?}"));
            assert_eq!((keys.inbound.profile, keys.outbound.profile), (want, want));
            let (client, server) = match role {
                DtlsRole::Server => (keys.inbound, keys.outbound),
                DtlsRole::Client => (keys.outbound, keys.inbound),
            };
            let material = run.other.material().expect("the other has keys too");
            assert_eq!([client.key, server.key].concat(), material[..32], "{role:?}");
        }
    }
}

#[test]
fn handshakes_survive_a_bad_link() {
    for (role, is_library, least) in [
        (DtlsRole::Server, false, 49),
        (DtlsRole::Client, false, 49),
        // It stops repeating when it hears a flight again that it knows.
        (DtlsRole::Server, true, 37),
        (DtlsRole::Client, true, 37),
    ] {
        let connects = |seed: &u64| Run::new(role, &BOTH, is_library, 0.2, *seed).finish().is_ok();
        let connected = (0..50).filter(connects).count();
        assert!(connected >= least, "{role:?}, the library alone {is_library}: {connected} of 50");
    }
}

#[test]
fn another_certificate_is_refused_before_its_keys_are_used() {
    let mut run = Run::new(DtlsRole::Server, &BOTH, false, 0.0, 1);
    run.ours.remote = Fingerprint::of(b"somebody else's");
    assert_eq!(run.finish().unwrap_err(), Failure::Fingerprint);
    assert!(matches!(run.ours.state, State::Over));
}

#[test]
fn a_peer_that_stops_in_the_middle_is_given_up() {
    let mut run = Run::new(DtlsRole::Server, &BOTH, false, 1.0, 1);
    run.ours.state = State::Listening(Hello::default());
    let hello = run.other.poll_transmit().expect("a hello");
    run.ours.handle_datagram(&hello, run.start).unwrap();
    assert_eq!(run.finish().unwrap_err(), Failure::Late);
}

#[test]
fn a_goodbye_is_heard() {
    let mut run = Run::new(DtlsRole::Server, &BOTH, false, 0.0, 1);
    run.finish().unwrap();
    let now = run.start + Duration::from_secs(20);
    while let Some(finished) = run.ours.poll_transmit().or_else(|| run.back.poll(MediaTime::from_millis(20_000))) {
        run.other.handle_datagram(&finished, now);
    }
    run.other.close(now);
    let goodbye = run.other.poll_transmit().expect("a goodbye");
    assert!(matches!(run.ours.handle_datagram(&goodbye, now), Ok(Outcome::Closed)));
}

#[test]
fn a_hello_in_pieces_is_gathered_in_any_order_and_bounded() {
    let run = Run::new(DtlsRole::Server, &BOTH, false, 0.0, 1);
    let mut other = run.other;
    let whole = other.poll_transmit().expect("a hello").to_vec();
    let (head, tail) = (piece(&whole, 0, 40), piece(&whole, 40, usize::MAX));
    for order in [[&head, &tail], [&tail, &head]] {
        let mut hello = Hello::default();
        assert_eq!(hello.handle_datagram(order[0]), Ok(None));
        assert_eq!(hello.handle_datagram(order[0]), Err(Discard::DtlsRepeated));
        assert_eq!(hello.handle_datagram(order[1]), Ok(Some(Profile::AeadAes128Gcm)));
    }
    let mut hello = Hello::default();
    for n in 0..1_000 {
        let _ = hello.handle_datagram(&piece(&whole, 1 + n % 60, 2));
    }
    assert!(hello.take().len() <= 8);
}

#[test]
fn what_cannot_be_part_of_a_handshake_is_not_shown() {
    let mut run = Run::new(DtlsRole::Server, &BOTH, false, 0.0, 1);
    let hello = run.other.poll_transmit().expect("a hello").to_vec();
    let record = |kind: u8, epoch: u8, body: &[u8]| {
        let mut record = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0, 0, body.len() as u8];
        record.extend_from_slice(body);
        record
    };
    for (what, datagram, want) in [
        ("cut", hello[..hello.len() - 1].to_vec(), Discard::DtlsMalformed),
        ("nothing", vec![], Discard::DtlsMalformed),
        ("an alert of three bytes", record(21, 0, &[2, 40, 0]), Discard::DtlsMalformed),
        ("plain application data", record(23, 0, b"hello"), Discard::DtlsMalformed),
        ("a third epoch", record(22, 2, b"sealed"), Discard::DtlsMalformed),
        (
            "a fragment beyond its message",
            record(22, 0, &[1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 9]),
            Discard::DtlsMalformed,
        ),
        ("an alert before a hello", record(21, 0, &[2, 40]), Discard::DtlsUnexpected),
        (
            "a hello without SRTP",
            record(22, 0, &[&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1][..], &[0]].concat()),
            Discard::DtlsMalformed,
        ),
    ] {
        assert_eq!(run.ours.handle_datagram(&datagram, run.start).map(|_| ()), Err(want), "{what}");
    }
    run.ours.handle_datagram(&hello, run.start).unwrap();
    run.finish().unwrap();
}

#[test]
fn a_flood_is_cut_off() {
    for what in ["fragments", "sealed records"] {
        let mut run = Run::new(DtlsRole::Server, &BOTH, false, 0.0, 1);
        let hello = run.other.poll_transmit().expect("a hello");
        run.ours.handle_datagram(&hello, run.start).unwrap();
        while run.ours.poll_transmit().is_some() {}
        let mut excess = 0;
        for n in 0..20_000_u32 {
            let [_, _, high, low] = n.to_be_bytes();
            let datagram = match what {
                "fragments" => vec![
                    22,
                    0xfe,
                    0xfd,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    9,
                    0,
                    13,
                    11,
                    0,
                    0x3f,
                    0xff,
                    0,
                    2,
                    0,
                    high & 0x1f,
                    low,
                    0,
                    0,
                    1,
                    7,
                ],
                _ => [&[22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, high, low, 0, 100][..], &[0; 100]].concat(),
            };
            excess += u32::from(run.ours.handle_datagram(&datagram, run.start).err() == Some(Discard::DtlsExcess));
            while run.ours.poll_transmit().is_some_and(|answer| answer.len() < 2 * datagram.len()) {}
            assert!(run.ours.poll_transmit().is_none(), "{what} are not answered with more");
        }
        assert!(excess > 17_000, "{what}: {excess}");
        assert!(run.ours.received <= RECEIVED_MAX);
    }
}

const BOTH: [Profile; 2] = [Profile::AeadAes128Gcm, Profile::Aes128CmSha1_80];

/// Our side, another one, and a link between them.
struct Run {
    ours: Dtls,
    other: Other,
    start: Instant,
    there: Link<BytesMut>,
    back: Link<BytesMut>,
}

impl Run {
    fn new(role: DtlsRole, offered: &[Profile], is_library: bool, loss: f64, seed: u64) -> Self {
        let (own, peer, start) = (certificate(&BOTH), certificate(offered), Instant::now());
        let other = Other::new(role, &peer, offered[0], is_library, start);
        let link = |seed| Link::new(Duration::from_millis(30), seed).jitter(Duration::from_millis(5)).loss(loss);
        let ours = Dtls::new(role, own, peer.fingerprint().clone());
        Self { ours, other, start, there: link(seed), back: link(seed + 1_000) }
    }

    /// Until our side has keys or gives up.
    fn finish(&mut self) -> Result<Keys, Failure> {
        self.ours.start(self.start);
        let mut keys = None;
        for millis in 0..15_000 {
            let (now, at) = (self.start + Duration::from_millis(millis), MediaTime::from_millis(millis as i64));
            while let Some(datagram) = self.there.poll(at) {
                match self.ours.handle_datagram(&datagram, now) {
                    Ok(Outcome::Connected(connected)) => keys = Some(*connected),
                    Ok(Outcome::Failed(failure)) => return Err(failure),
                    Ok(Outcome::Nothing | Outcome::Closed) | Err(_) => {}
                }
            }
            while let Some(datagram) = self.back.poll(at) {
                self.other.handle_datagram(&datagram, now);
            }
            if let Outcome::Failed(failure) = self.ours.handle_timeout(now) {
                return Err(failure);
            }
            self.other.handle_timeout(now);
            while let Some(datagram) = self.ours.poll_transmit() {
                self.back.send(datagram, at);
            }
            while let Some(datagram) = self.other.poll_transmit() {
                self.there.send(datagram, at);
            }
            if let Some(keys) = keys.take_if(|_| self.other.material().is_some()) {
                return Ok(keys);
            }
        }
        Err(Failure::Late)
    }
}

/// The other end.
enum Other {
    /// Our own way with the library.
    Ours(Box<Association>),
    /// The library alone, with its own pace.
    Library(Box<Endpoint>),
}

impl Other {
    fn new(role: DtlsRole, certificate: &Certificate, profile: Profile, is_library: bool, now: Instant) -> Self {
        match (role, is_library) {
            (DtlsRole::Server, false) => Self::Ours(Box::new(Association::connect(certificate, now))),
            (DtlsRole::Client, false) => Self::Ours(Box::new(Association::listen(certificate, profile))),
            (DtlsRole::Server, true) => {
                let mut endpoint = Endpoint::new(PEER, TransportProtocol::UDP, None);
                endpoint.connect(now, PEER, certificate.client(), None).unwrap();
                Self::Library(Box::new(endpoint))
            }
            (DtlsRole::Client, true) => {
                Self::Library(Box::new(Endpoint::new(PEER, TransportProtocol::UDP, Some(certificate.server(profile)))))
            }
        }
    }

    fn handle_datagram(&mut self, datagram: &[u8], now: Instant) {
        match self {
            Self::Ours(association) => drop(association.handle_datagram(datagram, now)),
            Self::Library(endpoint) => drop(endpoint.read(now, PEER, None, BytesMut::from(datagram))),
        }
    }

    fn poll_transmit(&mut self) -> Option<BytesMut> {
        match self {
            Self::Ours(association) => association.poll_transmit(),
            Self::Library(endpoint) => endpoint.poll_transmit().map(|sent| sent.message),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        match self {
            Self::Ours(association) => association.handle_timeout(now),
            Self::Library(endpoint) => drop(endpoint.handle_timeout(PEER, now)),
        }
    }

    fn close(&mut self, now: Instant) {
        match self {
            Self::Ours(association) => association.close(now),
            Self::Library(endpoint) => drop(endpoint.stop(now, PEER)),
        }
    }

    /// Those of the library, the client's first.
    fn material(&self) -> Option<Vec<u8>> {
        let endpoint = match self {
            Self::Ours(association) => association.endpoint(),
            Self::Library(endpoint) => endpoint,
        };
        let exported = endpoint.get_connection_state(PEER)?.export_keying_material(EXPORTER, &[], 56);
        exported.ok().map(|material| material.as_ref().to_vec())
    }
}

fn certificate(offered: &[Profile]) -> Arc<Certificate> {
    Certificate::offering(offered).expect("a certificate")
}

/// A part of a hello that lies in one record of one datagram.
fn piece(whole: &[u8], from: usize, len: usize) -> Vec<u8> {
    let (head, body) = (&whole[..25], &whole[25..]);
    let part = &body[from..body.len().min(from.saturating_add(len))];
    let mut piece = head.to_vec();
    piece[11..13].copy_from_slice(&(12 + part.len() as u16).to_be_bytes());
    piece[19..22].copy_from_slice(&(from as u32).to_be_bytes()[1..]);
    piece[22..25].copy_from_slice(&(part.len() as u32).to_be_bytes()[1..]);
    piece.extend_from_slice(part);
    piece
}
