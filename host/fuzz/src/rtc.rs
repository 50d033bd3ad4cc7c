//! WebRTC sessions in the states that targets begin with, and the steps that an input makes.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use heliu_model::Kind;
use heliu_rtc::{
    Agreement, Certificate, Codec, Config, Credentials, Direction, Dtls, DtlsRole, ExtensionIds, Feedback, Fingerprint,
    Keys, MLine, Outcome, Session,
};

use crate::script::Script;

/// A check of the peer, signed: behind four bytes, as the corpus of `rtc_stun` has it.
pub const CHECK: &[u8] = include_bytes!("../corpus/rtc_stun/seed-check").split_at(4).1;

/// What the sender of a datagram does.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Which address, and what else a target makes of it.
    pub choice: u8,
    /// Passes before the datagram.
    pub pause: Duration,
    pub datagram: &'a [u8],
}

/// One byte of choice, one of milliseconds (times four), and a sized datagram each.
pub fn steps(mut script: Script<'_>) -> impl Iterator<Item = Step<'_>> {
    std::iter::from_fn(move || {
        (!script.is_empty()).then(|| Step {
            choice: script.byte(),
            pause: Duration::from_millis(4 * u64::from(script.byte())),
            datagram: script.sized(),
        })
    })
}

/// The peer publishes pictures on line 0 and plays sound on line 1.
pub fn session(remote: &Certificate, now: Instant) -> Session {
    let config = Config {
        certificate: Arc::clone(certificate(0)),
        consent: Duration::from_secs(15),
        connect_max: Duration::from_secs(30),
        cname: "cname".to_owned(),
    };
    Session::new(Arc::new(config), agreement(remote.fingerprint().clone()), now)
}

/// Ours, the peer's: made once.
pub fn certificate(whose: usize) -> &'static Arc<Certificate> {
    static MADE: [OnceLock<Arc<Certificate>>; 2] = [const { OnceLock::new() }; 2];
    MADE[whose].get_or_init(|| Certificate::generate().expect("there is randomness"))
}

/// Shakes hands with a session that has checked address 0; the peer's keys.
pub fn shake_hands(session: &mut Session, now: Instant) -> Keys {
    let mut peer = Dtls::new(DtlsRole::Client, Arc::clone(certificate(1)), certificate(0).fingerprint().clone());
    peer.start(now);
    let mut out = Vec::new();
    for _ in 0..8 {
        while let Some(datagram) = peer.poll_transmit() {
            session.handle_datagram(&mut datagram.to_vec(), address(0), now);
        }
        while session.poll_datagram(&mut out).is_some() {
            if let Ok(Outcome::Connected(keys)) = peer.handle_datagram(&std::mem::take(&mut out), now) {
                return *keys;
            }
        }
    }
    panic!("nobody disturbs this handshake");
}

pub fn address(n: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 5_000 + u16::from(n)))
}

pub fn credentials(ufrag: &str, pwd: &str) -> Credentials {
    Credentials { ufrag: ufrag.to_owned(), pwd: pwd.to_owned() }
}

fn agreement(remote_fingerprint: Fingerprint) -> Agreement {
    let pictures = MLine {
        mid: "0".to_owned(),
        kind: Kind::Video,
        direction: Direction::Receive,
        codec: Some(Codec::H264),
        payload_type: 96,
        rtx_payload_type: Some(97),
        clock_rate: 90_000,
        parameters: String::new(),
        extensions: ExtensionIds { mid: Some(4), twcc: Some(3), rid: Some(5), ..ExtensionIds::default() },
        feedback: Feedback { nack: true, pli: true, twcc: true },
        ssrcs: vec![0x1111],
        rtx_ssrcs: vec![0x1112],
        rids: vec!["h".to_owned(), "l".to_owned()],
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
        dtls: DtlsRole::Server,
    }
}
