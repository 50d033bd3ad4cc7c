//! Media that the host pushes: `egresses.put`.

use heliu_model::{EgressIntent, Kind, Namespace, RtmpUrl, Source};

use super::{as_it_comes, invalid, options, publication, room};
use crate::bindings::egresses::Egress;
use crate::bindings::types::{self, Error};

/// Checks and translates one push.
pub(crate) fn egress_intent(namespace: &Namespace, egress: Egress) -> Result<EgressIntent, Error> {
    let Egress { room: room_id, audio, video, protocol, url, attempts_max, options: bag } = egress;
    options(&bag, [])?;
    if protocol != "rtmp" {
        return invalid("protocol");
    }
    if RtmpUrl::parse(&url).is_err() {
        return invalid("url");
    }
    if attempts_max == Some(0) {
        return invalid("attempts-max");
    }
    if audio.is_none() && video.is_none() {
        return invalid("video");
    }
    Ok(EgressIntent {
        room: room(namespace, &room_id)?,
        audio: audio.map(|taken| source(Kind::Audio, taken)).transpose()?,
        video: video.map(|taken| source(Kind::Video, taken)).transpose()?,
        protocol,
        url,
        attempts_max,
    })
}

fn source(kind: Kind, source: types::Source) -> Result<Source, Error> {
    if source.layer.is_some() {
        return invalid("layer");
    }
    Ok(Source { publication: publication(&source.publication)?, encoding: as_it_comes(kind, source.encoding)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pushes_this_host_serves_are_taken() {
        type Change = fn(&mut Egress);
        for (what, change, want) in [
            ("the default", (|_| {}) as Change, None),
            ("another protocol", |egress| egress.protocol = "srt".into(), Some("protocol")),
            ("an encrypted target", |egress| egress.url = "rtmps://h/a/b".into(), None),
            ("another scheme", |egress| egress.url = "https://h/a/b".into(), Some("url")),
            ("no stream name", |egress| egress.url = "rtmp://h/a/".into(), Some("url")),
            ("an option", |egress| egress.options = vec![option("open-ms-max")], Some("open-ms-max")),
            ("a polite option", |egress| egress.options = vec![option("?x")], None),
            ("a layer", |egress| egress.video.as_mut().unwrap().layer = Some("h".into()), Some("layer")),
            ("a size", |egress| egress.video.as_mut().unwrap().encoding.size = Some(SIZE), Some("size")),
            ("no media", |egress| (egress.audio, egress.video) = (None, None), Some("video")),
            ("sound only", |egress| egress.video = None, None),
            ("never", |egress| egress.attempts_max = Some(0), Some("attempts-max")),
            ("no room", |egress| egress.room = String::new(), Some("room")),
            ("no id", |egress| egress.audio.as_mut().unwrap().publication = "\n".into(), Some("publication")),
        ] {
            let mut egress = default();
            change(&mut egress);
            let refused = egress_intent(&"p".parse().unwrap(), egress).err();
            assert_eq!(refused, want.map(|name| Error::Invalid(name.to_owned())), "{what}");
        }
    }

    const SIZE: types::Size = types::Size { width: 640, height: 360 };

    fn option(name: &str) -> types::Field {
        types::Field { name: name.into(), value: "1".into() }
    }

    fn default() -> Egress {
        let encoding =
            types::Encoding { format: None, size: None, frame_rate: None, bitrate_kbps: None, keyframe_ms: None };
        let source = types::Source { publication: "mix".into(), layer: None, encoding };
        Egress {
            room: "r".into(),
            audio: Some(source.clone()),
            video: Some(source),
            protocol: "rtmp".into(),
            url: "rtmp://h/a/b".into(),
            attempts_max: None,
            options: vec![],
        }
    }
}
