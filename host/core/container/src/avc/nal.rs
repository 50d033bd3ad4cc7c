//! NAL units in a row: length-prefixed (ISO/IEC 14496-15 §5.2.3) and Annex B (ITU-T H.264).
//!
//! Iterators borrow; nothing is copied until a caller asks for the other form.

use bytes::{BufMut, Bytes, BytesMut};

use crate::Discard;

/// Slice of a picture that refers to others.
pub const NAL_SLICE: u8 = 1;
/// Slice of an instantaneous decoder refresh: a decoder may start here.
pub const NAL_IDR: u8 = 5;
/// Supplemental enhancement information: no decoder needs it.
pub const NAL_SEI: u8 = 6;
/// Sequence parameter set.
pub const NAL_SPS: u8 = 7;
/// Picture parameter set.
pub const NAL_PPS: u8 = 8;
/// Access unit delimiter.
pub const NAL_AUD: u8 = 9;
/// Nothing but its header.
pub const NAL_END_OF_SEQUENCE: u8 = 10;
/// Nothing but its header.
pub const NAL_END_OF_STREAM: u8 = 11;
/// Bytes that keep a rate up and mean nothing.
pub const NAL_FILLER: u8 = 12;

/// Most NAL units of one access unit. A picture in slices of one datagram each stays far below.
pub const NALS_MAX: usize = 2048;

const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// How many bytes hold the length of a NAL unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LengthSize {
    /// `lengthSizeMinusOne` 0.
    One,
    /// `lengthSizeMinusOne` 1.
    Two,
    /// `lengthSizeMinusOne` 3, the only one inside heliu.
    Four,
}

impl LengthSize {
    fn bytes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
        }
    }
}

/// The type of a NAL unit, 0 for an empty one.
#[must_use]
pub fn nal_type(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |header| header & 0x1F)
}

/// The NAL units of a length-prefixed access unit. Empty ones are left out.
#[must_use]
pub fn nals(data: &[u8], length_size: LengthSize) -> Nals<'_> {
    Nals { rest: data, length_size, left: NALS_MAX }
}

/// Iterator of [`nals`]. After an error it ends.
#[derive(Debug, Clone)]
pub struct Nals<'a> {
    rest: &'a [u8],
    length_size: LengthSize,
    left: usize,
}

impl<'a> Iterator for Nals<'a> {
    type Item = Result<&'a [u8], Discard>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            match self.take() {
                Some([]) => {}
                Some(nal) => return Some(Ok(nal)),
                None => {
                    self.rest = &[];
                    return Some(Err(Discard::BadNals));
                }
            }
        }
        None
    }
}

impl<'a> Nals<'a> {
    fn take(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let (length, rest) = self.rest.split_at_checked(self.length_size.bytes())?;
        let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
        let (nal, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(nal)
    }
}

/// The same access unit with four-byte lengths; not copied if it has them already.
///
/// # Errors
/// The lengths do not add up.
pub fn normalise(data: Bytes, length_size: LengthSize) -> Result<Bytes, Discard> {
    if length_size == LengthSize::Four {
        return Ok(data);
    }
    let units: Vec<&[u8]> = nals(&data, length_size).collect::<Result<_, _>>()?;
    Ok(from_nals(&units))
}

/// An access unit with four-byte lengths from its NAL units.
///
/// # Panics
/// A NAL unit is longer than `u32::MAX`, which none of ours can be.
#[must_use]
pub fn from_nals(nals: &[&[u8]]) -> Bytes {
    let mut data = BytesMut::with_capacity(nals.iter().map(|nal| nal.len() + 4).sum());
    for nal in nals {
        data.put_u32(u32::try_from(nal.len()).expect("a NAL unit is shorter than 4 GiB"));
        data.put_slice(nal);
    }
    data.freeze()
}

/// Appends an access unit with four-byte lengths to `out` in Annex B form.
///
/// # Errors
/// The lengths do not add up; `out` then holds a part.
pub fn append_annex_b(data: &[u8], out: &mut Vec<u8>) -> Result<(), Discard> {
    for nal in nals(data, LengthSize::Four) {
        out.extend_from_slice(&START_CODE);
        out.extend_from_slice(nal?);
    }
    Ok(())
}

/// The NAL units of an Annex B byte stream, without start codes and trailing zeros. What stands before
/// the first start code is left out, and so is everything behind the 2048th unit.
#[must_use]
pub fn annex_b_nals(data: &[u8]) -> AnnexBNals<'_> {
    let rest = start_code(data).map_or(&[][..], |(_, after)| &data[after..]);
    AnnexBNals { rest, left: NALS_MAX }
}

/// Iterator of [`annex_b_nals`].
#[derive(Debug, Clone)]
pub struct AnnexBNals<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for AnnexBNals<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            self.left = self.left.checked_sub(1)?;
            let (nal, rest) = match start_code(self.rest) {
                Some((at, after)) => (&self.rest[..at], &self.rest[after..]),
                None => (self.rest, &[][..]),
            };
            self.rest = rest;
            let nal = without_trailing_zeros(nal);
            if !nal.is_empty() {
                return Some(nal);
            }
        }
        None
    }
}

/// Where the first three-byte start code begins and ends.
fn start_code(data: &[u8]) -> Option<(usize, usize)> {
    let at = data.windows(3).position(|window| window == [0, 0, 1])?;
    Some((at, at + 3))
}

pub(super) fn without_trailing_zeros(nal: &[u8]) -> &[u8] {
    let len = nal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &nal[..len]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_of_any_size_become_four_bytes() {
        for (what, data, length_size) in [
            ("one", &b"\x02\x41\x01\x01\x06"[..], LengthSize::One),
            ("two", b"\x00\x02\x41\x01\x00\x01\x06", LengthSize::Two),
            ("four", b"\0\0\0\x02\x41\x01\0\0\0\x01\x06", LengthSize::Four),
            ("an empty one between", b"\x02\x41\x01\x00\x01\x06", LengthSize::One),
        ] {
            let normal = normalise(Bytes::copy_from_slice(data), length_size).unwrap();
            assert_eq!(&normal[..], b"\0\0\0\x02\x41\x01\0\0\0\x01\x06", "{what}");
        }
    }

    #[test]
    fn lengths_that_do_not_add_up_are_refused() {
        for (what, data) in [
            ("a short length", &b"\0\0\x01"[..]),
            ("a long length", b"\0\0\0\x09\x41"),
            ("annex b", b"\0\0\0\x01\x67\0\0\0\x01\x68\xce"),
            ("a huge length", b"\xff\xff\xff\xff\x41"),
        ] {
            assert!(nals(data, LengthSize::Four).any(|nal| nal == Err(Discard::BadNals)), "{what}");
        }
    }

    #[test]
    fn a_flood_of_units_ends_in_an_error() {
        let data = vec![0; 4 * (NALS_MAX + 1)];
        assert_eq!(nals(&data, LengthSize::Four).collect::<Vec<_>>(), [Err(Discard::BadNals)]);
    }

    #[test]
    fn annex_b_is_cut_at_start_codes_of_both_lengths() {
        for (what, data) in [
            ("three", &b"\0\0\x01\x67\x42\0\0\x01\x68"[..]),
            ("four", b"\0\0\0\x01\x67\x42\0\0\0\x01\x68"),
            ("rubbish first, zeros last", b"\x09\0\0\x01\x67\x42\0\0\0\0\x01\x68\0\0"),
        ] {
            let units: Vec<&[u8]> = annex_b_nals(data).collect();
            assert_eq!(units, [&b"\x67\x42"[..], b"\x68"], "{what}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            for length_size in [LengthSize::One, LengthSize::Two, LengthSize::Four] {
                let _ = normalise(Bytes::copy_from_slice(&data), length_size);
                nals(&data, length_size).for_each(drop);
            }
            annex_b_nals(&data).for_each(drop);
            let _ = append_annex_b(&data, &mut Vec::new());
        }

        #[test]
        fn both_forms_hold_the_same_units(units in proptest::collection::vec(proptest::collection::vec(1_u8.., 1..20), 0..8)) {
            let units: Vec<&[u8]> = units.iter().map(Vec::as_slice).collect();
            let data = from_nals(&units);
            prop_assert_eq!(nals(&data, LengthSize::Four).collect::<Result<Vec<_>, _>>().unwrap(), units.clone());
            let mut annex_b = Vec::new();
            append_annex_b(&data, &mut annex_b).unwrap();
            prop_assert_eq!(annex_b_nals(&annex_b).collect::<Vec<_>>(), units);
        }
    }
}
