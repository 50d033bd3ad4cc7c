//! A peer with keys: what it publishes, and what it says of what it plays. Packets are put on the line
//! that receives, requests are about what was sent, answers are bounded, and nothing waits for the past.

use std::time::Instant;

use heliu_rtc::srtp::{Outbound, Stream};
use heliu_rtc::{Event, Outgoing, Session};
use heliu_rtp::is_rtcp;

use crate::rtc::{CHECK, address, certificate, session, shake_hands, steps};
use crate::script::Script;

const STEPS_MAX: usize = 64;
/// Feedback of all streams.
const ANSWERS_LEN_MAX: usize = 64 << 10;

pub fn run(data: &[u8]) {
    let mut now = Instant::now();
    let mut session = session(certificate(1), now);
    session.handle_datagram(&mut CHECK.to_vec(), address(0), now);
    let keys = shake_hands(&mut session, now);
    let mut outbound = Outbound::new(&keys.outbound);
    let mut streams: Vec<Stream> = Vec::new();
    session.set_clock(1, now, 0);
    for (sequence, step) in (1..).zip(steps(Script::new(data)).take(STEPS_MAX)) {
        now += step.pause;
        if session.poll_timeout().is_some_and(|due| due <= now) {
            session.handle_timeout(now);
        }
        assert!(session.poll_timeout().is_none_or(|due| due > now));
        let mut datagram = step.datagram.to_vec();
        if seal(&mut outbound, &mut streams, &mut datagram)
            && let Some(incoming) = session.handle_datagram(&mut datagram, address(0), now)
        {
            assert_eq!((incoming.line, incoming.view.payload_type()), (0, 96));
            assert!(incoming.view.payload().len() < step.datagram.len());
        }
        if step.choice & 1 > 0 {
            session.request_keyframe(0, now);
        }
        session.seal(1, &Outgoing { sequence, ..Outgoing::default() }, b"sound", &mut Vec::new(), None);
        drain(&mut session, sequence);
    }
    session.close(now);
    assert!(session.poll_timeout().is_none());
}

fn drain(session: &mut Session, sequence: u16) {
    while let Some(event) = session.poll_event() {
        if let Event::Retransmit { line, sequence: lost } = event {
            assert!(line == 1 && (1..=sequence).contains(&lost));
            let packet = Outgoing { sequence: lost, ..Outgoing::default() };
            assert!(session.seal_retransmission(line, &packet, b"sound", &mut Vec::new()) || session.is_closed());
        }
    }
    let mut out = Vec::new();
    while session.poll_datagram(&mut out).is_some() {}
    assert!(out.len() <= ANSWERS_LEN_MAX, "{}", out.len());
}

/// As the peer does; what cannot be sealed it does not send.
fn seal(outbound: &mut Outbound, streams: &mut Vec<Stream>, packet: &mut Vec<u8>) -> bool {
    if is_rtcp(packet) {
        return outbound.seal_rtcp(packet, 0);
    }
    let Ok(header_len) = heliu_rtp::header_len(packet) else { return false };
    let ssrc = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
    let known = streams.iter().position(|stream| stream.ssrc() == ssrc);
    let at = known.unwrap_or_else(|| {
        streams.push(Stream::new(ssrc));
        streams.len() - 1
    });
    outbound.seal_rtp(&mut streams[at], packet, 0, header_len)
}
