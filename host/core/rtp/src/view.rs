//! An RTP packet as it lies in its datagram (RFC 3550 §5.1, RFC 8285).
//!
//! Borrowed: nothing is copied and nothing allocated. What the lengths claim is checked once, when the
//! view is made; a header extension that lies about its length hides itself and those behind it, the
//! packet stays good.
//!
//! Not here: encryption. A view of an SRTP datagram is made after it was opened; [`header_len`] says
//! where the sealed part begins.

use std::ops::Range;

use crate::Discard;

/// Longest datagram that is looked at: what an Ethernet frame carries, and more.
pub const DATAGRAM_LEN_MAX: usize = 1500;
/// Longest payload that a view can have.
pub const PAYLOAD_LEN_MAX: usize = DATAGRAM_LEN_MAX - FIXED_LEN;

pub(crate) const FIXED_LEN: usize = 12;
pub(crate) const PADDING: u8 = 0x20;
const EXTENSION: u8 = 0x10;
/// RFC 8285 §4.2.
const PROFILE_ONE_BYTE: u16 = 0xBEDE;
/// RFC 8285 §4.3; the last four bits are the application's.
const PROFILE_TWO_BYTES: u16 = 0x1000;

/// One RTP packet, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct RtpView<'a> {
    data: &'a [u8],
    extensions: Extensions<'a>,
    payload_at: usize,
    payload_end: usize,
}

/// Header extensions in one of the two forms.
#[derive(Debug, Clone, Copy)]
enum Extensions<'a> {
    None,
    OneByte(&'a [u8]),
    TwoBytes(&'a [u8]),
}

/// Whether a datagram of RTP and RTCP on one port is RTCP (RFC 5761 §4).
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.get(1).is_some_and(|kind| (192..=223).contains(kind))
}

/// Where the payload begins: behind the fixed header, the contributing sources and the extension.
///
/// # Errors
/// [`Discard::NotRtp`]: it is not of version 2, or ends before its header does.
pub fn header_len(data: &[u8]) -> Result<usize, Discard> {
    split(data).map(|(len, _)| len)
}

impl<'a> RtpView<'a> {
    /// Looks at a whole, plain packet.
    ///
    /// # Errors
    /// [`Discard::NotRtp`], [`Discard::TooLong`] over [`DATAGRAM_LEN_MAX`], or [`Discard::BadPadding`].
    pub fn parse(data: &'a [u8]) -> Result<Self, Discard> {
        if data.len() > DATAGRAM_LEN_MAX {
            return Err(Discard::TooLong);
        }
        let (payload_at, extensions) = split(data)?;
        let payload_end = if data[0] & PADDING == 0 { data.len() } else { without_padding(data, payload_at)? };
        Ok(Self { data, extensions, payload_at, payload_end })
    }

    /// 0 to 127.
    #[must_use]
    pub fn payload_type(&self) -> u8 {
        self.data[1] & 0x7F
    }

    /// What it means is told by the payload format; for pictures: the last packet of one.
    #[must_use]
    pub fn marker(&self) -> bool {
        self.data[1] & 0x80 != 0
    }

    /// Counts packets, and rolls over.
    #[must_use]
    pub fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.data[2], self.data[3]])
    }

    /// In units of the payload format's clock, and rolls over.
    #[must_use]
    pub fn timestamp(&self) -> u32 {
        long(self.data, 4)
    }

    /// Whose packet this is.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        long(self.data, 8)
    }

    /// The header extension of that id, 1 to 14 in the one-byte form, 1 to 255 in the other.
    #[must_use]
    pub fn extension(&self, id: u8) -> Option<&'a [u8]> {
        self.extensions().find_map(|(other, value)| (other == id).then_some(value))
    }

    /// All header extensions in their order.
    pub fn extensions(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        let mut rest = self.extensions;
        std::iter::from_fn(move || rest.next())
    }

    /// The payload without padding; may be empty.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        &self.data[self.payload_at..self.payload_end]
    }

    /// Where the payload lies in the datagram.
    #[must_use]
    pub fn payload_range(&self) -> Range<usize> {
        self.payload_at..self.payload_end
    }
}

impl<'a> Extensions<'a> {
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let found = match self {
            Self::None => None,
            Self::OneByte(rest) => next_one_byte(rest),
            Self::TwoBytes(rest) => next_two_bytes(rest),
        };
        if found.is_none() {
            *self = Self::None;
        }
        found
    }
}

/// Length of the header, and its extensions.
fn split(data: &[u8]) -> Result<(usize, Extensions<'_>), Discard> {
    if data.len() < FIXED_LEN || data[0] >> 6 != 2 {
        return Err(Discard::NotRtp);
    }
    let fixed = FIXED_LEN + 4 * usize::from(data[0] & 0x0F);
    if data[0] & EXTENSION == 0 {
        return if data.len() < fixed { Err(Discard::NotRtp) } else { Ok((fixed, Extensions::None)) };
    }
    let [a, b, c, d] = *data.get(fixed..fixed + 4).and_then(|head| head.first_chunk()).ok_or(Discard::NotRtp)?;
    let end = fixed + 4 + 4 * usize::from(u16::from_be_bytes([c, d]));
    let body = data.get(fixed + 4..end).ok_or(Discard::NotRtp)?;
    let extensions = match u16::from_be_bytes([a, b]) {
        PROFILE_ONE_BYTE => Extensions::OneByte(body),
        profile if profile & 0xFFF0 == PROFILE_TWO_BYTES => Extensions::TwoBytes(body),
        _ => Extensions::None,
    };
    Ok((end, extensions))
}

fn next_one_byte<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    loop {
        let (&head, after) = rest.split_first()?;
        *rest = after;
        match (head >> 4, usize::from(head & 0x0F) + 1) {
            (0, _) => {}
            // Reserved: nothing behind it may be read (RFC 8285 §4.2).
            (15, _) => return None,
            (id, len) => return take(rest, len).map(|value| (id, value)),
        }
    }
}

fn next_two_bytes<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    loop {
        let (&id, after) = rest.split_first()?;
        *rest = after;
        if id != 0 {
            let len = usize::from(take(rest, 1)?[0]);
            return take(rest, len).map(|value| (id, value));
        }
    }
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (value, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(value)
}

fn without_padding(data: &[u8], payload_at: usize) -> Result<usize, Discard> {
    let payload = &data[payload_at..];
    let padding = usize::from(*payload.last().ok_or(Discard::BadPadding)?);
    if padding == 0 || padding > payload.len() { Err(Discard::BadPadding) } else { Ok(data.len() - padding) }
}

/// The caller has checked that they are there.
fn long(data: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]])
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use rtc_shared::marshal::{Marshal, Unmarshal};
    use rtp::header::{EXTENSION_PROFILE_ONE_BYTE, EXTENSION_PROFILE_TWO_BYTE, Header};

    use super::*;

    #[test]
    fn fields_are_read_where_they_stand() {
        let packet = [&[0x80, 0xE0, 0x12, 0x34, 1, 2, 3, 4, 5, 6, 7, 8][..], b"payload"].concat();
        let view = RtpView::parse(&packet).unwrap();
        assert_eq!((view.payload_type(), view.marker(), view.sequence()), (96, true, 0x1234));
        assert_eq!((view.timestamp(), view.ssrc()), (0x0102_0304, 0x0506_0708));
        assert_eq!((view.payload(), view.payload_range()), (&b"payload"[..], 12..19));
    }

    #[test]
    fn lengths_that_lie_cost_the_packet() {
        for (what, first, rest, want) in [
            ("version 1", 0x40, &[][..], Err(Discard::NotRtp)),
            ("a bare header", 0x80, &[], Ok(&[][..])),
            ("15 sources", 0x8F, &[7; 61], Ok(&[7])),
            ("15 sources, one cut", 0x8F, &[7; 59], Err(Discard::NotRtp)),
            ("an extension", 0x90, &[0xBE, 0xDE, 0, 0, 1], Ok(&[1])),
            ("an extension without a length", 0x90, &[0xBE, 0xDE, 0], Err(Discard::NotRtp)),
            ("an extension beyond the end", 0x90, &[0xBE, 0xDE, 0, 1, 1, 2, 3], Err(Discard::NotRtp)),
            ("an extension of 256 KiB", 0x90, &[0xBE, 0xDE, 0xFF, 0xFF, 1, 2, 3, 4], Err(Discard::NotRtp)),
            ("padding", 0xA0, &[9, 8, 0, 2], Ok(&[9, 8])),
            ("nothing but padding", 0xA0, &[0, 0, 3], Ok(&[])),
            ("padding of more than all", 0xA0, &[0, 0, 4], Err(Discard::BadPadding)),
            ("padding of nothing", 0xA0, &[], Err(Discard::BadPadding)),
            ("padding of zero bytes", 0xA0, &[1, 2, 0], Err(Discard::BadPadding)),
        ] {
            let packet = [&[first, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], rest].concat();
            assert_eq!(RtpView::parse(&packet).map(|view| view.payload().to_vec()), want.map(<[u8]>::to_vec), "{what}");
        }
        assert_eq!(RtpView::parse(&[0x80; 11]).map(|_| ()), Err(Discard::NotRtp));
        assert_eq!(RtpView::parse(&[0x80; DATAGRAM_LEN_MAX + 1]).map(|_| ()), Err(Discard::TooLong));
        assert!(RtpView::parse(&[0x80; DATAGRAM_LEN_MAX]).is_ok());
    }

    #[test]
    fn extensions_of_both_forms_are_found() {
        for (what, profile, body, want) in [
            ("one", 0xBEDE_u16, &[0x10, 7, 0x21, 8, 9, 0, 0, 0][..], &[(1, &[7][..]), (2, &[8, 9])][..]),
            ("padding between", 0xBEDE, &[0, 0, 0x10, 7], &[(1, &[7])]),
            ("nothing behind id 15", 0xBEDE, &[0x10, 7, 0xF0, 1, 0x20, 8, 0, 0], &[(1, &[7])]),
            ("a length that lies", 0xBEDE, &[0x10, 7, 0x2F, 1], &[(1, &[7])]),
            ("two", 0x1000, &[1, 1, 7, 0, 200, 0, 3, 0], &[(1, &[7]), (200, &[]), (3, &[])]),
            ("two, with application bits", 0x100F, &[15, 2, 7, 8], &[(15, &[7, 8])]),
            ("a long length that lies", 0x1000, &[1, 9, 7, 0], &[]),
            ("a length that is missing", 0x1000, &[0, 0, 0, 1], &[]),
            ("another profile", 0xABAC, &[0x10, 7, 0, 0], &[]),
        ] {
            let words = u16::try_from(body.len() / 4).unwrap();
            let head = [0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            let packet = [&head[..], &profile.to_be_bytes(), &words.to_be_bytes(), body, b"!"].concat();
            let view = RtpView::parse(&packet).unwrap();
            assert_eq!(view.extensions().collect::<Vec<_>>(), want, "{what}");
            assert_eq!(view.payload(), b"!", "{what}");
            for (id, value) in want {
                assert_eq!(view.extension(*id), Some(*value), "{what}");
            }
            assert_eq!(view.extension(99), None);
        }
    }

    #[test]
    fn rtcp_is_told_by_its_second_byte() {
        for (second, want) in
            [(0, false), (96, false), (191, false), (192, true), (200, true), (223, true), (224, false)]
        {
            assert_eq!(is_rtcp(&[0x80, second]), want, "{second}");
        }
        assert!(!is_rtcp(&[0x80]));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(data in proptest::collection::vec(any::<u8>(), 0..80), first in 0x80_u8..0xC0) {
            for data in [&data[..], &[&[first][..], &data].concat()] {
                if let Ok(view) = RtpView::parse(data) {
                    prop_assert_eq!(header_len(data), Ok(view.payload_range().start));
                    prop_assert!(view.payload().len() + 12 <= data.len());
                    view.extensions().for_each(drop);
                }
            }
        }

        #[test]
        fn the_library_sees_the_same(
            sources in proptest::collection::vec(any::<u32>(), 0..16),
            extensions in proptest::collection::btree_map(1_u8..15, proptest::collection::vec(any::<u8>(), 1..17), 0..5),
            is_two_bytes in any::<bool>(),
            numbers in any::<(u16, u32, u32, bool)>(),
            payload in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let (sequence_number, timestamp, ssrc, marker) = numbers;
            let mut header = Header { version: 2, sequence_number, timestamp, ssrc, marker, csrc: sources, ..Header::default() };
            header.payload_type = 111;
            header.extension_profile = if is_two_bytes { EXTENSION_PROFILE_TWO_BYTE } else { EXTENSION_PROFILE_ONE_BYTE };
            header.extension = !extensions.is_empty();
            for (id, value) in &extensions {
                header.set_extension(*id, Bytes::copy_from_slice(value)).unwrap();
            }
            let packet = [&header.marshal().unwrap()[..], &payload].concat();
            prop_assert_eq!(Header::unmarshal(&mut &packet[..]).unwrap().ssrc, ssrc);
            let view = RtpView::parse(&packet).unwrap();
            prop_assert_eq!((view.sequence(), view.timestamp(), view.ssrc(), view.marker()), numbers);
            prop_assert_eq!((view.payload_type(), view.payload()), (111, &payload[..]));
            for (id, value) in &extensions {
                prop_assert_eq!(view.extension(*id), Some(&value[..]));
            }
        }
    }
}
