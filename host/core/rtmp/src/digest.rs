//! The digest a player or server of Adobe's hides in its handshake, which some of either ask for before
//! they move H.264. Not in the specification; known from Adobe's products and every server since.
//!
//! It proves nothing to anybody: the keys are public.

use std::ops::Range;

use aws_lc_rs::hmac;

use crate::handshake::LEN;

const DIGEST_LEN: usize = 32;
/// Where the block with the digest begins: before the block for key exchange, or behind it.
const BLOCKS: [usize; 2] = [8, 772];
/// Offsets are taken modulo this.
const OFFSETS: usize = 728;
/// Of the keys, the readable part signs C1 and S1, all of it C2 and S2.
const PLAYER_KEY: &[u8] = b"Genuine Adobe Flash Player 001";
const SERVER_KEY: &[u8] = b"Genuine Adobe Flash Media Server 001";
const KEY_TAIL: [u8; 32] = [
    0xf0, 0xee, 0xc2, 0x4a, 0x80, 0x68, 0xbe, 0xe8, 0x2e, 0x00, 0xd0, 0xd1, 0x02, 0x9e, 0x7e, 0x57, 0x6e, 0xec, 0x5d,
    0x2d, 0x29, 0x80, 0x6f, 0xab, 0x93, 0xb8, 0xe6, 0x36, 0xcf, 0xeb, 0x31, 0xae,
];

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    Player,
    Server,
}

/// A digest that was found, and where its block begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    block: usize,
    bytes: [u8; DIGEST_LEN],
}

impl Digest {
    /// Looks for a valid one in C1 or S1.
    pub fn find(signer: Signer, hello: &[u8]) -> Option<Self> {
        let hello = hello.get(..LEN)?;
        BLOCKS.into_iter().find_map(|block| {
            let place = place(hello, block);
            let bytes = hello[place.clone()].try_into().ok()?;
            (sign_around(signer, hello, &place) == bytes).then_some(Self { block, bytes })
        })
    }

    /// Puts one into S1, at the same block as this one of C1.
    pub fn imprint_answer(&self, hello: &mut [u8]) {
        imprint(Signer::Server, hello, self.block);
    }

    /// Signs S2 or C2 at its end, in answer to this digest.
    pub fn sign_echo(&self, signer: Signer, echo: &mut [u8]) {
        let key = sign(&[signer.key(), &KEY_TAIL].concat(), &[&self.bytes]);
        let (body, end) = echo.split_at_mut(LEN - DIGEST_LEN);
        end.copy_from_slice(&sign(&key, &[body]));
    }
}

/// Puts a player's digest into C1.
pub fn imprint_player(hello: &mut [u8]) {
    imprint(Signer::Player, hello, BLOCKS[0]);
}

fn imprint(signer: Signer, hello: &mut [u8], block: usize) {
    let place = place(hello, block);
    let digest = sign_around(signer, hello, &place);
    hello[place].copy_from_slice(&digest);
}

impl Signer {
    fn key(self) -> &'static [u8] {
        match self {
            Self::Player => PLAYER_KEY,
            Self::Server => SERVER_KEY,
        }
    }
}

/// Four bytes at the block's beginning say how far behind them the digest stands.
fn place(hello: &[u8], block: usize) -> Range<usize> {
    let offset: usize = hello[block..block + 4].iter().map(|&byte| usize::from(byte)).sum();
    let start = block + 4 + offset % OFFSETS;
    start..start + DIGEST_LEN
}

/// Of all but the place itself.
fn sign_around(signer: Signer, hello: &[u8], place: &Range<usize>) -> [u8; DIGEST_LEN] {
    sign(signer.key(), &[&hello[..place.start], &hello[place.end..LEN]])
}

fn sign(key: &[u8], parts: &[&[u8]]) -> [u8; DIGEST_LEN] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    parts.iter().for_each(|part| context.update(part));
    context.sign().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A player's digest in the second block.
    pub fn imprinted_behind(mut hello: Vec<u8>) -> Vec<u8> {
        imprint(Signer::Player, &mut hello, BLOCKS[1]);
        hello
    }

    #[test]
    fn a_digest_is_found_where_it_was_put_and_nowhere_else() {
        for block in BLOCKS {
            for fill in [0, 1, 255] {
                let mut hello = vec![fill; LEN];
                imprint(Signer::Player, &mut hello, block);
                let found = Digest::find(Signer::Player, &hello);
                assert_eq!(found.map(|digest| digest.block), Some(block), "filled with {fill}");
                assert_eq!(Digest::find(Signer::Server, &hello), None);
                hello[0] ^= 1;
                assert_eq!(Digest::find(Signer::Player, &hello), None);
            }
        }
        assert_eq!(Digest::find(Signer::Player, &[0; 100]), None);
    }
}
