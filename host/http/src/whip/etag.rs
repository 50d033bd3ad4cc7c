//! Entity tags: which generation of a session's ICE a client means (RFC 9725 §4.3.1, RFC 9110 §13.1.1).

use axum::http::{HeaderMap, HeaderValue, header};
use heliu_media::NegotiationError;

use super::trouble::Trouble;

/// The one that `If-Match` names; `None`: any. A weak one, or a list, matches nothing: the tag is ours, and
/// one.
pub(super) fn wanted(headers: &HeaderMap) -> Result<Option<String>, Trouble> {
    let mut values = headers.get_all(header::IF_MATCH).iter();
    let value = values.next().ok_or(Trouble::NoCondition)?;
    let value = value.to_str().unwrap_or_default().trim();
    if values.next().is_some() {
        return Err(NegotiationError::Stale.into());
    }
    if value == "*" {
        return Ok(None);
    }
    let tag = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let tag = tag.filter(|tag| !tag.contains('"')).ok_or(NegotiationError::Stale)?;
    Ok(Some(tag.to_owned()))
}

/// As a header's value.
pub(super) fn quoted(etag: &str) -> HeaderValue {
    HeaderValue::try_from(format!("\"{etag}\"")).expect("the media plane's tags are of plain characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_strong_tag_or_any_is_wanted() {
        for (what, values, want) in [
            ("a tag", &["\"abc\""][..], Ok(Some("abc".to_owned()))),
            ("any", &["*"], Ok(None)),
            ("none", &[], Err(428)),
            ("a weak one", &["W/\"abc\""], Err(412)),
            ("bare", &["abc"], Err(412)),
            ("a list", &["\"a\", \"b\""], Err(412)),
            ("two", &["\"a\"", "\"b\""], Err(412)),
            ("half", &["\""], Err(412)),
            ("nothing in it", &[""], Err(412)),
        ] {
            let headers = values.iter().map(|value| (header::IF_MATCH, HeaderValue::from_static(value)));
            let mut map = HeaderMap::new();
            headers.for_each(|(name, value)| _ = map.append(name, value));
            assert_eq!(wanted(&map).map_err(|trouble| trouble.answer("").status().as_u16()), want, "{what}");
        }
    }
}
