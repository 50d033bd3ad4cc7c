//! Chunks to messages (RTMP 1.0 §5.3).
//!
//! Header bytes are gathered one by one, payload is copied once, straight from the caller's bytes into
//! the message. Bounded in chunk streams, in the length of a message and in unfinished bytes.

use std::collections::BTreeMap;

use bytes::BytesMut;

use crate::error::Error;
use crate::message::{ABORT, Message, SET_CHUNK_SIZE};

const STREAMS_MAX: usize = 64;
const COMMAND_LEN_MAX: usize = 64 << 10;
const MEDIA_LEN_MAX: usize = 4 << 20;
const UNFINISHED_MAX: usize = 8 << 20;
/// Reserved at once for a message; more as it really comes.
const RESERVE_MAX: usize = 64 << 10;
const EXTENDED: u32 = 0x00ff_ffff;

/// Reads one direction of a connection.
#[derive(Debug)]
pub struct ChunkReader {
    chunk_len: usize,
    message_len_max: usize,
    streams: BTreeMap<u32, Stream>,
    unfinished: usize,
    head: Vec<u8>,
    /// Bytes that were taken for an extended timestamp and are payload.
    returned: Vec<u8>,
    /// Where payload goes: chunk stream and bytes left in this chunk.
    payload: Option<(u32, usize)>,
}

#[derive(Debug, Default)]
struct Stream {
    kind: u8,
    len: usize,
    timestamp: u32,
    delta: u32,
    /// The four bytes of the last header, if it had them.
    extended: Option<u32>,
    body: BytesMut,
    is_inside: bool,
}

/// A chunk's header as it stands on the wire.
struct Header {
    format: u8,
    stream: u32,
    fields: Vec<u8>,
    extended: Option<u32>,
    len: usize,
}

impl Default for ChunkReader {
    fn default() -> Self {
        Self {
            chunk_len: 128,
            message_len_max: COMMAND_LEN_MAX,
            streams: BTreeMap::new(),
            unfinished: 0,
            head: Vec::with_capacity(18),
            returned: Vec::new(),
            payload: None,
        }
    }
}

impl ChunkReader {
    /// Media may follow: longer messages are taken.
    pub fn allow_media(&mut self) {
        self.message_len_max = MEDIA_LEN_MAX;
    }

    /// Takes bytes off the front until a message is whole. `None`: all are taken, none is.
    pub fn read(&mut self, bytes: &mut &[u8]) -> Result<Option<Message>, Error> {
        loop {
            if !self.returned.is_empty() {
                let returned = std::mem::take(&mut self.returned);
                let mut rest = &returned[..];
                let message = self.step(&mut rest)?;
                self.returned.extend_from_slice(rest);
                if message.is_some() {
                    return Ok(message);
                }
                continue;
            }
            if bytes.is_empty() {
                return Ok(None);
            }
            if let Some(message) = self.step(bytes)? {
                return Ok(Some(message));
            }
        }
    }

    /// Takes payload, or one byte of a header.
    fn step(&mut self, bytes: &mut &[u8]) -> Result<Option<Message>, Error> {
        if let Some((id, left)) = self.payload {
            return self.read_payload(id, left, bytes);
        }
        let Some((&byte, rest)) = bytes.split_first() else { return Ok(None) };
        *bytes = rest;
        self.head.push(byte);
        let Some(header) = self.header() else { return Ok(None) };
        self.returned.extend_from_slice(&self.head[header.len..]);
        self.head.clear();
        self.begin_chunk(&header)?;
        // An empty message is whole without payload.
        match self.payload {
            Some((id, 0)) => self.read_payload(id, 0, &mut &[][..]),
            _ => Ok(None),
        }
    }

    fn header(&self) -> Option<Header> {
        let format = self.head[0] >> 6;
        let (stream, at) = match self.head[0] & 0x3f {
            0 => (u32::from(*self.head.get(1)?) + 64, 2),
            1 => (u32::from(*self.head.get(1)?) + u32::from(*self.head.get(2)?) * 256 + 64, 3),
            small => (u32::from(small), 1),
        };
        let len = [11, 7, 3, 0][usize::from(format)];
        let fields = self.head.get(at..at + len)?.to_vec();
        let last = self.streams.get(&stream).and_then(|stream| stream.extended);
        let is_extended = if format == 3 { last.is_some() } else { be24(&fields) == EXTENDED };
        if !is_extended {
            return Some(Header { format, stream, fields, extended: None, len: at + len });
        }
        let extended = Some(u32::from_be_bytes(self.head.get(at + len..at + len + 4)?.try_into().ok()?));
        // Old librtmp does not repeat the extended timestamp in type 3 chunks: then this is payload.
        let is_payload = format == 3 && extended != last;
        let len = if is_payload { at + len } else { at + len + 4 };
        Some(Header { format, stream, fields, extended, len })
    }

    fn begin_chunk(&mut self, header: &Header) -> Result<(), Error> {
        let is_known = self.streams.contains_key(&header.stream);
        if !is_known && (header.format != 0 && header.format != 1 || self.streams.len() >= STREAMS_MAX) {
            return Err(Error::Chunk);
        }
        let stream = self.streams.entry(header.stream).or_default();
        if !stream.is_inside {
            stream.begin(header);
            if stream.len > self.message_len_max {
                return Err(Error::TooLarge);
            }
        } else if header.format != 3 {
            return Err(Error::Chunk);
        }
        let left = stream.len - stream.body.len();
        self.payload = Some((header.stream, left.min(self.chunk_len)));
        Ok(())
    }

    fn read_payload(&mut self, id: u32, left: usize, bytes: &mut &[u8]) -> Result<Option<Message>, Error> {
        let stream = self.streams.get_mut(&id).ok_or(Error::Chunk)?;
        let (taken, rest) = bytes.split_at(left.min(bytes.len()));
        *bytes = rest;
        stream.body.extend_from_slice(taken);
        self.unfinished += taken.len();
        if self.unfinished > UNFINISHED_MAX {
            return Err(Error::TooLarge);
        }
        if taken.len() < left {
            self.payload = Some((id, left - taken.len()));
            return Ok(None);
        }
        self.payload = None;
        if stream.body.len() < stream.len {
            return Ok(None);
        }
        let message = stream.finish();
        self.unfinished -= message.body.len();
        self.obey(&message)?;
        Ok(Some(message))
    }

    fn obey(&mut self, message: &Message) -> Result<(), Error> {
        let number = message.body.first_chunk::<4>().map(|four| u32::from_be_bytes(*four));
        match (message.kind, number) {
            (SET_CHUNK_SIZE, Some(len @ 1..=0x7fff_ffff)) => {
                self.chunk_len = usize::try_from(len).map_err(|_| Error::Chunk)?;
                Ok(())
            }
            (SET_CHUNK_SIZE, _) => Err(Error::Chunk),
            (ABORT, Some(id)) => {
                if let Some(stream) = self.streams.get_mut(&id) {
                    self.unfinished -= stream.body.len();
                    stream.body.clear();
                    stream.is_inside = false;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Stream {
    fn begin(&mut self, header: &Header) {
        let fields = &header.fields;
        if header.format <= 2 {
            let time = be24(fields);
            self.extended = header.extended;
            self.delta = header.extended.unwrap_or(time);
        }
        if header.format <= 1 {
            self.len = usize::try_from(be24(&fields[3..])).unwrap_or(usize::MAX);
            self.kind = fields[6];
        }
        if header.format == 0 {
            // The message stream id behind it tells nothing: one stream per connection.
            self.timestamp = 0;
        }
        // A type 3 that begins a message repeats the last step, or a type 0's time (§5.3.1.2.4).
        self.timestamp = self.timestamp.wrapping_add(self.delta);
        self.body.reserve(self.len.min(RESERVE_MAX));
        self.is_inside = true;
    }

    fn finish(&mut self) -> Message {
        self.is_inside = false;
        let body = std::mem::take(&mut self.body).freeze();
        Message { kind: self.kind, timestamp: self.timestamp, body }
    }
}

fn be24(bytes: &[u8]) -> u32 {
    u32::from(bytes[0]) << 16 | u32::from(bytes[1]) << 8 | u32::from(bytes[2])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chunk_writer::{MediaKind, command, media_message};
    use crate::message::{AUDIO, VIDEO};

    #[test]
    fn a_message_survives_any_fragmentation() {
        let body: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
        let mut wire = crate::chunk_writer::set_chunk_size().to_vec();
        wire.extend(media_message(MediaKind::Video, 0x0100_0000, 1, &[&body]));
        wire.extend(media_message(MediaKind::Audio, 7, 1, &[b"so", b"und"]));
        for step in [1, 7, 1_000, wire.len()] {
            let mut reader = ChunkReader::default();
            reader.allow_media();
            let got: Vec<Message> = wire.chunks(step).flat_map(|part| read_all(&mut reader, part).unwrap()).collect();
            let seen: Vec<_> = got.iter().map(|m| (m.kind, m.timestamp, m.body.len())).collect();
            assert_eq!(seen, [(1, 0, 4), (VIDEO, 0x0100_0000, 100_000), (AUDIO, 7, 5)], "steps of {step}");
            assert_eq!(got[1].body, body);
        }
    }

    #[test]
    fn short_headers_repeat_what_the_long_one_said() {
        let wire = [
            &[0x04, 0, 0, 10, 0, 0, 2, 8, 1, 0, 0, 0, b'a', b'b'][..],
            &[0x84, 0, 0, 5, b'c', b'd'],
            &[0xc4, b'e', b'f'],
            &[0x44, 0, 0, 1, 0, 0, 1, 8, b'g'],
        ]
        .concat();
        let got = read_all(&mut ChunkReader::default(), &wire).unwrap();
        let seen: Vec<_> = got.iter().map(|m| (m.timestamp, &m.body[..])).collect();
        assert_eq!(seen, [(10, &b"ab"[..]), (15, b"cd"), (20, b"ef"), (21, b"g")]);
    }

    #[test]
    fn extended_timestamps_may_or_may_not_be_repeated() {
        let head = [0x04, 0xff, 0xff, 0xff, 0, 0, 200, 8, 1, 0, 0, 0, 1, 2, 3, 4];
        for (what, again) in [("repeated", &[0xc4, 1, 2, 3, 4][..]), ("left out, as old librtmp does", &[0xc4])] {
            let wire = [&head[..], &[7; 128], again, &[7; 72], &[0x44, 0, 0, 1, 0, 0, 1, 8, b'g']].concat();
            for step in [1, 5, wire.len()] {
                let mut reader = ChunkReader::default();
                let got: Vec<Message> =
                    wire.chunks(step).flat_map(|part| read_all(&mut reader, part).unwrap()).collect();
                let seen: Vec<_> = got.iter().map(|m| (m.timestamp, m.body.len())).collect();
                assert_eq!(seen, [(0x0102_0304, 200), (0x0102_0305, 1)], "{what}, steps of {step}");
            }
        }
    }

    #[test]
    fn interleaved_streams_and_aborts_are_kept_apart() {
        let mut wire = vec![0x04, 0, 0, 0, 0, 0, 200, 8, 1, 0, 0, 0];
        wire.extend([1; 128]);
        wire.extend([0x06, 0, 0, 0, 0, 0, 1, 9, 1, 0, 0, 0, 2]);
        wire.extend([0xc4]);
        wire.extend([1; 72]);
        wire.extend([0x04, 0, 0, 0, 0, 0, 200, 8, 1, 0, 0, 0]);
        wire.extend([1; 128]);
        wire.extend([0x02, 0, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 0, 0, 0, 4]);
        wire.extend([0x04, 0, 0, 9, 0, 0, 1, 8, 1, 0, 0, 0, 3]);
        let got = read_all(&mut ChunkReader::default(), &wire).unwrap();
        let seen: Vec<_> = got.iter().map(|m| (m.kind, m.body.len())).collect();
        assert_eq!(seen, [(9, 1), (8, 200), (2, 4), (8, 1)]);
    }

    #[test]
    fn what_breaks_the_rules_ends_the_session() {
        let long = [0x04, 0, 0, 0, 0xff, 0xff, 0xff, 9, 1, 0, 0, 0];
        let streams: Vec<u8> = (2..200_u8).flat_map(|n| [0x00, n, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0]).collect();
        for (what, wire, want) in [
            ("a continuation of nothing", &[0xc4][..], Error::Chunk),
            ("16 MiB in a message", &long, Error::TooLarge),
            ("chunk size zero", &[0x02, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0], Error::Chunk),
            ("200 chunk streams", &streams, Error::Chunk),
        ] {
            let mut reader = ChunkReader::default();
            reader.allow_media();
            assert_eq!(read_all(&mut reader, wire), Err(want), "{what}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut reader = ChunkReader::default();
            reader.allow_media();
            let _ = read_all(&mut reader, &command(3, 0, &[]));
            let _ = read_all(&mut reader, &bytes);
        }
    }

    fn read_all(reader: &mut ChunkReader, mut bytes: &[u8]) -> Result<Vec<Message>, Error> {
        let mut messages = Vec::new();
        while let Some(message) = reader.read(&mut bytes)? {
            messages.push(message);
        }
        Ok(messages)
    }
}
