//! The public name under which media is published or played (architecture §3, *Address*).
//!
//! One to eight segments joined by `/`; the first is the *app*, the others (at least one) the *name*.
//! Clients cut RTMP URLs differently, so app and stream name are joined before anything is read.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::percent::percent_decode;

const SEGMENTS_MAX: usize = 8;
const SEGMENT_LEN_MAX: usize = 256;
const LEN_MAX: usize = 512;

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Only an app, or nothing.
    #[error("the address needs an app and a name")]
    NoName,
    /// A segment without a character: `a//b`.
    #[error("the address holds an empty segment")]
    EmptySegment,
    /// `.` or `..`.
    #[error("the address holds a relative segment")]
    RelativeSegment,
    /// A control character, `?` or `#`, or bytes that are no UTF-8.
    #[error("the address holds a forbidden character")]
    ForbiddenCharacter,
    /// Over 256 bytes in a segment, 512 in all, or 8 segments.
    #[error("the address is too long")]
    TooLong,
}

/// A public name of media, unique on this host. Equal means byte-equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(Arc<str>);

impl Address {
    /// From decoded text `app/name…`.
    ///
    /// # Errors
    /// It breaks the grammar.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > LEN_MAX {
            return Err(AddressError::TooLong);
        }
        let mut count = 0;
        for segment in text.split('/') {
            count += 1;
            check_segment(segment)?;
        }
        match count {
            0 | 1 => Err(AddressError::NoName),
            2..=SEGMENTS_MAX => Ok(Self(text.into())),
            _ => Err(AddressError::TooLong),
        }
    }

    /// From what an RTMP client said: `connect.app` and the stream name. Joins, then cuts the query at
    /// the first `?`, and drops a leading `mp4:` or `flv:` of the stream name. ffmpeg cuts
    /// `a/b?u=x/y` into app `a/b?u=x` and stream `y`, so what follows the `?` is never path, unless
    /// nothing but the app stands before it (SRS users write `live?vhost=x` for the app).
    ///
    /// # Errors
    /// The joined text breaks the grammar.
    pub fn from_rtmp(app: &str, stream: &str) -> Result<(Self, Option<String>), AddressError> {
        let app = app.trim_start_matches('/');
        let stream = stream.strip_prefix("mp4:").or_else(|| stream.strip_prefix("flv:")).unwrap_or(stream);
        if let Some((app, query)) = app.split_once('?')
            && !app.trim_end_matches('/').contains('/')
            && !stream.is_empty()
        {
            let name = stream.split_once('?').map_or(stream, |(name, _)| name);
            return Ok((Self::joined(app, name)?, Some(query.to_owned())));
        }
        let joined = format!("{app}/{stream}");
        match joined.split_once('?') {
            Some((path, query)) => Ok((Self::joined(path, "")?, Some(query.to_owned()))),
            None => Ok((Self::joined(app, stream)?, None)),
        }
    }

    fn joined(app: &str, name: &str) -> Result<Self, AddressError> {
        let app = app.trim_end_matches('/');
        Self::parse(format!("{app}/{name}").trim_end_matches('/'))
    }

    /// From the path of a URL without its leading `/`: percent-decodes each segment once. `+` is itself.
    ///
    /// # Errors
    /// The decoded text breaks the grammar.
    pub fn from_path(path: &str) -> Result<Self, AddressError> {
        if path.len() > 3 * LEN_MAX {
            return Err(AddressError::TooLong);
        }
        let segments: Option<Vec<String>> = path.split('/').map(percent_decode).collect();
        let segments = segments.ok_or(AddressError::ForbiddenCharacter)?;
        // A decoded `/` must not make a segment of its own.
        if segments.iter().any(|segment| segment.contains('/')) {
            return Err(AddressError::ForbiddenCharacter);
        }
        Self::parse(&segments.join("/"))
    }

    /// First segment.
    #[must_use]
    pub fn app(&self) -> &str {
        self.0.split_once('/').expect("checked when it was made").0
    }

    /// All other segments.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once('/').expect("checked when it was made").1
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_segment(segment: &str) -> Result<(), AddressError> {
    match segment {
        "" => Err(AddressError::EmptySegment),
        "." | ".." => Err(AddressError::RelativeSegment),
        _ if segment.len() > SEGMENT_LEN_MAX => Err(AddressError::TooLong),
        _ if segment.chars().any(|c| c.is_control() || c == '?' || c == '#') => Err(AddressError::ForbiddenCharacter),
        _ => Ok(()),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.0.as_ref().to_owned()
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtmp_clients_may_split_where_they_like() {
        for (app, stream, want, query) in [
            ("a/b", "c", "a/b/c", None),
            ("a", "b/c", "a/b/c", None),
            ("a", "b/c?key=1/2", "a/b/c", Some("key=1/2")),
            ("a?key=1", "b", "a/b", Some("key=1")),
            ("a/", "b", "a/b", None),
            ("live", "mp4:x+y", "live/x+y", None),
            ("live/x", "", "live/x", None),
            ("live", "flv:x?", "live/x", Some("")),
            ("a/b?u=http:", "/h/x", "a/b", Some("u=http://h/x")),
            ("live?vhost=x", "s?k=1", "live/s", Some("vhost=x")),
        ] {
            let (address, got) = Address::from_rtmp(app, stream).unwrap();
            assert_eq!((address.as_str(), got.as_deref()), (want, query), "{app} {stream}");
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_refused_with_a_reason() {
        for (text, want) in [
            ("", AddressError::EmptySegment),
            ("live", AddressError::NoName),
            ("live//x", AddressError::EmptySegment),
            ("live/../x", AddressError::RelativeSegment),
            ("live/a\u{7}", AddressError::ForbiddenCharacter),
            ("1/2/3/4/5/6/7/8/9", AddressError::TooLong),
            (&format!("live/{}", "x".repeat(257)), AddressError::TooLong),
        ] {
            assert_eq!(Address::parse(text), Err(want), "{text:?}");
        }
    }

    #[test]
    fn paths_are_decoded_once() {
        for (path, want) in [
            ("live/a%20b", Ok("live/a b")),
            ("live/a+b", Ok("live/a+b")),
            ("live/%2541", Ok("live/%41")),
            ("live/%2e%2e", Err(AddressError::RelativeSegment)),
            ("live/a%2fb", Err(AddressError::ForbiddenCharacter)),
            ("live/%00", Err(AddressError::ForbiddenCharacter)),
            ("live/%ff", Err(AddressError::ForbiddenCharacter)),
            ("live/%+1", Err(AddressError::ForbiddenCharacter)),
            ("live/%4", Err(AddressError::ForbiddenCharacter)),
        ] {
            assert_eq!(Address::from_path(path).as_ref().map(Address::as_str), want.as_ref().map(|x| *x), "{path}");
        }
    }
}
