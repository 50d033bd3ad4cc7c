//! Finds the tags in an FLV stream over HTTP, chunked or not, without keeping them.

use crate::chunks::{Found, HEAD_LEN};

const TAG_HEADER_LEN: usize = 11;
const FILE_HEADER_LEN: usize = 13;
const HEAD_LEN_MAX: usize = 8 << 10;

/// An HTTP answer whose body is an FLV file.
#[derive(Debug, Default)]
pub struct FlvAnswer {
    state: Answer,
    tags: Tags,
}

#[derive(Debug)]
enum Answer {
    /// Not all of the answer's head is here.
    Head(Vec<u8>),
    /// A chunk's length is being read.
    Length(usize),
    /// So many bytes of a chunk are left.
    Chunk(usize),
    /// A chunk's line end is being read.
    End(usize),
    /// No chunks.
    Plain,
}

impl Default for Answer {
    fn default() -> Self {
        Self::Head(Vec::new())
    }
}

/// The answer is none that carries media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub String);

impl FlvAnswer {
    /// Takes what the socket gave.
    pub fn handle_bytes(&mut self, mut bytes: &[u8], found: &mut dyn FnMut(Found<'_>)) -> Result<(), Refused> {
        while let Some((&first, rest)) = bytes.split_first() {
            match &mut self.state {
                Answer::Head(head) => {
                    head.push(first);
                    bytes = rest;
                    if head.ends_with(b"\r\n\r\n") {
                        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
                        if head.split(' ').nth(1) != Some("200") {
                            return Err(Refused(head.lines().next().unwrap_or_default().to_owned()));
                        }
                        let is_chunked = head.contains("transfer-encoding: chunked");
                        self.state = if is_chunked { Answer::Length(0) } else { Answer::Plain };
                    } else if head.len() > HEAD_LEN_MAX {
                        return Err(Refused("an endless head".to_owned()));
                    }
                }
                Answer::Length(len) => {
                    bytes = rest;
                    match char::from(first).to_digit(16) {
                        Some(digit) => *len = *len << 4 | digit as usize,
                        None if first == b'\n' => self.state = Answer::Chunk(*len),
                        None => {}
                    }
                }
                Answer::Chunk(left) => {
                    let (chunk, rest) = bytes.split_at(bytes.len().min(*left));
                    self.tags.handle_bytes(chunk, found);
                    *left -= chunk.len();
                    bytes = rest;
                    if *left == 0 {
                        self.state = Answer::End(2);
                    }
                }
                Answer::End(left) => {
                    *left -= 1;
                    bytes = rest;
                    if *left == 0 {
                        self.state = Answer::Length(0);
                    }
                }
                Answer::Plain => {
                    self.tags.handle_bytes(bytes, found);
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// An FLV file.
#[derive(Debug)]
struct Tags {
    /// Of the file's or a tag's header, then of its body as far as anybody looks.
    head: Vec<u8>,
    /// Bytes of the file header still to come.
    start: usize,
    /// Bytes of the current body and its length still to come; `None`: in a header.
    left: Option<usize>,
    kind: u8,
}

impl Default for Tags {
    fn default() -> Self {
        Self { head: Vec::new(), start: FILE_HEADER_LEN, left: None, kind: 0 }
    }
}

impl Tags {
    fn handle_bytes(&mut self, mut bytes: &[u8], found: &mut dyn FnMut(Found<'_>)) {
        let skipped = self.start.min(bytes.len());
        self.start -= skipped;
        bytes = &bytes[skipped..];
        while !bytes.is_empty() {
            match &mut self.left {
                None => {
                    let wanted = (TAG_HEADER_LEN - self.head.len()).min(bytes.len());
                    self.head.extend(&bytes[..wanted]);
                    bytes = &bytes[wanted..];
                    if self.head.len() == TAG_HEADER_LEN {
                        let len = usize::from(self.head[1]) << 16
                            | usize::from(self.head[2]) << 8
                            | usize::from(self.head[3]);
                        self.kind = self.head[0];
                        self.head.clear();
                        self.left = Some(len + 4);
                    }
                }
                Some(left) => {
                    let (now, rest) = bytes.split_at(bytes.len().min(*left));
                    let wanted = (HEAD_LEN - self.head.len()).min(now.len());
                    self.head.extend(&now[..wanted]);
                    *left -= now.len();
                    bytes = rest;
                    if *left == 0 {
                        found(Found { kind: self.kind, head: &self.head });
                        self.head.clear();
                        self.left = None;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_however_the_bytes_are_cut() {
        let file = [
            &b"FLV\x01\x05\0\0\0\x09\0\0\0\0"[..],
            b"\x09\0\0\x03\0\0\0\0\0\0\0abc\0\0\0\x0e",
            b"\x08\0\0\x01\0\0\0\0\0\0\0d\0\0\0\x0c",
        ]
        .concat();
        let (one, two) = file.split_at(20);
        let chunked = [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
            format!("{:x}\r\n", one.len()).into_bytes(),
            one.to_vec(),
            format!("\r\n{:X}\r\n", two.len()).into_bytes(),
            two.to_vec(),
            b"\r\n".to_vec(),
        ]
        .concat();
        let plain = [&b"HTTP/1.0 200 OK\r\n\r\n"[..], &file].concat();
        for bytes in [chunked, plain] {
            for piece in [1, 3, 7, 1_000] {
                let mut kinds = Vec::new();
                let mut answer = FlvAnswer::default();
                for piece in bytes.chunks(piece) {
                    answer.handle_bytes(piece, &mut |found| kinds.push((found.kind, found.head[0]))).unwrap();
                }
                assert_eq!(kinds, [(9, b'a'), (8, b'd')], "pieces of {piece}");
            }
        }
    }

    #[test]
    fn another_status_is_told() {
        let refused = FlvAnswer::default().handle_bytes(b"HTTP/1.1 404 Not Found\r\n\r\n", &mut |_| {});
        assert_eq!(refused, Err(Refused("http/1.1 404 not found".to_owned())));
    }
}
