//! Datagrams into a session that waits for its peer, some from the address that was checked. It never
//! believes that it is connected, what it answers is bounded, and it never waits for the past.

use std::time::Instant;

use heliu_rtc::Event;

use crate::rtc::{CHECK, address, certificate, session, steps};
use crate::script::Script;

/// A flight of DTLS and what else is due.
const ANSWERS_LEN_MAX: usize = 8 << 10;

pub fn run(data: &[u8]) {
    let mut now = Instant::now();
    let mut session = session(certificate(1), now);
    assert!(session.handle_datagram(&mut CHECK.to_vec(), address(0), now).is_none());
    for step in steps(Script::new(data)) {
        now += step.pause;
        if session.poll_timeout().is_some_and(|due| due <= now) {
            session.handle_timeout(now);
        }
        assert!(session.poll_timeout().is_none_or(|due| due > now));
        assert!(session.handle_datagram(&mut step.datagram.to_vec(), address(step.choice & 3), now).is_none());
        let mut out = Vec::new();
        while let Some(to) = session.poll_datagram(&mut out) {
            assert!((0..4).any(|n| to == address(n)), "{to} never sent anything");
        }
        assert!(out.len() <= ANSWERS_LEN_MAX, "{}", out.len());
        while let Some(event) = session.poll_event() {
            assert_ne!(event, Event::Connected);
        }
    }
    assert_eq!(session.stats().packets_received, 0);
}
