//! `1280x720`.

use serde::{Deserialize, Serialize};

const WIDTHS: std::ops::RangeInclusive<u32> = 16..=3840;
const HEIGHTS: std::ops::RangeInclusive<u32> = 16..=2160;

/// A canvas size that remembers how it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Resolution {
    text: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl TryFrom<String> for Resolution {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let sides = text.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
        let (width, height) = sides.ok_or("is not WIDTHxHEIGHT")?;
        if !WIDTHS.contains(&width) || !HEIGHTS.contains(&height) {
            return Err("is out of range");
        }
        Ok(Self { text, width, height })
    }
}

impl From<Resolution> for String {
    fn from(resolution: Resolution) -> String {
        resolution.text
    }
}

/// Digits alone, without a leading zero.
fn side(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolution_is_two_numbers_and_a_small_x() {
        for (text, want) in [
            ("1280x720", Some((1280, 720))),
            ("16x16", Some((16, 16))),
            ("3840x2160", Some((3840, 2160))),
            ("101x67", Some((101, 67))),
            ("15x16", None),
            ("16x15", None),
            ("3841x2160", None),
            ("3840x2161", None),
            ("720p", None),
            ("1280*720", None),
            ("1280X720", None),
            ("0x0", None),
            ("01280x720", None),
            (" 1280x720", None),
            ("1280x720 ", None),
            ("+128x720", None),
            ("x", None),
            ("1280x", None),
            ("1280x720x2", None),
            ("99999999999999999999x720", None),
            ("", None),
        ] {
            let got = Resolution::try_from(text.to_owned()).ok().map(|found| (found.width, found.height));
            assert_eq!(got, want, "{text:?}");
        }
    }
}
