//! `#rrggbb` to the colour space of I420 pictures.

use heliu_model::Yuv;

/// Black for what is no colour, which the intent's checks have refused.
pub(crate) fn parse(text: &str) -> Yuv {
    rgb(text).map_or(Yuv::BLACK, Yuv::from_rgb)
}

fn rgb(text: &str) -> Option<[u8; 3]> {
    let digits = text
        .strip_prefix('#')
        .filter(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    Some([channel(0)?, channel(2)?, channel(4)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_have_their_known_values() {
        for (text, want) in [
            ("#000000", [16, 128, 128]),
            ("#ffffff", [235, 128, 128]),
            ("#FF0000", [81, 90, 240]),
            ("#00ff00", [145, 54, 34]),
            ("#0000ff", [41, 240, 110]),
            ("#808080", [126, 128, 128]),
            ("808080", [16, 128, 128]),
            ("#80808", [16, 128, 128]),
            ("#8080é", [16, 128, 128]),
            ("#+1+1+1", [16, 128, 128]),
            ("#xx0000", [16, 128, 128]),
        ] {
            assert_eq!(parse(text), Yuv(want), "{text}");
        }
    }
}
