//! The handshake of RTMP 1.0 §5.2, plain on both sides.
//!
//! Clients that send the digest variant (Flash, some encoders) accept a plain answer.

use crate::error::Error;

/// C1, C2, S1 and S2.
const LEN: usize = 1_536;
const VERSION: u8 = 3;

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
        let mut output = vec![VERSION];
        output.extend(own_bytes());
        Self { received: Vec::new(), output, stage: Stage::Answer }
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
                self.output.extend(own_bytes());
                self.output.extend(&received[1..]);
                Stage::Echo
            }
            Stage::Answer => {
                self.output.extend(&received[1..=LEN]);
                Stage::Done
            }
            Stage::Echo | Stage::Done => Stage::Done,
        };
    }
}

/// Time and version zero, then bytes that need not be random: nobody proves anything with them.
fn own_bytes() -> Vec<u8> {
    let mut bytes = vec![0; 8];
    bytes.extend((8..LEN).map(|at| (at * 31 % 251) as u8));
    bytes
}
