//! A whole connection: handshake, messages that a script writes, bytes of a stranger, in any pieces.
//!
//! The script: a seed, an answer, then steps. A step is a kind and a sized body: kinds with the highest
//! bit are bytes as they are, others are messages of that kind.

use heliu_rtmp::ServerSession;

use crate::script::Script;
use crate::wire::{Answer, hear, message};

const HANDSHAKE_LEN: usize = 1 + 2 * 1_536;
const RAW: u8 = 0x80;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let (seed, answer) = (script.byte(), Answer::of(script.byte()));
    let mut wire = vec![0; HANDSHAKE_LEN];
    wire[0] = 3;
    // The script's bodies may be longer than a fresh session's chunks.
    wire.extend_from_slice(&message(1, 0, 0, &[0, 1, 0, 0]));
    while !script.is_empty() {
        let kind = script.byte();
        let body = script.sized();
        if kind & RAW == 0 {
            wire.extend_from_slice(&message(kind, 0, 1, body));
        } else {
            wire.extend_from_slice(body);
        }
    }
    hear(ServerSession::new, &wire, seed, answer);
}
