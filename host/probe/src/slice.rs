//! Is an access unit a B picture? Its first slice tells (ITU-T H.264 §7.3.3).

use heliu_container::avc::{LengthSize, NAL_IDR, NAL_SLICE, nal_type, nals};

/// `slice_type` modulo five (table 7-6).
const B: u32 = 1;

/// False for what cannot be read.
pub(crate) fn is_b_picture(access_unit: &[u8]) -> bool {
    let is_slice = |nal: &&[u8]| (NAL_SLICE..=NAL_IDR).contains(&nal_type(nal));
    let first = nals(access_unit, LengthSize::Four).map_while(Result::ok).find(is_slice);
    first.and_then(slice_type).is_some_and(|kind| kind % 5 == B)
}

/// The second Exp-Golomb number behind the NAL unit's header; the first is the place of the slice.
fn slice_type(nal: &[u8]) -> Option<u32> {
    let mut bits = Bits { bytes: nal.get(1..)?, at: 0 };
    bits.exp_golomb()?;
    bits.exp_golomb()
}

/// No emulation prevention: two numbers of a few bits cannot hold two zero bytes.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<u32> {
        let byte = *self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit.into())
    }

    fn exp_golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 16 {
                return None;
            }
        }
        (0..zeros).try_fold(1, |value, _| Some(value << 1 | self.bit()?)).map(|value: u32| value - 1)
    }
}

#[cfg(test)]
mod tests {
    use heliu_container::avc::from_nals;

    use super::*;

    #[test]
    fn slices_tell_their_kind() {
        for (what, nals, want) in [
            ("P of the whole picture", &[&[0x41, 0b1001_1000][..]][..], false),
            ("B of the whole picture", &[&[0x01, 0b1001_1100]], true),
            ("B alone", &[&[0x01, 0b1010_0000]], true),
            ("I", &[&[0x65, 0b1000_1000]], false),
            ("an access unit delimiter first", &[&[0x09, 0x30], &[0x01, 0b1010_0000]], true),
            ("cut", &[&[0x01]], false),
            ("zeros", &[&[0x01, 0, 0, 0, 0]], false),
            ("no slice", &[&[0x06, 5]], false),
        ] {
            assert_eq!(is_b_picture(&from_nals(nals)), want, "{what}");
        }
    }
}
