//! Percent-decoding of one segment of a URL's path (RFC 3986 §2.1). `+` is itself: only forms use it
//! for a space.

/// The segment decoded once; `None`: a `%` without two hex digits, or bytes that are no UTF-8.
#[must_use]
pub fn percent_decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let [high, low] = [rest.next()?, rest.next()?].map(|digit| char::from(digit).to_digit(16));
        bytes.push(u8::try_from(high? * 16 + low?).ok()?);
    }
    String::from_utf8(bytes).ok()
}
