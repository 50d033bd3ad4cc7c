//! The other end: checks by `rtc-stun`, a handshake by `rtc-dtls`, media by `rtc-srtp`.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heliu_model::{Kind, MediaTime};
use heliu_rtp::rtcp::{self, Rtcp};
use heliu_rtp::{HeaderFields, write_header};
use heliu_sim::Link;
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;
use rtc_stun::attributes::{ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME};
use rtc_stun::crypto::default_provider;
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId, is_stun_message};
use rtc_stun::textattrs::TextAttribute;

use super::super::{Config, Event, Outgoing, Session};
use crate::agreement::{Agreement, DtlsRole};
use crate::dtls::{Certificate, Dtls, Keys, Outcome};
use crate::fingerprint::Fingerprint;
use crate::ice::Credentials;
use crate::line::{Codec, Direction, ExtensionIds, Feedback, MLine};
use crate::srtp::{MasterKey, Profile};

const CHECK_FIRST: Duration = Duration::from_millis(50);
const CHECK_LATER: Duration = Duration::from_millis(2_500);

/// A session, its peer, and what lies between.
pub struct World {
    pub config: Arc<Config>,
    pub session: Session,
    pub peer: Peer,
    start: Instant,
    millis: i64,
    there: Link<(SocketAddr, Vec<u8>)>,
    back: Link<(SocketAddr, Vec<u8>)>,
    events: Vec<Event>,
    received: Vec<(usize, u16, Vec<u8>, bool)>,
    sequence: u16,
}

/// Line, sequence number, payload, and whether it came again.
impl World {
    /// The peer publishes pictures on line 0 and plays sound on line 1.
    pub fn new(role: DtlsRole, profiles: &[Profile], loss: f64, seed: u64) -> Self {
        let start = Instant::now();
        let certificate = Certificate::generate().unwrap();
        let config = Arc::new(Config {
            certificate: certificate.clone(),
            consent: Duration::from_secs(15),
            connect_max: Duration::from_secs(30),
            cname: "cname".to_owned(),
        });
        let peer = Peer::new(role, profiles, certificate.fingerprint().clone());
        let session = Session::new(config.clone(), agreement(role, peer.fingerprint.clone()), start);
        let link = |seed| Link::new(Duration::from_millis(20), seed).loss(loss);
        Self {
            config,
            session,
            peer,
            start,
            millis: 0,
            there: link(seed),
            back: link(seed + 1_000),
            events: Vec::new(),
            received: Vec::new(),
            sequence: 1_000,
        }
    }

    /// Connected over a good link.
    pub fn connected() -> Self {
        let mut world = Self::new(DtlsRole::Server, &[Profile::AeadAes128Gcm], 0.0, 1);
        world.connect();
        world
    }

    pub fn connect(&mut self) {
        self.run(Duration::from_millis(800));
        assert!(self.events.contains(&Event::Connected), "{:?} {:?}", self.events, self.session.stats().discards);
        assert!(self.peer.media.is_some());
    }

    pub fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.millis.unsigned_abs())
    }

    pub fn run(&mut self, span: Duration) {
        for _ in 0..span.as_millis() {
            self.step();
            self.millis += 1;
        }
    }

    fn step(&mut self) {
        let (now, at) = (self.now(), MediaTime::from_millis(self.millis));
        while let Some((from, mut datagram)) = self.there.poll(at) {
            if let Some(incoming) = self.session.handle_datagram(&mut datagram, from, now) {
                let view = incoming.view;
                let packet = (incoming.line, view.sequence(), view.payload().to_vec(), incoming.is_retransmission);
                self.received.push(packet);
            }
        }
        while let Some((to, datagram)) = self.back.poll(at) {
            self.peer.handle_datagram(&datagram, to, now);
        }
        if self.session.poll_timeout().is_some_and(|due| due <= now) {
            self.session.handle_timeout(now);
        }
        self.peer.handle_timeout(now);
        let mut out = Vec::new();
        while let Some(to) = self.session.poll_datagram(&mut out) {
            self.back.send((to, std::mem::take(&mut out)), at);
        }
        while let Some(sent) = self.peer.outbox.pop_front() {
            self.there.send(sent, at);
        }
        while let Some(event) = self.session.poll_event() {
            self.events.push(event);
        }
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    pub fn take_received(&mut self) -> Vec<(usize, u16, Vec<u8>, bool)> {
        std::mem::take(&mut self.received)
    }

    pub fn publish(&mut self, _line: usize, sequence: u16, payload: &[u8]) {
        let sealed = self.peer.seal_rtp(0x1111, 96, sequence, payload, &[]);
        self.peer.outbox.push_back((self.peer.address, sealed));
    }

    pub fn publish_rtx(&mut self, ssrc: u32, kind: u8, sequence: u16, original: u16, payload: &[u8]) {
        let payload = [&original.to_be_bytes(), payload].concat();
        let sealed = self.peer.seal_rtp(ssrc, kind, sequence, &payload, &[(4, b"0")]);
        self.peer.outbox.push_back((self.peer.address, sealed));
    }

    pub fn play(&mut self, line: usize, packet: &Outgoing, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(self.session.seal(line, packet, payload, &mut out, None));
        out
    }

    pub fn next_sequence(&mut self) -> u16 {
        self.sequence += 1;
        self.sequence
    }

    /// Sequence numbers that the peer was asked for since the last call.
    pub fn asked(&mut self) -> Vec<u16> {
        let mut asked = Vec::new();
        for compound in self.peer.take_rtcp() {
            for packet in rtcp::parse(&compound) {
                if let Rtcp::Nack { media_ssrc: 0x1111, lost, .. } = packet.unwrap() {
                    asked.extend(lost);
                }
            }
        }
        asked
    }

    pub fn peer_sends_rtcp(&mut self, compound: &[u8]) {
        let media = self.peer.media.as_mut().expect("connected");
        let sealed = media.outbound.encrypt_rtcp(compound).unwrap().to_vec();
        self.peer.outbox.push_back((self.peer.address, sealed));
    }

    /// The ClientHello of somebody who knows nothing.
    pub fn stranger_hello(&self) -> Vec<u8> {
        let certificate = Certificate::generate().unwrap();
        let mut stranger = Dtls::new(DtlsRole::Client, certificate, Fingerprint::of(b"anybody"));
        stranger.start(self.start);
        stranger.poll_transmit().expect("a hello").to_vec()
    }
}

/// A browser, in a way.
pub struct Peer {
    local: Credentials,
    remote: Credentials,
    pub fingerprint: Fingerprint,
    /// Where it sends from.
    pub address: SocketAddr,
    /// Where it checks from.
    checking: SocketAddr,
    check_at: Option<Instant>,
    is_answered: bool,
    pub is_silent: bool,
    checks: u64,
    dtls: Dtls,
    pub media: Option<Media>,
    pub was_told_goodbye: bool,
    rtcp: Vec<Vec<u8>>,
    pub outbox: VecDeque<(SocketAddr, Vec<u8>)>,
}

pub struct Media {
    pub inbound: Context,
    pub outbound: Context,
}

impl Peer {
    fn new(role: DtlsRole, profiles: &[Profile], remote: Fingerprint) -> Self {
        let certificate = Certificate::offering(profiles).unwrap();
        let role = match role {
            DtlsRole::Server => DtlsRole::Client,
            DtlsRole::Client => DtlsRole::Server,
        };
        Self {
            local: credentials("them", "their password"),
            remote: credentials("ours", "our password"),
            fingerprint: certificate.fingerprint().clone(),
            address: address(1),
            checking: address(1),
            check_at: None,
            is_answered: false,
            is_silent: false,
            checks: 0,
            dtls: Dtls::new(role, certificate, remote),
            media: None,
            was_told_goodbye: false,
            rtcp: Vec::new(),
            outbox: VecDeque::new(),
        }
    }

    /// Checks from another address, and uses it when that was answered.
    pub fn move_to(&mut self, address: SocketAddr) {
        (self.checking, self.check_at, self.is_answered) = (address, None, false);
    }

    pub fn restart(&mut self, remote: Credentials, local: Credentials, address: SocketAddr) {
        (self.remote, self.local) = (remote, local);
        self.move_to(address);
    }

    pub fn close(&mut self, now: Instant) {
        self.dtls.close(now);
        self.flush_dtls();
    }

    pub fn take_rtcp(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.rtcp)
    }

    pub fn seal_rtp(
        &mut self,
        ssrc: u32,
        payload_type: u8,
        sequence: u16,
        payload: &[u8],
        extensions: &[(u8, &[u8])],
    ) -> Vec<u8> {
        let mut packet = Vec::new();
        let fields = HeaderFields { payload_type, marker: true, sequence, timestamp: 3_000, ssrc };
        write_header(&mut packet, &fields, extensions);
        packet.extend_from_slice(payload);
        self.media.as_mut().expect("connected").outbound.encrypt_rtp(&packet).unwrap().to_vec()
    }

    pub fn open_rtp(&mut self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.media.as_mut()?.inbound.decrypt_rtp(sealed).ok().map(|plain| plain.to_vec())
    }

    fn handle_timeout(&mut self, now: Instant) {
        if !self.is_silent && self.check_at.is_none_or(|at| at <= now) {
            self.checks += 1;
            self.check_at = Some(now + if self.is_answered { CHECK_LATER } else { CHECK_FIRST });
            let check = self.check();
            self.outbox.push_back((self.checking, check));
        }
        self.dtls.handle_timeout(now);
        self.flush_dtls();
    }

    fn handle_datagram(&mut self, datagram: &[u8], to: SocketAddr, now: Instant) {
        if is_stun_message(datagram) {
            let mut answer = Message::new();
            answer.unmarshal_binary(datagram).unwrap();
            assert_eq!(answer.typ, BINDING_SUCCESS);
            if to == self.checking {
                (self.address, self.is_answered) = (to, true);
                self.dtls.start(now);
            }
        } else if datagram[0] < 64 {
            match self.dtls.handle_datagram(datagram, now) {
                Ok(Outcome::Connected(keys)) => self.media = Some(Media::new(&keys)),
                Ok(Outcome::Closed) => self.was_told_goodbye = true,
                Ok(Outcome::Nothing | Outcome::Failed(_)) | Err(_) => {}
            }
        } else if let Some(media) = &mut self.media {
            self.rtcp.push(media.inbound.decrypt_rtcp(datagram).expect("sealed for us").to_vec());
        }
        self.flush_dtls();
    }

    fn flush_dtls(&mut self) {
        while let Some(datagram) = self.dtls.poll_transmit() {
            self.outbox.push_back((self.address, datagram.to_vec()));
        }
    }

    fn check(&self) -> Vec<u8> {
        let mut message = Message::new();
        let mut transaction = [0; 12];
        transaction[..8].copy_from_slice(&self.checks.to_be_bytes());
        let username = format!("{}:{}", self.remote.ufrag, self.local.ufrag);
        let username = TextAttribute::new(ATTR_USERNAME, username);
        message.build(&[Box::new(BINDING_REQUEST), Box::new(TransactionId(transaction)), Box::new(username)]).unwrap();
        message.add(ATTR_PRIORITY, &[0, 0, 1, 0]);
        message.add(ATTR_ICE_CONTROLLING, &[0; 8]);
        message.add(ATTR_USE_CANDIDATE, &[]);
        let provider = default_provider().unwrap();
        let password = self.remote.pwd.clone();
        MessageIntegrity::new_short_term_integrity_with_provider(password, provider.crypto())
            .add_to(&mut message)
            .unwrap();
        FINGERPRINT.add_to(&mut message).unwrap();
        message.raw
    }
}

impl Media {
    fn new(keys: &Keys) -> Self {
        Self { inbound: context(&keys.inbound), outbound: context(&keys.outbound) }
    }
}

fn context(key: &MasterKey) -> Context {
    let profile = match key.profile {
        Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Profile::Aes128CmSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
    };
    let provider = default_provider().unwrap();
    Context::new(&key.key, &key.salt[..key.profile.salt_len()], profile, None, None, provider.crypto()).unwrap()
}

pub fn agreement(role: DtlsRole, remote_fingerprint: Fingerprint) -> Agreement {
    let extensions = ExtensionIds { mid: Some(4), twcc: Some(3), audio_level: Some(1), ..ExtensionIds::default() };
    let feedback = Feedback { nack: true, pli: true, twcc: true };
    let pictures = MLine {
        mid: "0".to_owned(),
        kind: Kind::Video,
        direction: Direction::Receive,
        codec: Some(Codec::H264),
        payload_type: 96,
        rtx_payload_type: Some(97),
        clock_rate: 90_000,
        parameters: String::new(),
        extensions,
        feedback,
        ssrcs: vec![0x1111],
        rtx_ssrcs: vec![0x1112],
        rids: Vec::new(),
    };
    let sound = MLine {
        mid: "1".to_owned(),
        kind: Kind::Audio,
        direction: Direction::Send,
        codec: Some(Codec::Opus),
        payload_type: 111,
        rtx_payload_type: Some(112),
        clock_rate: 48_000,
        ssrcs: vec![0x2222],
        rtx_ssrcs: vec![0x2223],
        ..pictures.clone()
    };
    Agreement {
        lines: vec![pictures, sound],
        local: credentials("ours", "our password"),
        remote: credentials("them", "their password"),
        remote_fingerprint,
        dtls: role,
    }
}

pub fn credentials(ufrag: &str, pwd: &str) -> Credentials {
    Credentials { ufrag: ufrag.to_owned(), pwd: pwd.to_owned() }
}

pub fn address(n: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 5_000 + n))
}

pub fn outgoing(sequence: u16) -> Outgoing {
    Outgoing { sequence, timestamp: 960 * u32::from(sequence), ..Outgoing::default() }
}
