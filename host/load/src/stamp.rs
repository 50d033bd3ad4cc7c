//! The number of a picture and when it left, inside the picture.
//!
//! It stands in front of the slice as an SEI message of unregistered user data (ITU-T H.264 §D.1.7), in
//! hexadecimal digits, which need no emulation prevention.

use std::time::{SystemTime, UNIX_EPOCH};

const NAME: &[u8; 16] = b"heliu-load-stamp";
const DIGITS: usize = 16;
const PAYLOAD_LEN: usize = NAME.len() + 2 * DIGITS;

/// One picture's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Counts pictures.
    pub number: u64,
    /// Microseconds since 1970.
    pub left_at: u64,
}

impl Stamp {
    /// A picture of this number leaves.
    pub fn new(number: u64) -> Self {
        Self { number, left_at: micros() }
    }

    /// As a NAL unit with its length before it.
    pub fn nal_unit(self) -> Vec<u8> {
        let mut nal = vec![6, 5, PAYLOAD_LEN as u8];
        nal.extend(NAME);
        nal.extend(format!("{:016x}{:016x}", self.number, self.left_at).into_bytes());
        nal.push(0x80);
        let mut unit = (nal.len() as u32).to_be_bytes().to_vec();
        unit.append(&mut nal);
        unit
    }

    /// From the first bytes of a tag body; `None`: it carries none.
    pub fn find(head: &[u8]) -> Option<Self> {
        let at = head.windows(NAME.len()).position(|window| window == NAME)? + NAME.len();
        let digits = std::str::from_utf8(head.get(at..at + 2 * DIGITS)?).ok()?;
        let (number, left_at) = digits.split_at(DIGITS);
        let parse = |digits| u64::from_str_radix(digits, 16).ok();
        Some(Self { number: parse(number)?, left_at: parse(left_at)? })
    }
}

/// Microseconds since 1970.
pub fn micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_found_again_unless_it_is_cut() {
        let stamp = Stamp { number: 7, left_at: 0x1234_5678_9abc };
        let body = [&[0x17, 1, 0, 0, 0][..], &stamp.nal_unit(), b"slice"].concat();
        assert_eq!(Stamp::find(&body), Some(stamp));
        assert_eq!(Stamp::find(&body[..40]), None);
        assert_eq!(Stamp::find(b"\x17\0\0\0\0"), None);
    }
}
