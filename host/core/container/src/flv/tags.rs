//! The tags of an FLV file or of an HTTP-FLV stream (annex E.2 to E.4.1), however its bytes are cut.
//!
//! Holds at most one tag and what was handed over last. Not here: what stands in a tag's body.

use bytes::{Buf, Bytes, BytesMut};
use heliu_model::Kind;

const SIGNATURE: &[u8; 3] = b"FLV";
/// Signature, version, flags, and how long the header is.
const HEADER_LEN: usize = 9;
/// Nobody writes more than the nine; what is longer is no FLV.
const HEADER_LEN_MAX: usize = 256;
const TAG_HEADER_LEN: usize = 11;
/// Stands behind each tag, and behind the header.
const BACK_POINTER_LEN: usize = 4;
/// An access unit of the largest picture stays far below.
const BODY_LEN_MAX: usize = 8 << 20;
const AUDIO: u8 = 8;
const VIDEO: u8 = 9;
/// Filter bit (encryption) and type.
const KIND: u8 = 0x3F;

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Whose body it is; `None`: metadata, encrypted or reserved.
    pub kind: Option<Kind>,
    /// Milliseconds, wrapping.
    pub timestamp_ms: u32,
    /// For [`FlvReader`](super::FlvReader).
    pub body: Bytes,
}

/// Where reading ends for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// It begins with something else.
    #[error("this is no FLV")]
    Signature,
    /// More than eight megabytes in one tag: the place of the next one is not known, either.
    #[error("an FLV tag is too long")]
    Length,
}

/// Cuts bytes into tags.
#[derive(Debug, Default)]
pub struct TagReader {
    buffer: BytesMut,
    has_header: bool,
}

impl TagReader {
    /// Before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes; [`TagReader::poll`] until it has nothing more before the next ones.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole tag.
    ///
    /// # Errors
    /// What follows cannot be read.
    pub fn poll(&mut self) -> Result<Option<Tag>, TagError> {
        if !self.has_header && !self.take_header()? {
            return Ok(None);
        }
        let Some(head) = self.buffer.first_chunk::<TAG_HEADER_LEN>() else { return Ok(None) };
        let [kind, l2, l1, l0, t2, t1, t0, t3, ..] = *head;
        let len = u32::from_be_bytes([0, l2, l1, l0]) as usize;
        if len > BODY_LEN_MAX {
            return Err(TagError::Length);
        }
        if self.buffer.len() < TAG_HEADER_LEN + len + BACK_POINTER_LEN {
            return Ok(None);
        }
        self.buffer.advance(TAG_HEADER_LEN);
        let body = self.buffer.split_to(len).freeze();
        self.buffer.advance(BACK_POINTER_LEN);
        let kind = match kind & KIND {
            AUDIO => Some(Kind::Audio),
            VIDEO => Some(Kind::Video),
            _ => None,
        };
        Ok(Some(Tag { kind, timestamp_ms: u32::from_be_bytes([t3, t2, t1, t0]), body }))
    }

    /// False: more bytes are needed.
    fn take_header(&mut self) -> Result<bool, TagError> {
        let known = self.buffer.len().min(SIGNATURE.len());
        if self.buffer[..known] != SIGNATURE[..known] {
            return Err(TagError::Signature);
        }
        let Some(head) = self.buffer.first_chunk::<HEADER_LEN>() else { return Ok(false) };
        let [.., h3, h2, h1, h0] = *head;
        let len = u32::from_be_bytes([h3, h2, h1, h0]) as usize;
        if !(HEADER_LEN..=HEADER_LEN_MAX).contains(&len) {
            return Err(TagError::Signature);
        }
        if self.buffer.len() < len + BACK_POINTER_LEN {
            return Ok(false);
        }
        self.buffer.advance(len + BACK_POINTER_LEN);
        self.has_header = true;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &[u8] = b"FLV\x01\x05\0\0\0\x09\0\0\0\0";

    #[test]
    fn tags_come_out_however_the_bytes_are_cut() {
        let file = [HEADER, &tag(8, 0x0102_0304, b"sound"), &tag(18, 0, b"told"), &tag(9, 5, &[7; 70_000])].concat();
        for step in [1, 10, 11, 1_460, usize::MAX] {
            let mut reader = TagReader::new();
            let mut tags = Vec::new();
            for part in file.chunks(step.min(file.len())) {
                reader.handle_bytes(part);
                while let Some(tag) = reader.poll().unwrap() {
                    tags.push((tag.kind, tag.timestamp_ms, tag.body.len()));
                }
            }
            let want = [(Some(Kind::Audio), 0x0102_0304, 5), (None, 0, 4), (Some(Kind::Video), 5, 70_000)];
            assert_eq!(tags, want, "{step}");
        }
    }

    #[test]
    fn what_is_no_flv_is_told_at_once() {
        for (what, bytes, want) in [
            ("nothing", b"".to_vec(), Ok(None)),
            ("a web page", b"<html>".to_vec(), Err(TagError::Signature)),
            ("its first byte", b"<".to_vec(), Err(TagError::Signature)),
            ("a header of a gigabyte", b"FLV\x01\x05\x40\0\0\0\0\0\0\0".to_vec(), Err(TagError::Signature)),
            ("a header too short", b"FLV\x01\x05\0\0\0\x08\0\0\0\0".to_vec(), Err(TagError::Signature)),
            ("half a header", HEADER[..7].to_vec(), Ok(None)),
            ("no tag", HEADER.to_vec(), Ok(None)),
            ("an absurd tag", [HEADER, &[9, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0]].concat(), Err(TagError::Length)),
            ("a tag that ends early", [HEADER, &tag(9, 0, b"12345")[..14]].concat(), Ok(None)),
        ] {
            let mut reader = TagReader::new();
            reader.handle_bytes(&bytes);
            assert_eq!(reader.poll(), want, "{what}");
        }
    }

    #[test]
    fn an_encrypted_tag_is_not_taken_for_media() {
        let mut reader = TagReader::new();
        reader.handle_bytes(&[HEADER, &tag(0x29, 0, b"secret")].concat());
        assert_eq!(reader.poll().unwrap().map(|tag| tag.kind), Some(None));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), has_header: bool) {
            let mut reader = TagReader::new();
            if has_header {
                reader.handle_bytes(HEADER);
            }
            reader.handle_bytes(&bytes);
            while let Ok(Some(_)) = reader.poll() {}
        }
    }

    fn tag(kind: u8, timestamp_ms: u32, body: &[u8]) -> Vec<u8> {
        let [t3, t2, t1, t0] = timestamp_ms.to_be_bytes();
        let [_, l2, l1, l0] = u32::try_from(body.len()).unwrap().to_be_bytes();
        let back = u32::try_from(body.len() + TAG_HEADER_LEN).unwrap().to_be_bytes();
        [&[kind, l2, l1, l0, t2, t1, t0, t3, 0, 0, 0], body, &back].concat()
    }
}
