//! Finds the messages in an RTMP chunk stream (RTMP 1.0 §5.3) without keeping them: thousands of
//! players look at the first bytes of each only.

use std::collections::BTreeMap;

/// So much of a message is looked at.
pub const HEAD_LEN: usize = 96;
const CHUNK_LEN: usize = 128;
const SET_CHUNK_SIZE: u8 = 1;
const EXTENDED: u32 = 0x00ff_ffff;

/// One whole message or tag.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// 8: sound, 9: pictures.
    pub kind: u8,
    /// Its first bytes.
    pub head: &'a [u8],
}

/// A server's side of one connection, after the handshake.
#[derive(Debug)]
pub struct Chunks {
    chunk_len: usize,
    header: Vec<u8>,
    streams: BTreeMap<u32, Message>,
    /// Chunk stream and bytes left of its chunk.
    current: Option<(u32, usize)>,
}

#[derive(Debug, Default)]
struct Message {
    len: usize,
    kind: u8,
    is_extended: bool,
    received: usize,
    head: Vec<u8>,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { chunk_len: CHUNK_LEN, header: Vec::new(), streams: BTreeMap::new(), current: None }
    }
}

impl Chunks {
    /// Takes what the socket gave.
    pub fn handle_bytes(&mut self, mut bytes: &[u8], found: &mut dyn FnMut(Found<'_>)) {
        while !bytes.is_empty() {
            match self.current {
                None => {
                    self.header.push(bytes[0]);
                    bytes = &bytes[1..];
                    self.begin_chunk();
                }
                Some((stream, left)) => {
                    let (now, rest) = bytes.split_at(bytes.len().min(left));
                    bytes = rest;
                    let message = self.streams.entry(stream).or_default();
                    let wanted = HEAD_LEN.saturating_sub(message.head.len()).min(now.len());
                    message.head.extend(&now[..wanted]);
                    message.received += now.len();
                    self.current = (now.len() < left).then_some((stream, left - now.len()));
                    self.end_message(stream, found);
                }
            }
        }
    }

    fn end_message(&mut self, stream: u32, found: &mut dyn FnMut(Found<'_>)) {
        let Some(message) = self.streams.get_mut(&stream).filter(|message| message.received >= message.len) else {
            return;
        };
        if let (SET_CHUNK_SIZE, Some(len)) = (message.kind, message.head.first_chunk::<4>()) {
            self.chunk_len = (u32::from_be_bytes(*len) as usize).max(1);
        }
        found(Found { kind: message.kind, head: &message.head });
        message.head.clear();
        message.received = 0;
    }

    /// Reads the header if it is whole.
    fn begin_chunk(&mut self) {
        let header = &self.header;
        let (stream, at) = match (header[0] & 0x3f, header.len()) {
            (0, 2..) => (u32::from(header[1]) + 64, 2),
            (1, 3..) => (u32::from(header[1]) + u32::from(header[2]) * 256 + 64, 3),
            (0 | 1, _) => return,
            (stream, _) => (u32::from(stream), 1),
        };
        let fields_len = [11, 7, 3, 0][usize::from(header[0] >> 6)];
        if header.len() < at + fields_len {
            return;
        }
        let message = self.streams.entry(stream).or_default();
        if fields_len >= 3 {
            message.is_extended = be24(&header[at..]) == EXTENDED;
        }
        if header.len() < at + fields_len + if message.is_extended { 4 } else { 0 } {
            return;
        }
        if fields_len >= 7 {
            message.len = be24(&header[at + 3..]) as usize;
            message.kind = header[at + 6];
        }
        self.open(stream);
    }

    fn open(&mut self, stream: u32) {
        self.header.clear();
        let message = self.streams.entry(stream).or_default();
        let left = (message.len - message.received.min(message.len)).min(self.chunk_len);
        self.current = (left > 0).then_some((stream, left));
    }
}

fn be24(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]])
}

#[cfg(test)]
mod tests {
    use heliu_rtmp::{MediaKind, media_message};

    use super::*;

    #[test]
    fn messages_are_found_however_the_bytes_are_cut() {
        let long = vec![b'v'; 200_000];
        let bytes = [
            // The chunks of our own server.
            &[2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 1, 0, 0][..],
            &media_message(MediaKind::Audio, 5, 1, &[b"a"]),
            &media_message(MediaKind::Video, 0x0100_0000, 1, &[&long]),
            // The same stream again: times as a difference, then nothing but the next chunk.
            &[0x46, 0, 0, 1, 0, 0, 2, 9, b'x', b'y', 0xc6, b'z', b'z'],
        ]
        .concat();
        for piece in [1, 5, 4_096, 1_000_000] {
            let mut found = Vec::new();
            let mut chunks = Chunks::default();
            for piece in bytes.chunks(piece) {
                chunks.handle_bytes(piece, &mut |message| found.push((message.kind, message.head[0])));
            }
            assert_eq!(found, [(1, 0), (8, b'a'), (9, b'v'), (9, b'x'), (9, b'z')], "pieces of {piece}");
        }
    }
}
