//! The handshake of RTMP 1.0 §5.2, and its variant with digests where the other side uses it.
//!
//! A server answers as it was asked. A client asks with a digest, as players do: servers that do not
//! know it see random bytes. The encrypted kind (RTMPE, versions 6 and 8) is refused.

use crate::digest::{Digest, Signer, imprint_player};
use crate::error::Error;

/// C1, C2, S1 and S2.
pub const LEN: usize = 1_536;
const VERSION: u8 = 3;
/// Behind the time; not zero says that there is a digest. Adobe's own numbers: some programs compare.
const PLAYER_VERSION: [u8; 4] = [9, 0, 124, 2];
const SERVER_VERSION: [u8; 4] = [3, 5, 1, 1];

/// One side of a handshake.
#[derive(Debug)]
pub struct Handshake {
    received: Vec<u8>,
    output: Vec<u8>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Server: C0 and C1 are awaited.
    Hello,
    /// Server: C2 is awaited.
    Echo,
    /// Client: S0, S1 and S2 are awaited.
    Answer,
    Done,
}

impl Handshake {
    pub fn server() -> Self {
        Self { received: Vec::new(), output: Vec::new(), stage: Stage::Hello }
    }

    pub fn client() -> Self {
        let mut hello = own_bytes(PLAYER_VERSION);
        imprint_player(&mut hello);
        Self { received: Vec::new(), output: [&[VERSION], &hello[..]].concat(), stage: Stage::Answer }
    }

    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Takes bytes; the answer is what follows the handshake.
    pub fn handle_bytes<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], Error> {
        while self.stage != Stage::Done && !bytes.is_empty() {
            let wanted = match self.stage {
                Stage::Hello => 1 + LEN,
                Stage::Echo => LEN,
                Stage::Answer => 1 + 2 * LEN,
                Stage::Done => 0,
            };
            let (taken, rest) = bytes.split_at(bytes.len().min(wanted - self.received.len()));
            self.received.extend(taken);
            bytes = rest;
            if self.stage != Stage::Echo && self.received.first() != Some(&VERSION) {
                return Err(Error::Handshake);
            }
            if self.received.len() == wanted {
                self.advance();
            }
        }
        Ok(bytes)
    }

    fn advance(&mut self) {
        let received = std::mem::take(&mut self.received);
        self.stage = match self.stage {
            Stage::Hello => {
                self.output.push(VERSION);
                self.output.extend(answer(&received[1..]));
                Stage::Echo
            }
            Stage::Answer => {
                self.output.extend(echo(
                    Signer::Player,
                    Digest::find(Signer::Server, &received[1..]),
                    &received[1..=LEN],
                ));
                Stage::Done
            }
            Stage::Echo | Stage::Done => Stage::Done,
        };
    }
}

/// S1 and S2.
fn answer(hello: &[u8]) -> Vec<u8> {
    let digest = Digest::find(Signer::Player, hello);
    let mut own = own_bytes(if digest.is_some() { SERVER_VERSION } else { [0; 4] });
    if let Some(digest) = &digest {
        digest.imprint_answer(&mut own);
    }
    own.extend(echo(Signer::Server, digest, hello));
    own
}

/// C2 or S2: the other's bytes as they came, or signed bytes of our own.
fn echo(signer: Signer, digest: Option<Digest>, hello: &[u8]) -> Vec<u8> {
    let Some(digest) = digest else { return hello.to_vec() };
    let mut own = own_bytes([0; 4]);
    digest.sign_echo(signer, &mut own);
    own
}

/// Time zero, a version, then bytes that need not be random: nobody proves anything with them.
fn own_bytes(version: [u8; 4]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend(version);
    bytes.extend((8..LEN).map(|at| (at * 31 % 251) as u8));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_answered_by_a_digest_and_plain_bytes_by_an_echo() {
        let mut plain = own_bytes([0; 4]);
        let mut wrong = own_bytes(PLAYER_VERSION);
        let mut first_block = own_bytes(PLAYER_VERSION);
        imprint_player(&mut first_block);
        // What librtmp calls scheme 1: the digest's block stands behind the key's.
        let second_block = [&own_bytes(PLAYER_VERSION)[..]].concat();
        let second_block = crate::digest::tests::imprinted_behind(second_block);
        (plain[100], wrong[200]) = (1, 2);
        for (what, hello, is_digest) in [
            ("no version", &plain, false),
            ("a version without a digest", &wrong, false),
            ("a digest in the first block", &first_block, true),
            ("a digest in the second block", &second_block, true),
        ] {
            let mut server = Handshake::server();
            server.handle_bytes(&[&[VERSION], &hello[..]].concat()).unwrap();
            let output = server.take_output();
            let (own, echo) = output[1..].split_at(LEN);
            let found = Digest::find(Signer::Server, own);
            assert_eq!(found.is_some(), is_digest, "{what}");
            assert_eq!(echo == &hello[..], !is_digest, "{what}");
            assert_eq!(own[4..8] != [0; 4], is_digest, "{what}");
        }
    }

    #[test]
    fn both_sides_of_ours_shake_hands() {
        let (mut client, mut server) = (Handshake::client(), Handshake::server());
        server.handle_bytes(&client.take_output()).unwrap();
        client.handle_bytes(&server.take_output()).unwrap();
        let rest = [&client.take_output()[..], b"more"].concat();
        assert_eq!(server.handle_bytes(&rest), Ok(&b"more"[..]));
        assert!(client.is_done() && server.is_done());
    }

    #[test]
    fn encrypted_and_foreign_beginnings_are_refused() {
        for first in [6, 8, 0, b'G', 0x16] {
            assert_eq!(Handshake::server().handle_bytes(&[first]), Err(Error::Handshake), "{first}");
            assert_eq!(Handshake::client().handle_bytes(&[first]), Err(Error::Handshake), "{first}");
        }
    }
}
