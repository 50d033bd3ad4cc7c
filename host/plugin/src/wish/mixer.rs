//! Composed pictures and mixed sound: `mixers.put`.

use heliu_model::{Area, Encoding, Fit, Kind, Layout, MixerIntent, Namespace, Primary, PublicationId, Region, Scene};
use heliu_model::{Sound, Table};

use super::{canvas, check_id, format, invalid, options, publication, room, within};
use crate::bindings::mixers;
use crate::bindings::types::{self, Error};

const REGIONS_LEN_MAX: usize = 2048;
const INPUTS_LEN_MAX: usize = 2048;
const FRAME_RATE_DEFAULT: u32 = 25;
/// Sums of fractions that are exact on paper are a little over 1 as `f32`.
const EDGE_SLACK: f32 = 1e-4;

/// Checks and translates one mixer.
pub(crate) fn mixer_intent(namespace: &Namespace, mixer: mixers::Mixer) -> Result<MixerIntent, Error> {
    options(&mixer.options, [])?;
    if mixer.scene.is_none() && mixer.sound.is_none() {
        return invalid("scene");
    }
    Ok(MixerIntent {
        room: room(namespace, &mixer.room)?,
        publication: publication(&mixer.publication)?,
        scene: mixer.scene.map(scene).transpose()?,
        sound: mixer.sound.map(sound).transpose()?,
    })
}

fn scene(scene: mixers::Scene) -> Result<Scene, Error> {
    options(&scene.options, [])?;
    if !is_colour(&scene.background) {
        return invalid("background");
    }
    Ok(Scene {
        encoding: picture_encoding(scene.encoding)?,
        background: scene.background,
        layout: match scene.layout {
            mixers::Layout::Table(layout) => Layout::Table(table(layout)?),
            mixers::Layout::Regions(list) => {
                check_count(list.len())?;
                Layout::Regions(regions(list)?)
            }
        },
    })
}

/// The host needs size and rate of a canvas; the rest is its choice where nothing is wished.
fn picture_encoding(encoding: types::Encoding) -> Result<Encoding, Error> {
    let Some(size) = encoding.size else { return invalid("size") };
    let frame_rate = within("frame-rate", encoding.frame_rate, 1..=60)?;
    Ok(Encoding {
        format: format(Kind::Video, encoding.format)?,
        size: Some(canvas(size)?),
        frame_rate: Some(frame_rate.unwrap_or(FRAME_RATE_DEFAULT)),
        bitrate_kbps: within("bitrate-kbps", encoding.bitrate_kbps, 16..=100_000)?,
        keyframe_ms: within("keyframe-ms", encoding.keyframe_ms, 100..=60_000)?,
    })
}

fn sound(sound: mixers::Sound) -> Result<Sound, Error> {
    options(&sound.options, [])?;
    if sound.voices.is_some() {
        return invalid("voices");
    }
    let types::Encoding { format: wished, size, frame_rate, bitrate_kbps, keyframe_ms } = sound.encoding;
    for (name, is_wished) in
        [("size", size.is_some()), ("frame-rate", frame_rate.is_some()), ("keyframe-ms", keyframe_ms.is_some())]
    {
        if is_wished {
            return invalid(name);
        }
    }
    let bitrate_kbps = within("bitrate-kbps", bitrate_kbps, 16..=512)?;
    let encoding = Encoding { format: format(Kind::Audio, wished)?, bitrate_kbps, ..Encoding::default() };
    Ok(Sound { voices: None, encoding })
}

fn table(table: mixers::Table) -> Result<Table, Error> {
    let [audio_only, order] = options(&table.options, ["audio-only", "order"])?;
    if order.is_some_and(|order| order != "arrival") {
        return invalid("order");
    }
    let audio_only = match audio_only {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return invalid("audio-only"),
    };
    check_count(table.sets.iter().chain(&table.primary_sets).map(Vec::len).sum())?;
    if table.sets.is_empty() {
        return invalid("sets");
    }
    Ok(Table {
        sets: sets("sets", table.sets)?,
        primary_sets: sets("primary-sets", table.primary_sets)?,
        primary: primary(table.primary)?,
        inputs: table.inputs.as_deref().map(inputs).transpose()?,
        audio_only,
    })
}

fn primary(primary: mixers::Primary) -> Result<Primary, Error> {
    match primary {
        mixers::Primary::First => Ok(Primary::First),
        mixers::Primary::Publication(id) => Ok(Primary::Publication(publication(&id)?)),
        mixers::Primary::Participant(id) => Ok(Primary::Participant(id.parse().or_else(|_| invalid("participant"))?)),
        mixers::Primary::Screen => invalid("screen"),
        mixers::Primary::Speaker(_) => invalid("speaker"),
    }
}

fn inputs(ids: &[String]) -> Result<Vec<PublicationId>, Error> {
    if ids.len() > INPUTS_LEN_MAX {
        return invalid("inputs");
    }
    let ids = ids.iter().map(|id| publication(id)).collect::<Result<Vec<_>, _>>()?;
    if has_twins(ids.iter().map(PublicationId::as_str)) { invalid("inputs") } else { Ok(ids) }
}

fn sets(name: &str, sets: Vec<Vec<mixers::Region>>) -> Result<Vec<Vec<Region>>, Error> {
    let is_filled = |set: &Vec<mixers::Region>| !set.is_empty();
    if !sets.iter().all(is_filled) {
        return invalid(name);
    }
    if sets.iter().flatten().any(|region| region.publication.is_some()) {
        return invalid("publication");
    }
    sets.into_iter().map(regions).collect()
}

fn regions(list: Vec<mixers::Region>) -> Result<Vec<Region>, Error> {
    let list = list.into_iter().map(region).collect::<Result<Vec<_>, _>>()?;
    if has_twins(list.iter().map(|region| region.id.as_str())) { invalid("region") } else { Ok(list) }
}

fn region(region: mixers::Region) -> Result<Region, Error> {
    options(&region.options, [])?;
    check_id("region", &region.id)?;
    Ok(Region {
        area: area(region.area)?,
        z: region.z,
        fit: match region.fit {
            mixers::Fit::Stretch => Fit::Stretch,
            mixers::Fit::Crop => Fit::Crop,
            mixers::Fit::Letterbox => Fit::Letterbox,
        },
        publication: region.publication.as_deref().map(publication).transpose()?,
        id: region.id,
    })
}

fn area(area: mixers::Area) -> Result<Area, Error> {
    let mixers::Area { x, y, w, h } = area;
    // A number that is none lies in no range.
    let is_inside = |start: f32, len: f32| {
        (0.0..=1.0).contains(&start) && len > 0.0 && len <= 1.0 && start + len <= 1.0 + EDGE_SLACK
    };
    if is_inside(x, w) && is_inside(y, h) { Ok(Area { x, y, w, h }) } else { invalid("area") }
}

fn check_count(regions: usize) -> Result<(), Error> {
    if regions > REGIONS_LEN_MAX { invalid("regions") } else { Ok(()) }
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn has_twins<'a>(ids: impl Iterator<Item = &'a str>) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    !ids.into_iter().all(|id| seen.insert(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::types::Field;

    #[test]
    fn what_this_host_does_not_serve_is_refused_by_its_name() {
        type Change = fn(&mut mixers::Mixer);
        for (what, change, want) in [
            ("the default", (|_| {}) as Change, None),
            ("the speaker first", |m| table_of(m).primary = mixers::Primary::Speaker(1), Some("speaker")),
            ("the screen first", |m| table_of(m).primary = mixers::Primary::Screen, Some("screen")),
            ("a participant first", |m| table_of(m).primary = mixers::Primary::Participant("a".into()), None),
            ("chosen voices", |m| m.sound.as_mut().unwrap().voices = Some(vec![]), Some("voices")),
            ("pass-through", |m| scene_of(m).options = bag("pass-through", "always"), Some("pass-through")),
            ("an unknown option", |m| m.options = bag("speaker-ms", "1"), Some("speaker-ms")),
            ("a polite option", |m| m.options = bag("?x", "1"), None),
            ("a border", |m| table_of(m).sets[0][0].options = bag("border", "1"), Some("border")),
            ("screens first", |m| table_of(m).options = bag("order", "screens"), Some("order")),
            ("by arrival", |m| table_of(m).options = bag("order", "arrival"), None),
            ("sound gets a place", |m| table_of(m).options = bag("audio-only", "true"), None),
            ("neither yes nor no", |m| table_of(m).options = bag("audio-only", "1"), Some("audio-only")),
            ("no size", |m| scene_of(m).encoding.size = None, Some("size")),
            ("a tiny size", |m| scene_of(m).encoding.size = Some(size(15, 16)), Some("size")),
            ("the largest size", |m| scene_of(m).encoding.size = Some(size(3840, 2160)), None),
            ("a huge size", |m| scene_of(m).encoding.size = Some(size(3841, 2160)), Some("size")),
            ("no pictures", |m| scene_of(m).encoding.frame_rate = Some(0), Some("frame-rate")),
            ("too fast", |m| scene_of(m).encoding.frame_rate = Some(61), Some("frame-rate")),
            ("another codec", |m| scene_of(m).encoding.format = Some(vp8()), Some("format")),
            ("another sound", |m| sound_of(m).encoding.format = Some(vp8()), Some("format")),
            ("a sound with a size", |m| sound_of(m).encoding.size = Some(size(16, 16)), Some("size")),
            ("no colour", |m| scene_of(m).background = "black".into(), Some("background")),
            ("a wide area", |m| area_of(m).w = 1.5, Some("area")),
            ("an area over the edge", |m| (area_of(m).x, area_of(m).w) = (0.6, 0.5), Some("area")),
            ("thirds", |m| (area_of(m).x, area_of(m).w) = (2.0 / 3.0, 1.0 / 3.0), None),
            ("an empty area", |m| area_of(m).h = 0.0, Some("area")),
            ("no number", |m| area_of(m).x = f32::NAN, Some("area")),
            ("no sets", |m| table_of(m).sets.clear(), Some("sets")),
            ("an empty set", |m| table_of(m).sets.push(vec![]), Some("sets")),
            ("a filled region", |m| table_of(m).sets[0][0].publication = Some("p".into()), Some("publication")),
            ("one region twice", |m| table_of(m).sets[0].push(region_named("a")), Some("region")),
            ("many regions", |m| table_of(m).sets = vec![vec![region_named("a")]; 2049], Some("regions")),
            ("one input twice", |m| table_of(m).inputs = Some(vec!["a".into(), "a".into()]), Some("inputs")),
            ("fixed regions", |m| scene_of(m).layout = mixers::Layout::Regions(vec![region_named("a")]), None),
            ("nothing at all", |m| (m.scene, m.sound) = (None, None), Some("scene")),
            ("sound only", |m| m.scene = None, None),
            ("no room", |m| m.room = "\u{1}".into(), Some("room")),
            ("no publication", |m| m.publication = "x".repeat(257), Some("publication")),
        ] {
            let mut mixer = default();
            change(&mut mixer);
            let refused = mixer_intent(&"p".parse().unwrap(), mixer).err();
            assert_eq!(refused, want.map(|name| Error::Invalid(name.to_owned())), "{what}");
        }
    }

    #[test]
    fn a_wish_keeps_its_numbers_and_always_has_a_rate() {
        let mut mixer = default();
        scene_of(&mut mixer).encoding.frame_rate = None;
        let intent = mixer_intent(&"p".parse().unwrap(), mixer).unwrap();
        assert_eq!(intent.room.as_str(), "p/r");
        assert_eq!(intent.pixels_per_second(), 640 * 360 * 25);
    }

    pub(crate) fn default() -> mixers::Mixer {
        let table = mixers::Table {
            sets: vec![vec![region_named("a")]],
            primary_sets: vec![],
            primary: mixers::Primary::First,
            inputs: None,
            options: vec![],
        };
        let encoding = types::Encoding { size: Some(size(640, 360)), frame_rate: Some(25), ..no_wish() };
        let scene = mixers::Scene {
            encoding,
            background: "#000000".into(),
            layout: mixers::Layout::Table(table),
            options: vec![],
        };
        mixers::Mixer {
            room: "r".into(),
            publication: "mix".into(),
            scene: Some(scene),
            sound: Some(mixers::Sound { voices: None, encoding: no_wish(), options: vec![] }),
            options: vec![],
        }
    }

    fn region_named(id: &str) -> mixers::Region {
        let area = mixers::Area { x: 0.0, y: 0.0, w: 1.0, h: 1.0 };
        mixers::Region { id: id.into(), area, z: 0, fit: mixers::Fit::Crop, publication: None, options: vec![] }
    }

    fn no_wish() -> types::Encoding {
        types::Encoding { format: None, size: None, frame_rate: None, bitrate_kbps: None, keyframe_ms: None }
    }

    fn size(width: u32, height: u32) -> types::Size {
        types::Size { width, height }
    }

    fn vp8() -> types::Format {
        types::Format { codec: "vp8".into(), profile: None, sample_rate: None, channels: None }
    }

    fn bag(name: &str, value: &str) -> Vec<Field> {
        vec![Field { name: name.into(), value: value.into() }]
    }

    fn scene_of(mixer: &mut mixers::Mixer) -> &mut mixers::Scene {
        mixer.scene.as_mut().unwrap()
    }

    fn sound_of(mixer: &mut mixers::Mixer) -> &mut mixers::Sound {
        mixer.sound.as_mut().unwrap()
    }

    fn table_of(mixer: &mut mixers::Mixer) -> &mut mixers::Table {
        match &mut scene_of(mixer).layout {
            mixers::Layout::Table(table) => table,
            mixers::Layout::Regions(_) => panic!("the default is a table"),
        }
    }

    fn area_of(mixer: &mut mixers::Mixer) -> &mut mixers::Area {
        &mut table_of(mixer).sets[0][0].area
    }
}
