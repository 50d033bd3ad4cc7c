//! Parameters of a format (RFC 8866 §6.15): `name=value;name=value`.

use crate::line::Codec;

/// The value of a parameter; names do not heed case.
pub(super) fn value<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = parameters.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| known.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// How gladly H.264 with these parameters is taken, 0 first; `None`: not at all. Profiles from the one that
/// everybody decodes upward (RFC 6184 §8.1); without a word it is Baseline.
pub(super) fn h264_rank(parameters: &str) -> Option<u8> {
    let Some(id) = value(parameters, "profile-level-id") else { return Some(1) };
    if id.len() != 6 {
        return None;
    }
    let [profile, constraints, _level] = u32::from_str_radix(id, 16).ok()?.to_be_bytes()[1..] else { return None };
    // RFC 6184, table 5: Constrained Baseline has two names.
    let is_constrained = (profile == 0x42 && constraints & 0x40 != 0) || (profile == 0x4d && constraints & 0x80 != 0);
    match profile {
        _ if is_constrained => Some(0),
        0x42 => Some(1),
        0x4d => Some(2),
        0x64 => Some(3),
        _ => None,
    }
}

/// `packetization-mode` of H.264; 0 without a word (RFC 6184 §8.1).
pub(super) fn packetization_mode(parameters: &str) -> Option<u8> {
    value(parameters, "packetization-mode").map_or(Some(0), |mode| mode.parse().ok())
}

/// What an answer says about a chosen format.
pub(super) fn answered(codec: Codec, parameters: &str, is_sending: bool) -> String {
    let is_on = |name| value(parameters, name) == Some("1");
    match codec {
        Codec::H264 => h264(parameters),
        Codec::Opus => {
            // RFC 7587 §6.1: `stereo` is what is liked to be received, `sprop-stereo` what will be sent.
            let stereo = match (is_sending, is_on("stereo"), is_on("sprop-stereo")) {
                (true, true, _) => Some("sprop-stereo=1"),
                (false, _, true) | (false, true, _) => Some("stereo=1"),
                _ => None,
            };
            let fec = is_on("useinbandfec").then_some("useinbandfec=1");
            [Some("minptime=10"), stereo, fec].into_iter().flatten().collect::<Vec<_>>().join(";")
        }
        Codec::Vp8 => String::new(),
    }
}

/// The offer's own profile and mode: they are what makes its format this one (RFC 6184 §8.2.2).
fn h264(parameters: &str) -> String {
    let known = ["level-asymmetry-allowed", "packetization-mode", "profile-level-id"];
    let said = known.iter().filter_map(|name| Some((name, value(parameters, name)?)));
    said.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h264_is_ranked_by_what_everybody_decodes() {
        for (parameters, want) in [
            ("profile-level-id=42e01f", Some(0)),
            ("packetization-mode=1;profile-level-id=42C01E", Some(0)),
            (" Profile-Level-Id = 42001f ", Some(1)),
            ("", Some(1)),
            ("profile-level-id=4d001f", Some(2)),
            ("profile-level-id=4d801f", Some(0)),
            ("profile-level-id=64001f", Some(3)),
            ("profile-level-id=640c1f", Some(3)),
            ("profile-level-id=f4001f", None),
            ("profile-level-id=6e001f", None),
            ("profile-level-id=+2e01f", None),
            ("profile-level-id=42e0", None),
            ("profile-level-id=\u{e9}\u{e9}\u{e9}", None),
        ] {
            assert_eq!(h264_rank(parameters), want, "{parameters}");
        }
    }

    #[test]
    fn an_answer_says_what_the_offer_began() {
        for (codec, offered, is_sending, want) in [
            (Codec::Opus, "minptime=10;useinbandfec=1", false, "minptime=10;useinbandfec=1"),
            (
                Codec::Opus,
                "maxplaybackrate=48000;stereo=1;useinbandfec=1",
                false,
                "minptime=10;stereo=1;useinbandfec=1",
            ),
            (Codec::Opus, "stereo=1", true, "minptime=10;sprop-stereo=1"),
            (Codec::Opus, "sprop-stereo=1", true, "minptime=10"),
            (Codec::Opus, "sprop-stereo=1", false, "minptime=10;stereo=1"),
            (Codec::Opus, "", true, "minptime=10"),
            (
                Codec::H264,
                "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f;sprop-parameter-sets=Z0Lg,aM4=",
                false,
                "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
            ),
            (Codec::H264, "packetization-mode=1", false, "packetization-mode=1"),
            (Codec::Vp8, "max-fs=12288;max-fr=60", false, ""),
        ] {
            assert_eq!(answered(codec, offered, is_sending), want, "{offered}");
        }
    }
}
