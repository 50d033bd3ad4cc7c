//! The first bytes of a connection, on both sides. One byte seeds how the others are cut.

use heliu_model::RtmpUrl;
use heliu_rtmp::{ClientSession, ServerSession};

use crate::script::{Script, pieces};
use crate::wire::{Answer, hear};

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let seed = script.byte();
    let bytes = script.rest();
    hear(ServerSession::new, bytes, seed, Answer::Accept);
    assert_eq!(client(&[bytes]), client(&pieces(bytes, seed)), "the same bytes in other pieces");
}

/// How it ended and what it said.
fn client(parts: &[&[u8]]) -> (bool, Vec<u8>) {
    let url = RtmpUrl::parse("rtmp://h/live/key").expect("a URL");
    let mut session = ClientSession::publish(&url);
    let is_over = parts.iter().any(|part| session.handle_bytes(part).is_err());
    let said: Vec<u8> = std::iter::from_fn(|| session.poll_output()).flatten().collect();
    assert!(said.len() <= 8_192 + 4 * parts.iter().map(|part| part.len()).sum::<usize>(), "{} bytes", said.len());
    (is_over, said)
}
