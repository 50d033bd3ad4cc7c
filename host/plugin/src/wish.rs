//! From what a guest asks of the media plane to the wish that is stored.
//!
//! What this host does not serve is refused here by its name, so that a stored wish can always be
//! carried out and the media plane need not know what it lacks.

mod address;
mod egress;
mod mixer;

pub(crate) use address::{address, address_intent};
pub(crate) use egress::egress_intent;
pub(crate) use mixer::mixer_intent;

use heliu_model::{Encoding, FormatWish, Kind, Namespace, PublicationId, RoomId, Size};

use crate::bindings::types::{self, Error, Field};

const OPTIONS_LEN_MAX: usize = 32;

/// An argument that is wrong, by its name in the contract.
pub(crate) fn invalid<T>(name: &str) -> Result<T, Error> {
    Err(Error::Invalid(name.to_owned()))
}

/// 1 to 256 bytes without control characters, as every id.
pub(crate) fn check_id(name: &str, id: &str) -> Result<(), Error> {
    if id.parse::<PublicationId>().is_ok() { Ok(()) } else { invalid(name) }
}

pub(crate) fn room(namespace: &Namespace, id: &str) -> Result<RoomId, Error> {
    RoomId::new(namespace, id).or_else(|_| invalid("room"))
}

fn publication(id: &str) -> Result<PublicationId, Error> {
    id.parse().or_else(|_| invalid("publication"))
}

/// Values of the options this host serves, in the order of `served`; others are refused, unless their
/// name begins with `?`.
pub(crate) fn options<'a, const N: usize>(bag: &'a [Field], served: [&str; N]) -> Result<[Option<&'a str>; N], Error> {
    if bag.len() > OPTIONS_LEN_MAX {
        return invalid("options");
    }
    let mut values = [None; N];
    for Field { name, value } in bag.iter().filter(|field| !field.name.starts_with('?')) {
        let slot = served.iter().zip(&mut values).find(|(known, slot)| *known == name && slot.is_none());
        let Some((_, slot)) = slot else { return invalid(name) };
        *slot = Some(value.as_str());
    }
    Ok(values)
}

/// A number of milliseconds, zero if it is not there.
pub(crate) fn millis(name: &str, value: Option<&str>, max: u32) -> Result<u32, Error> {
    let Some(value) = value else { return Ok(0) };
    let millis: u32 = value.parse().or_else(|_| invalid(name))?;
    if millis <= max { Ok(millis) } else { invalid(name) }
}

/// The one format this host serves for a kind, however exactly it is asked for.
fn format(kind: Kind, format: Option<types::Format>) -> Result<Option<FormatWish>, Error> {
    let Some(format) = format else { return Ok(None) };
    let is_served = match kind {
        Kind::Video => {
            format.codec == "h264"
                && format.profile.as_deref().is_none_or(|profile| profile == "CB")
                && format.sample_rate.is_none()
                && format.channels.is_none()
        }
        Kind::Audio => {
            format.codec == "aac"
                && format.profile.is_none()
                && format.sample_rate.is_none_or(|rate| rate == 48_000)
                && format.channels.is_none_or(|channels| channels == 2)
        }
    };
    if !is_served {
        return invalid("format");
    }
    let types::Format { codec, profile, sample_rate, channels } = format;
    Ok(Some(FormatWish { codec, profile, sample_rate, channels }))
}

/// How a source is taken: as it comes.
fn as_it_comes(kind: Kind, encoding: types::Encoding) -> Result<Encoding, Error> {
    let types::Encoding { format: wished, size, frame_rate, bitrate_kbps, keyframe_ms } = encoding;
    for (name, is_wished) in [
        ("size", size.is_some()),
        ("frame-rate", frame_rate.is_some()),
        ("bitrate-kbps", bitrate_kbps.is_some()),
        ("keyframe-ms", keyframe_ms.is_some()),
    ] {
        if is_wished {
            return invalid(name);
        }
    }
    Ok(Encoding { format: format(kind, wished)?, ..Encoding::default() })
}

fn within<T: PartialOrd>(name: &str, value: Option<T>, range: std::ops::RangeInclusive<T>) -> Result<Option<T>, Error> {
    match value {
        Some(value) if !range.contains(&value) => invalid(name),
        value => Ok(value),
    }
}

fn canvas(size: types::Size) -> Result<Size, Error> {
    let types::Size { width, height } = size;
    let is_served = (16..=3840).contains(&width) && (16..=2160).contains(&height);
    if is_served { Ok(Size { width, height }) } else { invalid("size") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_served_refused_or_passed_over() {
        for (what, bag, want) in [
            ("none", vec![], Ok([None, None])),
            ("one", vec![("b", "1")], Ok([None, Some("1")])),
            ("a polite unknown", vec![("?c", "1"), ("a", "2")], Ok([Some("2"), None])),
            ("an unknown", vec![("c", "1")], Err("c")),
            ("one twice", vec![("a", "1"), ("a", "2")], Err("a")),
            ("too many", vec![("?c", ""); 33], Err("options")),
        ] {
            let bag: Vec<Field> = bag.into_iter().map(field).collect();
            let want = want.map_err(|name| Error::Invalid(name.to_owned()));
            assert_eq!(options(&bag, ["a", "b"]), want, "{what}");
        }
    }

    #[test]
    fn only_the_one_format_of_a_kind_is_served() {
        let wish = |codec: &str, profile: Option<&str>, sample_rate, channels| types::Format {
            codec: codec.into(),
            profile: profile.map(str::to_owned),
            sample_rate,
            channels,
        };
        for (kind, wish, is_served) in [
            (Kind::Video, wish("h264", None, None, None), true),
            (Kind::Video, wish("h264", Some("CB"), None, None), true),
            (Kind::Video, wish("h264", Some("H"), None, None), false),
            (Kind::Video, wish("vp8", None, None, None), false),
            (Kind::Audio, wish("aac", None, Some(48_000), Some(2)), true),
            (Kind::Audio, wish("aac", None, Some(44_100), None), false),
            (Kind::Audio, wish("aac", None, None, Some(1)), false),
            (Kind::Audio, wish("opus", None, None, None), false),
            (Kind::Audio, wish("h264", None, None, None), false),
        ] {
            let got = format(kind, Some(wish.clone()));
            assert_eq!(got.is_ok(), is_served, "{kind:?} {wish:?}");
        }
    }

    fn field((name, value): (&str, &str)) -> Field {
        Field { name: name.into(), value: value.into() }
    }
}
