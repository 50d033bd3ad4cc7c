//! `onMetaData`: what a publisher tells about itself. Taken as a hint, never believed.

use bytes::Bytes;

use crate::amf::{self, Value};

/// Members this host reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Metadata {
    /// Pixels.
    pub width: Option<f64>,
    /// Pixels.
    pub height: Option<f64>,
    /// Pictures per second.
    pub frame_rate: Option<f64>,
    /// FLV's number: 7 = AVC.
    pub video_codec_id: Option<f64>,
    /// FLV's number: 10 = AAC.
    pub audio_codec_id: Option<f64>,
    /// Hz.
    pub audio_sample_rate: Option<f64>,
    /// More than one channel.
    pub is_stereo: Option<bool>,
}

impl Metadata {
    /// From the values of a data message: `onMetaData`, or `@setDataFrame` before it.
    pub(crate) fn read(values: &[Value]) -> Option<Self> {
        let values = match values {
            [first, rest @ ..] if first.as_str() == Some("@setDataFrame") => rest,
            values => values,
        };
        let [name, members, ..] = values else { return None };
        if name.as_str() != Some("onMetaData") {
            return None;
        }
        let number = |name: &str| members.get(name).and_then(Value::as_number).filter(|number| number.is_finite());
        Some(Self {
            width: number("width"),
            height: number("height"),
            frame_rate: number("framerate"),
            video_codec_id: number("videocodecid"),
            audio_codec_id: number("audiocodecid"),
            audio_sample_rate: number("audiosamplerate"),
            is_stereo: number("stereo").map(|stereo| stereo != 0.0),
        })
    }

    /// As the body of an FLV script tag (Flash Video File Format 10.1, E.4.4).
    #[must_use]
    pub fn script_data(&self) -> Bytes {
        amf::write_all(&[Value::text("onMetaData"), self.value()]).into()
    }

    /// The object, known members only.
    pub(crate) fn value(&self) -> Value {
        let numbers = [
            ("width", self.width),
            ("height", self.height),
            ("framerate", self.frame_rate),
            ("videocodecid", self.video_codec_id),
            ("audiocodecid", self.audio_codec_id),
            ("audiosamplerate", self.audio_sample_rate),
        ];
        let mut members: Vec<(String, Value)> =
            numbers.into_iter().filter_map(|(name, number)| Some((name.to_owned(), Value::Number(number?)))).collect();
        members.extend(self.is_stereo.map(|stereo| ("stereo".to_owned(), Value::Boolean(stereo))));
        members.push(("encoder".to_owned(), Value::text("heliu")));
        Value::Object(members)
    }
}
