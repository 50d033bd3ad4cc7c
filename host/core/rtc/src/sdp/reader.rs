//! Text to lines (RFC 8866 §5): bounded before anything is kept.

use super::error::OfferError;

/// Of an offer or a fragment, in bytes. A browser's largest are about 10 KB.
const LEN_MAX: usize = 64 * 1024;

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// From 1, for complaints.
    pub(super) number: usize,
    /// Its first letter.
    pub(super) letter: u8,
    /// What stands behind `=`.
    pub(super) value: &'a str,
}

/// The lines of a text. CR before LF and empty lines are forgiven, control characters are not: what is
/// quoted in an answer must stay within its line there.
pub(super) fn lines(text: &str) -> Result<impl Iterator<Item = Result<Line<'_>, OfferError>>, OfferError> {
    if text.len() > LEN_MAX {
        return Err(OfferError::TooLong);
    }
    let lines = text.split('\n').enumerate().map(|(index, line)| (index + 1, line.strip_suffix('\r').unwrap_or(line)));
    Ok(lines.filter(|(_, line)| !line.is_empty()).map(|(number, line)| read(number, line)))
}

fn read(number: usize, line: &str) -> Result<Line<'_>, OfferError> {
    match line.as_bytes() {
        [letter @ b'a'..=b'z', b'=', ..] if !line.contains(char::is_control) => {
            Ok(Line { number, letter: *letter, value: &line[2..] })
        }
        _ => Err(OfferError::Malformed(number)),
    }
}

/// `name` and `value` of an attribute `name:value`; a property has an empty value.
pub(super) fn attribute(text: &str) -> (&str, &str) {
    text.split_once(':').unwrap_or((text, ""))
}

/// A `token` of at most `len_max` bytes (RFC 8866 §9).
pub(super) fn is_token(text: &str, len_max: usize) -> bool {
    let is_token = |byte: u8| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]".contains(&byte);
    (1..=len_max).contains(&text.len()) && text.bytes().all(is_token)
}

/// Adds to a list that a stranger fills.
pub(super) fn push<T>(list: &mut Vec<T>, item: T, what: &'static str, max: usize) -> Result<(), OfferError> {
    if list.len() == max {
        return Err(OfferError::TooMany { what, max });
    }
    list.push(item);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_letter_an_equals_sign_and_text() {
        for (text, want) in [
            ("v=0\r\na=x:y", Ok(vec![(1, b'v', "0"), (2, b'a', "x:y")])),
            ("v=0\n\n\r\na=\n", Ok(vec![(1, b'v', "0"), (4, b'a', "")])),
            ("", Ok(vec![])),
            ("v=0\r\nnonsense", Err(OfferError::Malformed(2))),
            ("v0", Err(OfferError::Malformed(1))),
            ("V=0", Err(OfferError::Malformed(1))),
            ("v", Err(OfferError::Malformed(1))),
            ("v=0\ra=b", Err(OfferError::Malformed(1))),
            ("s=\u{0}", Err(OfferError::Malformed(1))),
            ("s=\u{85}", Err(OfferError::Malformed(1))),
            ("\u{fc}=1", Err(OfferError::Malformed(1))),
        ] {
            let read = lines(text).unwrap().map(|line| line.map(|line| (line.number, line.letter, line.value)));
            assert_eq!(read.collect::<Result<Vec<_>, _>>(), want, "{text:?}");
        }
        assert_eq!(lines(&"a".repeat(LEN_MAX + 1)).err(), Some(OfferError::TooLong));
    }

    #[test]
    fn a_token_is_short_and_of_plain_characters() {
        for (text, want) in
            [("0", true), ("video-1_{x}", true), ("", false), ("a b", false), ("a:b", false), ("12345", true)]
        {
            assert_eq!(is_token(text, 11), want, "{text}");
        }
        assert!(!is_token("12345", 4));
    }
}
