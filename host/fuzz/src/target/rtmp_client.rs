//! What a server may say to a push of ours, or to a pull: bit 1 of the first byte. Bit 0: messages of a
//! kind and a sized body each, else chunks as they are.

use heliu_rtmp::{ClientEvent, ClientSession};

use crate::script::Script;
use crate::wire::{asked, message};

/// `REASON_LEN_MAX` characters of four bytes.
const REASON_BYTES_MAX: usize = 800;
const OUTPUT_PER_BYTE_MAX: usize = 64;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let aim = script.byte();
    let mut session = asked(if aim & 2 == 0 { ClientSession::publish } else { ClientSession::play }).0;
    if aim & 1 == 0 {
        said(&mut session, script.rest());
        return;
    }
    while !script.is_empty() {
        let kind = script.byte();
        said(&mut session, &message(kind, 0, 0, script.sized()));
    }
    session.close();
}

fn said(session: &mut ClientSession, bytes: &[u8]) {
    let outcome = session.handle_bytes(bytes);
    let output: usize = std::iter::from_fn(|| session.poll_output()).map(|bytes| bytes.len()).sum();
    assert!(output <= OUTPUT_PER_BYTE_MAX * bytes.len(), "{output} bytes in answer to {}", bytes.len());
    let events: Vec<ClientEvent> = std::iter::from_fn(|| session.poll_event()).collect();
    for event in &events {
        if let ClientEvent::Rejected(reason) = event {
            assert!(reason.len() <= REASON_BYTES_MAX && !reason.contains(char::is_control), "{reason:?}");
        }
    }
    if outcome.is_err() {
        assert_eq!(session.handle_bytes(&[3; 4_000]), Ok(()), "a session that is over reads nothing");
        assert!(session.poll_event().is_none() && session.poll_output().is_none(), "nor does it say anything");
    }
}
