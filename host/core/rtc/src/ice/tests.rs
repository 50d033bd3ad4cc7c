//! A peer that checks by another implementation of STUN, and strangers that do as if.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rtc_stun::attributes::{
    ATTR_ICE_CONTROLLED, ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_UNKNOWN_ATTRIBUTES, ATTR_USE_CANDIDATE,
    ATTR_USERNAME, AttrType,
};
use rtc_stun::crypto::{RTCCryptoProvider, default_provider};
use rtc_stun::error_code::ErrorCodeAttribute;
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Getter, Message, Setter, TransactionId};
use rtc_stun::textattrs::TextAttribute;
use rtc_stun::xoraddr::XorMappedAddress;

use super::{Agent, Credentials, Heard, local_ufrag};
use crate::discard::Discard;

const CONSENT: Duration = Duration::from_secs(15);

#[test]
fn a_check_is_answered_with_its_address() {
    for from in ["192.0.2.7:40000", "[2001:db8::7]:50000", "[::ffff:192.0.2.7]:40000"] {
        let from: SocketAddr = from.parse().unwrap();
        let (mut agent, check) = (agent(), Check::new());
        let mut reply = Vec::new();
        let heard = agent.handle_datagram(&check.bytes(), from, Instant::now(), &mut reply).unwrap();
        assert_eq!(heard, Heard { validated: Some(from), ..Heard::default() });

        let answer = read(&reply);
        let mut mapped = XorMappedAddress::default();
        mapped.get_from(&answer).unwrap();
        assert_eq!((answer.typ, answer.transaction_id), (BINDING_SUCCESS, check.transaction));
        assert_eq!((mapped.ip, mapped.port), (from.ip().to_canonical(), from.port()));
        assert!(agent.is_valid(from));
    }
}

#[test]
fn what_is_no_check_of_the_peer_is_not_answered_and_changes_nothing() {
    let whole = Check::new().bytes();
    let wrong_fingerprint = {
        let mut bytes = whole.clone();
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    };
    for (what, bytes, want) in [
        ("unknown ufrag", Check { username: "nobody:them", ..Check::new() }.bytes(), Discard::StunForeign),
        ("unknown peer", Check { username: "ours:nobody", ..Check::new() }.bytes(), Discard::StunForeign),
        ("wrong password", Check { pwd: "guessed", ..Check::new() }.bytes(), Discard::StunUnauthenticated),
        ("the peer's password", Check { pwd: "their password", ..Check::new() }.bytes(), Discard::StunUnauthenticated),
        ("no integrity", Check { is_signed: false, ..Check::new() }.bytes(), Discard::StunMalformed),
        ("wrong fingerprint", wrong_fingerprint, Discard::StunMalformed),
        ("something behind", [&whole[..], &[0; 4]].concat(), Discard::StunMalformed),
        ("cut", whole[..whole.len() - 4].to_vec(), Discard::StunMalformed),
        ("an answer", read_bytes(BINDING_SUCCESS), Discard::StunMalformed),
    ] {
        let (mut agent, mut reply) = (agent(), Vec::new());
        assert_eq!(agent.handle_datagram(&bytes, at(9), Instant::now(), &mut reply), Err(want), "{what}");
        assert!(reply.is_empty() && !agent.is_valid(at(9)) && agent.path().is_none(), "{what}");
    }
}

#[test]
fn nothing_behind_the_integrity_is_believed() {
    let (mut agent, mut reply) = (agent(), Vec::new());
    let mut bytes = Check { has_fingerprint: false, ..Check::new() }.bytes();
    // USE-CANDIDATE and ICE-CONTROLLED, put there by somebody on the way.
    bytes.extend_from_slice(&[0x00, 0x25, 0, 0, 0x80, 0x29, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    let len = u16::try_from(bytes.len() - 20).unwrap();
    bytes[2..4].copy_from_slice(&len.to_be_bytes());
    let heard = agent.handle_datagram(&bytes, at(9), Instant::now(), &mut reply).unwrap();
    assert_eq!((heard.selected, read(&reply).typ), (None, BINDING_SUCCESS));
}

#[test]
fn requests_that_cannot_be_served_are_refused_with_their_reason() {
    for (what, extra, code) in [
        ("role conflict", (ATTR_ICE_CONTROLLED, &[0; 8][..]), 487),
        ("unknown attribute", (AttrType(0x7777), &[1, 2, 3]), 420),
    ] {
        let (mut agent, mut reply) = (agent(), Vec::new());
        let check = Check { extra: Some(extra), ..Check::new() };
        let heard = agent.handle_datagram(&check.bytes(), at(9), Instant::now(), &mut reply).unwrap();
        assert_eq!((heard, agent.is_valid(at(9))), (Heard::default(), false), "{what}");
        let answer = read(&reply);
        let mut error = ErrorCodeAttribute::default();
        error.get_from(&answer).unwrap();
        assert_eq!(error.code.0, code, "{what}");
        let unknown = answer.get(ATTR_UNKNOWN_ATTRIBUTES).ok();
        assert_eq!(unknown, (code == 420).then(|| vec![0x77, 0x77]), "{what}");
    }
}

#[test]
fn the_newest_nomination_wins_and_the_old_pair_stays_valid() {
    let (mut agent, start) = (agent(), Instant::now());
    for (what, address, is_nominating, path) in [
        ("checked only", at(1), false, at(1)),
        ("a later check", at(2), false, at(2)),
        ("nominated", at(1), true, at(1)),
        ("another is checked", at(2), false, at(1)),
        ("and nominated", at(2), true, at(2)),
        ("the first again", at(1), true, at(1)),
    ] {
        check(&mut agent, &Check { is_nominating, ..Check::new() }, address, start);
        assert_eq!(agent.path(), Some(path), "{what}");
    }
    assert!(agent.is_valid(at(1)) && agent.is_valid(at(2)));
}

#[test]
fn pairs_are_bounded_and_the_selected_one_stays() {
    let (mut agent, start) = (agent(), Instant::now());
    check(&mut agent, &Check { is_nominating: true, ..Check::new() }, at(0), start);
    let mut forgotten = Vec::new();
    for n in 1..1_000 {
        let now = start + Duration::from_millis(u64::from(n));
        forgotten.extend(check(&mut agent, &Check::new(), at(n), now).forgotten);
    }
    assert_eq!(agent.path(), Some(at(0)));
    assert_eq!((0..1_000).filter(|n| agent.is_valid(at(*n))).count(), 16);
    assert_eq!(forgotten, (1..985).map(at).collect::<Vec<_>>());
}

#[test]
fn a_pair_is_over_when_it_is_not_checked() {
    let (mut agent, start) = (agent(), Instant::now());
    check(&mut agent, &Check { is_nominating: true, ..Check::new() }, at(1), start);
    check(&mut agent, &Check::new(), at(2), start + Duration::from_secs(10));
    assert_eq!(agent.poll_timeout(), Some(start + CONSENT));
    assert_eq!(agent.poll_expired(start + CONSENT - Duration::from_millis(1)), None);
    assert_eq!(agent.poll_expired(start + CONSENT), Some(at(1)));
    assert_eq!((agent.path(), agent.poll_expired(start + CONSENT)), (Some(at(2)), None));
    assert_eq!(agent.poll_expired(start + Duration::from_secs(25)), Some(at(2)));
    assert_eq!((agent.path(), agent.poll_timeout()), (None, None));
}

#[test]
fn a_restart_keeps_the_old_pair_until_the_new_one_is_nominated() {
    let (mut agent, now) = (agent(), Instant::now());
    let old = Check { is_nominating: true, ..Check::new() };
    check(&mut agent, &old, at(1), now);
    agent.restart(credentials("fresh", "fresh password"), credentials("them2", "their second password"));
    assert_eq!(agent.ufrags().collect::<Vec<_>>(), ["fresh", "ours"]);

    let new = Check { username: "fresh:them2", pwd: "fresh password", ..Check::new() };
    check(&mut agent, &old, at(1), now);
    check(&mut agent, &new, at(2), now);
    assert_eq!(agent.path(), Some(at(1)), "the old one flows");
    let mixed = Check { username: "fresh:them", pwd: "fresh password", ..Check::new() };
    assert_eq!(agent.handle_datagram(&mixed.bytes(), at(3), now, &mut Vec::new()), Err(Discard::StunForeign));

    let heard = check(&mut agent, &Check { is_nominating: true, ..new }, at(2), now);
    assert_eq!((heard.selected, agent.path()), (Some(at(2)), Some(at(2))));
    assert_eq!(agent.ufrags().collect::<Vec<_>>(), ["fresh"]);
    assert_eq!(agent.handle_datagram(&old.bytes(), at(1), now, &mut Vec::new()), Err(Discard::StunForeign));
}

#[test]
fn a_session_is_found_by_its_own_fragment() {
    assert_eq!(local_ufrag(&Check::new().bytes()), Some("ours"));
    assert_eq!(local_ufrag(&Check { username: "no colon", ..Check::new() }.bytes()), None);
    assert_eq!(local_ufrag(b"\x80 rtp"), None);
}

#[test]
fn passwords_are_not_told() {
    assert!(!format!("{:?}", agent()).contains("password"));
}

/// A binding request of the peer, or nearly one.
#[derive(Clone, Copy)]
struct Check {
    transaction: TransactionId,
    username: &'static str,
    pwd: &'static str,
    is_nominating: bool,
    is_signed: bool,
    has_fingerprint: bool,
    extra: Option<(AttrType, &'static [u8])>,
}

impl Check {
    fn new() -> Self {
        Self {
            transaction: TransactionId([5; 12]),
            username: "ours:them",
            pwd: "our password",
            is_nominating: false,
            is_signed: true,
            has_fingerprint: true,
            extra: None,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut message = Message::new();
        let username = TextAttribute::new(ATTR_USERNAME, self.username.to_owned());
        message.build(&[Box::new(BINDING_REQUEST), Box::new(self.transaction), Box::new(username)]).unwrap();
        message.add(ATTR_PRIORITY, &[0, 0, 1, 0]);
        match self.extra {
            Some((kind, value)) => message.add(kind, value),
            None => message.add(ATTR_ICE_CONTROLLING, &[0; 8]),
        }
        if self.is_nominating {
            message.add(ATTR_USE_CANDIDATE, &[]);
        }
        let provider = default_provider().unwrap();
        if self.is_signed {
            integrity(self.pwd, &*provider).add_to(&mut message).unwrap();
        }
        if self.has_fingerprint {
            FINGERPRINT.add_to(&mut message).unwrap();
        }
        message.raw
    }
}

fn integrity<'a>(pwd: &str, provider: &'a dyn RTCCryptoProvider) -> MessageIntegrity<'a> {
    MessageIntegrity::new_short_term_integrity_with_provider(pwd.to_owned(), provider.crypto())
}

fn check(agent: &mut Agent, check: &Check, from: SocketAddr, now: Instant) -> Heard {
    agent.handle_datagram(&check.bytes(), from, now, &mut Vec::new()).unwrap()
}

/// An answer that another implementation finds signed and whole.
fn read(reply: &[u8]) -> Message {
    let mut answer = Message::new();
    answer.unmarshal_binary(reply).unwrap();
    FINGERPRINT.check(&answer).unwrap();
    let provider = default_provider().unwrap();
    MessageIntegrity::check(&mut answer, b"our password", provider.crypto()).unwrap();
    answer
}

fn read_bytes(kind: impl Setter + 'static) -> Vec<u8> {
    let mut message = Message::new();
    message.build(&[Box::new(kind), Box::new(TransactionId([5; 12]))]).unwrap();
    message.raw
}

fn agent() -> Agent {
    Agent::new(credentials("ours", "our password"), credentials("them", "their password"), CONSENT)
}

fn credentials(ufrag: &str, pwd: &str) -> Credentials {
    Credentials { ufrag: ufrag.to_owned(), pwd: pwd.to_owned() }
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 1_000 + port))
}
