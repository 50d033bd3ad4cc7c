//! An FLV file or stream: its header, and tags with their own headers (Adobe Flash Video File Format
//! 10.1, annex E.2 to E.4.1).
//!
//! Every piece ends with the length field that the next tag expects before it, so that pieces are put
//! one after the other without a look at their neighbours, and one piece serves every viewer.

use bytes::{BufMut, Bytes, BytesMut};

const HEADER_LEN: u32 = 9;
const TAG_HEADER_LEN: usize = 11;
const HAS_AUDIO: u8 = 4;
const HAS_VIDEO: u8 = 1;

/// What a tag carries; numbers of E.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// An audio tag body.
    Audio = 8,
    /// A video tag body.
    Video = 9,
    /// AMF values: `onMetaData` and its members.
    Script = 18,
}

/// What a file begins with. Players wait for each track that is promised here.
#[must_use]
pub fn file_header(has_audio: bool, has_video: bool) -> Bytes {
    let audio = if has_audio { HAS_AUDIO } else { 0 };
    let video = if has_video { HAS_VIDEO } else { 0 };
    let mut header = BytesMut::with_capacity(13);
    header.put_slice(b"FLV\x01");
    header.put_u8(audio | video);
    header.put_u32(HEADER_LEN);
    // The length of the tag before the first.
    header.put_u32(0);
    header.freeze()
}

/// One tag with its length behind it: the one copy of a payload on its way out. `timestamp`:
/// milliseconds, wrapping; `parts`: the body, together under 16 MiB (no message that comes in is longer
/// than a quarter of that).
#[must_use]
pub fn tag(kind: TagKind, timestamp: u32, parts: &[&[u8]]) -> Bytes {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut tag = BytesMut::with_capacity(TAG_HEADER_LEN + len + 4);
    tag.put_u8(kind as u8);
    tag.put_uint(len as u64, 3);
    // The high byte stands behind the low three.
    tag.put_uint(u64::from(timestamp & 0x00ff_ffff), 3);
    tag.put_u8((timestamp >> 24) as u8);
    tag.put_uint(0, 3);
    parts.iter().for_each(|part| tag.put_slice(part));
    tag.put_uint((TAG_HEADER_LEN + len) as u64, 4);
    tag.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_promises_its_tracks() {
        for (has_audio, has_video, flags) in [(true, true, 5), (true, false, 4), (false, true, 1), (false, false, 0)] {
            let want = [b"FLV\x01", &[flags][..], &[0, 0, 0, 9, 0, 0, 0, 0]].concat();
            assert_eq!(&file_header(has_audio, has_video)[..], want);
        }
    }

    #[test]
    fn a_tag_tells_its_length_before_and_behind() {
        for (what, kind, timestamp, head) in [
            ("sound", TagKind::Audio, 0x01_0203, [8, 0, 0, 3, 1, 2, 3, 0, 0, 0, 0]),
            ("pictures after five hours", TagKind::Video, 0x0102_0304, [9, 0, 0, 3, 2, 3, 4, 1, 0, 0, 0]),
            ("metadata", TagKind::Script, 0, [18, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            let want = [&head[..], b"abc", &[0, 0, 0, 14]].concat();
            assert_eq!(&tag(kind, timestamp, &[b"a", b"bc"])[..], want, "{what}");
        }
    }
}
