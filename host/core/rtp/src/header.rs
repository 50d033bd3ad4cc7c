//! RTP headers as they are written (RFC 3550 §5.1, RFC 8285).
//!
//! Appends to the caller's buffer and allocates nothing else. The form of the extensions follows from
//! what they hold: the one-byte form when all fit into it, as every browser reads.

use crate::view::PADDING;

/// Ids and lengths that the one-byte form can write.
const ONE_BYTE_ID_MAX: u8 = 14;
const ONE_BYTE_LEN_MAX: usize = 16;

/// What a packet's fixed header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeaderFields {
    /// 0 to 127; a higher bit is left out.
    pub payload_type: u8,
    /// Told by the payload format; for pictures: the last packet of one.
    pub marker: bool,
    /// As on the wire.
    pub sequence: u16,
    /// As on the wire.
    pub timestamp: u32,
    /// Whose packet this is.
    pub ssrc: u32,
}

/// Appends a header of version 2 without contributing sources to `out`; the payload follows it.
///
/// `extensions`: ids 1 to 255 (15 makes it the two-byte form) and at most 255 bytes each; others are
/// left out. An empty list writes no extension at all.
pub fn write_header(out: &mut Vec<u8>, fields: &HeaderFields, extensions: &[(u8, &[u8])]) {
    let start = out.len();
    out.extend_from_slice(&[0x80, fields.payload_type & 0x7F | u8::from(fields.marker) << 7]);
    out.extend_from_slice(&fields.sequence.to_be_bytes());
    out.extend_from_slice(&fields.timestamp.to_be_bytes());
    out.extend_from_slice(&fields.ssrc.to_be_bytes());
    if extensions.iter().any(is_writable) {
        out[start] |= 0x10;
        write_extensions(out, extensions);
    }
}

/// Appends `len` bytes of padding to the packet that begins at `start` of `out`, and says so in its
/// header (RFC 3550 §5.1). Once per packet; nothing happens for 0.
///
/// # Panics
/// No packet begins at `start`.
pub fn write_padding(out: &mut Vec<u8>, start: usize, len: u8) {
    if len > 0 {
        out[start] |= PADDING;
        out.resize(out.len() + usize::from(len) - 1, 0);
        out.push(len);
    }
}

fn write_extensions(out: &mut Vec<u8>, extensions: &[(u8, &[u8])]) {
    let writable = || extensions.iter().filter(|extension| is_writable(extension));
    let is_short =
        writable().all(|(id, value)| *id <= ONE_BYTE_ID_MAX && (1..=ONE_BYTE_LEN_MAX).contains(&value.len()));
    out.extend_from_slice(if is_short { &[0xBE, 0xDE, 0, 0] } else { &[0x10, 0x00, 0, 0] });
    let start = out.len();
    for (id, value) in writable() {
        let len = value.len() as u8;
        if is_short {
            out.push(id << 4 | (len - 1));
        } else {
            out.extend_from_slice(&[*id, len]);
        }
        out.extend_from_slice(value);
    }
    out.resize(start + (out.len() - start).next_multiple_of(4), 0);
    let words = ((out.len() - start) / 4) as u16;
    out[start - 2..start].copy_from_slice(&words.to_be_bytes());
}

/// Of a length that one byte holds, and not the id of padding.
fn is_writable((id, value): &(u8, &[u8])) -> bool {
    *id != 0 && value.len() <= usize::from(u8::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::RtpView;

    #[test]
    fn a_header_stands_behind_what_is_there() {
        let mut out = b"before".to_vec();
        let fields = HeaderFields { payload_type: 0xFF, marker: true, sequence: 0xFFFF, timestamp: u32::MAX, ssrc: 0 };
        write_header(&mut out, &fields, &[]);
        assert_eq!(out, b"before\x80\xff\xff\xff\xff\xff\xff\xff\0\0\0\0");
    }

    #[test]
    fn the_form_follows_from_what_is_written() {
        for (what, extensions, want) in [
            ("none", &[][..], &[][..]),
            ("short", &[(1, &[7][..]), (14, &[8, 9])], &[0xBE, 0xDE, 0, 2, 0x10, 7, 0xE1, 8, 9, 0, 0, 0]),
            ("a high id", &[(1, &[7]), (15, &[8])], &[0x10, 0, 0, 2, 1, 1, 7, 15, 1, 8, 0, 0]),
            ("an empty value", &[(1, &[])], &[0x10, 0, 0, 1, 1, 0, 0, 0]),
            ("a long value", &[(1, &[5; 18])], &[&[0x10, 0, 0, 5, 1, 18][..], &[5; 18]].concat()),
            ("nothing that can be written", &[(0, &[7]), (1, &[0; 256])], &[]),
            ("one that cannot", &[(0, &[7]), (2, &[7])], &[0xBE, 0xDE, 0, 1, 0x20, 7, 0, 0]),
        ] {
            let mut out = Vec::new();
            write_header(&mut out, &HeaderFields::default(), extensions);
            assert_eq!((&out[12..], out[0] & 0x10 != 0), (want, !want.is_empty()), "{what}");
        }
    }

    #[test]
    fn padding_is_not_payload() {
        for len in [0, 1, 2, 255] {
            let mut out = b"before".to_vec();
            write_header(&mut out, &HeaderFields::default(), &[(1, &[7])]);
            out.extend_from_slice(b"payload");
            write_padding(&mut out, 6, len);
            let view = RtpView::parse(&out[6..]).unwrap();
            assert_eq!((view.payload(), out.len()), (&b"payload"[..], 6 + 20 + 7 + usize::from(len)));
        }
    }

    proptest! {
        #[test]
        fn what_was_written_reads_back(
            numbers in any::<(u16, u32, u32, bool)>(),
            payload_type in 0_u8..128,
            extensions in proptest::collection::btree_map(1_u8.., proptest::collection::vec(any::<u8>(), 0..40), 0..6),
            payload in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let (sequence, timestamp, ssrc, marker) = numbers;
            let extensions: Vec<(u8, &[u8])> = extensions.iter().map(|(id, value)| (*id, &value[..])).collect();
            let mut out = Vec::new();
            write_header(&mut out, &HeaderFields { payload_type, marker, sequence, timestamp, ssrc }, &extensions);
            out.extend_from_slice(&payload);
            let view = RtpView::parse(&out).unwrap();
            prop_assert_eq!((view.sequence(), view.timestamp(), view.ssrc(), view.marker()), numbers);
            prop_assert_eq!((view.payload_type(), view.payload()), (payload_type, &payload[..]));
            prop_assert_eq!(view.extensions().collect::<Vec<_>>(), extensions);
        }
    }
}
