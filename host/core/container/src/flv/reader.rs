//! Tag bodies of one publisher to frames.
//!
//! The reader holds the current format of each track and unrolls the 32-bit milliseconds. An H.264
//! publisher may change its parameter sets without a sequence header; the format then follows what came
//! in-band, so that a late joiner is never shown pictures with a stale header.

use std::sync::Arc;

use bytes::Bytes;
use heliu_model::Format;

use super::{FRAME_INFO, PACKET_END, PACKET_FRAME, PACKET_SEQUENCE_HEADER, SOUND_AAC, VIDEO_AVC};
use crate::avc::{LengthSize, NAL_IDR, NAL_PPS, NAL_SLICE, NAL_SPS, ParameterSets, Record, nal_type, nals, normalise};
use crate::{Discard, Discards, Foreign, aac};

/// First bit of a video body in enhanced RTMP: a FourCC follows.
const ENHANCED: u8 = 0x80;
/// No encoder holds a picture longer back; a stranger's absurd number must not stall a mixer.
const COMPOSITION_MS_MAX: i64 = 10_000;

/// Reads the tag bodies of one publisher.
#[derive(Debug, Default)]
pub struct FlvReader {
    video: Option<Video>,
    audio: Option<Arc<Format>>,
    clock: Clock,
    discards: Discards,
}

/// A frame with the publisher's own times.
#[derive(Debug, Clone)]
pub struct FlvFrame {
    /// What it is.
    pub format: Arc<Format>,
    /// When it is decoded: the publisher's milliseconds, unrolled.
    pub dts_ms: i64,
    /// When it is shown: the publisher's milliseconds, unrolled, `>= dts_ms`.
    pub pts_ms: i64,
    /// A decoder may start here: an IDR picture, or any sound. The tag's own flag is not believed.
    pub is_key: bool,
    /// Four-byte length-prefixed NAL units, or a raw AAC frame.
    pub data: Bytes,
}

#[derive(Debug)]
struct Video {
    sets: ParameterSets,
    length_size: LengthSize,
}

impl FlvReader {
    /// Before the first tag.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The format of the pictures, once known.
    #[must_use]
    pub fn video_format(&self) -> Option<&Arc<Format>> {
        self.video.as_ref().map(|video| video.sets.format())
    }

    /// The format of the sound, once known.
    #[must_use]
    pub fn audio_format(&self) -> Option<&Arc<Format>> {
        self.audio.as_ref()
    }

    /// What was dropped, by reason.
    #[must_use]
    pub fn discards(&self) -> &Discards {
        &self.discards
    }

    /// Takes a video tag body; `None` for headers and what carries no picture.
    ///
    /// # Errors
    /// It was dropped and counted; formats stay as they were.
    pub fn handle_video(&mut self, timestamp_ms: u32, body: Bytes) -> Result<Option<FlvFrame>, Discard> {
        let dts_ms = self.clock.unroll(timestamp_ms);
        let frame = self.read_video(dts_ms, body);
        frame.inspect_err(|reason| self.discards.count(*reason))
    }

    /// Takes a sound tag body; `None` for headers.
    ///
    /// # Errors
    /// It was dropped and counted; formats stay as they were.
    pub fn handle_audio(&mut self, timestamp_ms: u32, body: Bytes) -> Result<Option<FlvFrame>, Discard> {
        let dts_ms = self.clock.unroll(timestamp_ms);
        let frame = self.read_audio(dts_ms, body);
        frame.inspect_err(|reason| self.discards.count(*reason))
    }

    fn read_video(&mut self, dts_ms: i64, mut body: Bytes) -> Result<Option<FlvFrame>, Discard> {
        let first = *body.first().ok_or(Discard::Truncated)?;
        if first & ENHANCED != 0 {
            return Err(Discard::Codec(foreign_four_cc(body.get(1..5).ok_or(Discard::Truncated)?)));
        }
        if first & 0x0F != VIDEO_AVC {
            return Err(Discard::Codec(foreign_video(first & 0x0F)));
        }
        if first >> 4 == FRAME_INFO {
            return Ok(None);
        }
        if body.len() < 5 {
            return Err(Discard::Truncated);
        }
        let prefix = body.split_to(5);
        match prefix[1] {
            PACKET_SEQUENCE_HEADER => self.set_video(Record::parse(&body)?).map(|()| None),
            PACKET_FRAME => self.read_picture(dts_ms, composition_ms(&prefix)?, body),
            PACKET_END => Ok(None),
            _ => Err(Discard::PacketType),
        }
    }

    fn set_video(&mut self, record: Record) -> Result<(), Discard> {
        let length_size = record.length_size();
        match &mut self.video {
            Some(video) => {
                video.sets.replace(record)?;
                video.length_size = length_size;
            }
            None => self.video = Some(Video { sets: ParameterSets::new(record)?, length_size }),
        }
        Ok(())
    }

    fn read_picture(&mut self, dts_ms: i64, composition_ms: i64, data: Bytes) -> Result<Option<FlvFrame>, Discard> {
        let video = self.video.as_mut().ok_or(Discard::NoFormat)?;
        let data = normalise(data, video.length_size)?;
        let content = Content::read(&data)?;
        video.sets.merge(&content.sps, &content.pps)?;
        if !content.has_picture {
            return Ok(None);
        }
        Ok(Some(FlvFrame {
            format: video.sets.format().clone(),
            dts_ms,
            pts_ms: dts_ms + composition_ms,
            is_key: content.is_key,
            data,
        }))
    }

    fn read_audio(&mut self, dts_ms: i64, mut body: Bytes) -> Result<Option<FlvFrame>, Discard> {
        let sound = *body.first().ok_or(Discard::Truncated)? >> 4;
        if sound != SOUND_AAC {
            return Err(Discard::Codec(foreign_audio(sound)));
        }
        if body.len() < 3 {
            return Err(Discard::Truncated);
        }
        let prefix = body.split_to(2);
        match prefix[1] {
            PACKET_SEQUENCE_HEADER => {
                self.audio = Some(keep_if_same(self.audio.as_ref(), Format::Aac(aac::parse_format(body)?)));
                Ok(None)
            }
            PACKET_FRAME => {
                let format = self.audio.clone().ok_or(Discard::NoFormat)?;
                Ok(Some(FlvFrame { format, dts_ms, pts_ms: dts_ms, is_key: true, data: body }))
            }
            _ => Err(Discard::PacketType),
        }
    }
}

/// What an access unit holds, as far as it matters here.
struct Content<'a> {
    sps: Vec<&'a [u8]>,
    pps: Vec<&'a [u8]>,
    has_picture: bool,
    is_key: bool,
}

impl<'a> Content<'a> {
    fn read(data: &'a [u8]) -> Result<Self, Discard> {
        let mut content = Self { sps: Vec::new(), pps: Vec::new(), has_picture: false, is_key: false };
        for nal in nals(data, LengthSize::Four) {
            let nal = nal?;
            match nal_type(nal) {
                NAL_SPS => content.sps.push(nal),
                NAL_PPS => content.pps.push(nal),
                kind @ NAL_SLICE..=NAL_IDR => {
                    content.has_picture = true;
                    content.is_key |= kind == NAL_IDR;
                }
                _ => {}
            }
        }
        Ok(content)
    }
}

/// Unrolls the milliseconds of both tracks: a step of less than 2^31 in either direction is believed.
#[derive(Debug, Default)]
struct Clock {
    last: Option<(u32, i64)>,
}

impl Clock {
    fn unroll(&mut self, timestamp_ms: u32) -> i64 {
        let unrolled = match self.last {
            Some((last, unrolled)) => unrolled + i64::from(timestamp_ms.wrapping_sub(last).cast_signed()),
            None => i64::from(timestamp_ms),
        };
        self.last = Some((timestamp_ms, unrolled));
        unrolled
    }
}

/// A publisher that repeats its header has not changed its format: the same `Arc` says so cheaply.
fn keep_if_same(current: Option<&Arc<Format>>, format: Format) -> Arc<Format> {
    match current {
        Some(current) if **current == format => current.clone(),
        _ => Arc::new(format),
    }
}

/// Signed 24 bits. A negative one would show a picture before it is decoded: it counts as zero.
fn composition_ms(prefix: &[u8]) -> Result<i64, Discard> {
    let value = i32::from_be_bytes([prefix[2], prefix[3], prefix[4], 0]) >> 8;
    Some(i64::from(value).max(0)).filter(|value| *value <= COMPOSITION_MS_MAX).ok_or(Discard::CompositionTime)
}

fn foreign_video(id: u8) -> Foreign {
    match id {
        12 => Foreign::H265,
        13 => Foreign::Av1,
        _ => Foreign::OtherVideo,
    }
}

fn foreign_four_cc(four_cc: &[u8]) -> Foreign {
    match four_cc {
        b"hvc1" | b"hev1" => Foreign::H265,
        b"av01" => Foreign::Av1,
        b"vp08" => Foreign::Vp8,
        b"vp09" => Foreign::Vp9,
        _ => Foreign::OtherVideo,
    }
}

fn foreign_audio(id: u8) -> Foreign {
    match id {
        2 | 14 => Foreign::Mp3,
        7 | 8 => Foreign::G711,
        11 => Foreign::Speex,
        _ => Foreign::OtherAudio,
    }
}

#[cfg(test)]
mod tests {
    use heliu_model::Size;
    use proptest::prelude::*;

    use super::*;
    use crate::avc::samples::{PPS, SPS_320X240_25, SPS_640X360_30, sps_of};
    use crate::avc::{decodable, from_nals};
    use crate::flv::{END_OF_SEQUENCE, sequence_header};

    const IDR: &[u8] = &[0x65, 0x88, 0x84];
    const SLICE: &[u8] = &[0x41, 0x9A, 0x02];
    const STEREO_48K: &[u8] = &[0xAF, 0, 0x11, 0x90];

    #[test]
    fn a_publisher_of_both_tracks_is_read() {
        let mut reader = FlvReader::new();
        assert!(reader.handle_video(0, avc_header(SPS_640X360_30)).unwrap().is_none());
        assert!(reader.handle_audio(0, Bytes::from_static(STEREO_48K)).unwrap().is_none());

        let key = reader.handle_video(40, picture(1, 80, &[IDR])).unwrap().unwrap();
        assert_eq!((key.dts_ms, key.pts_ms, key.is_key), (40, 120, true));
        assert_eq!(size(&key.format), Size { width: 640, height: 360 });
        assert_eq!(key.data, from_nals(&[IDR]));
        let delta = reader.handle_video(80, picture(2, 0, &[SLICE])).unwrap().unwrap();
        assert!(!delta.is_key && Arc::ptr_eq(&delta.format, &key.format));

        let sound = reader.handle_audio(41, Bytes::from_static(&[0xAF, 1, 0x21])).unwrap().unwrap();
        assert_eq!((sound.dts_ms, sound.pts_ms, sound.is_key, &sound.data[..]), (41, 41, true, &[0x21][..]));
        assert!(reader.handle_video(90, Bytes::from_static(&END_OF_SEQUENCE)).unwrap().is_none());
        assert_eq!(reader.discards().total(), 0);
    }

    #[test]
    fn bad_bodies_are_dropped_and_counted_and_change_nothing() {
        let four_cc = |name: &str| Bytes::from([&[0x90][..], name.as_bytes()].concat());
        let bytes = Bytes::from_static;
        for (what, is_video, body, want) in [
            ("an empty body", true, bytes(b""), Discard::Truncated),
            ("a cut body", true, bytes(&[0x17, 1, 0]), Discard::Truncated),
            ("an unknown packet", true, bytes(&[0x17, 9, 0, 0, 0]), Discard::PacketType),
            ("H.265 by id", true, bytes(&[0x1C, 1, 0, 0, 0]), Discard::Codec(Foreign::H265)),
            ("H.265 by FourCC", true, four_cc("hvc1"), Discard::Codec(Foreign::H265)),
            ("AV1", true, four_cc("av01"), Discard::Codec(Foreign::Av1)),
            ("an unheard FourCC", true, four_cc("zzzz"), Discard::Codec(Foreign::OtherVideo)),
            ("a cut FourCC", true, bytes(&[0x90, b'h']), Discard::Truncated),
            ("Sorenson", true, bytes(&[0x12, 0, 0, 0, 0]), Discard::Codec(Foreign::OtherVideo)),
            ("no record", true, bytes(&[0x17, 0, 0, 0, 0]), Discard::BadRecord),
            ("a record without SPS", true, bytes(&[0x17, 0, 0, 0, 0, 1, 66, 0, 30, 0xFF, 0xE0, 0]), Discard::NoSps),
            ("Annex B", true, bytes(b"\x17\x01\0\0\0\0\0\0\x01\x65\x88\x84"), Discard::BadNals),
            ("a far composition time", true, picture(1, 10_001, &[IDR]), Discard::CompositionTime),
            ("an in-band SPS of rubbish", true, picture(1, 0, &[&[0x67, 1, 2, 3], IDR]), Discard::BadSps),
            ("MP3", false, bytes(&[0x2F, 1, 2]), Discard::Codec(Foreign::Mp3)),
            ("enhanced sound", false, bytes(b"\x90Opus"), Discard::Codec(Foreign::OtherAudio)),
            ("an empty sound", false, bytes(&[0xAF, 1]), Discard::Truncated),
            ("a config of rubbish", false, bytes(&[0xAF, 0, 0]), Discard::BadAudioConfig),
            ("an unknown sound packet", false, bytes(&[0xAF, 7, 0]), Discard::PacketType),
        ] {
            let mut reader = with_both();
            let formats = (reader.video_format().cloned(), reader.audio_format().cloned());
            let got = if is_video { reader.handle_video(0, body) } else { reader.handle_audio(0, body) };
            assert_eq!(got.map(|_| ()), Err(want), "{what}");
            assert_eq!(reader.discards().iter().collect::<Vec<_>>(), [(want, 1)], "{what}");
            assert_eq!((reader.video_format().cloned(), reader.audio_format().cloned()), formats, "{what}");
        }
    }

    #[test]
    fn frames_before_their_header_are_dropped() {
        let mut reader = FlvReader::new();
        assert_eq!(reader.handle_video(0, picture(1, 0, &[IDR])).map(|_| ()), Err(Discard::NoFormat));
        assert_eq!(reader.handle_audio(0, Bytes::from_static(&[0xAF, 1, 2])).map(|_| ()), Err(Discard::NoFormat));
    }

    #[test]
    fn a_repeated_header_is_no_change_and_another_is() {
        let mut reader = with_both();
        let first = reader.video_format().unwrap().clone();
        reader.handle_video(0, avc_header(SPS_640X360_30)).unwrap();
        assert!(Arc::ptr_eq(&first, reader.video_format().unwrap()));
        reader.handle_video(0, avc_header(SPS_320X240_25)).unwrap();
        assert_eq!(size(reader.video_format().unwrap()), Size { width: 320, height: 240 });
    }

    #[test]
    fn sets_in_band_change_the_format_only_if_they_differ() {
        let mut reader = with_both();
        let first = reader.video_format().unwrap().clone();
        let same = reader.handle_video(0, picture(1, 0, &[SPS_640X360_30, PPS, IDR])).unwrap().unwrap();
        assert!(Arc::ptr_eq(&first, &same.format));

        let alone = reader.handle_video(0, picture(1, 0, &[SPS_320X240_25, PPS])).unwrap();
        assert!(alone.is_none(), "sets without a picture are no frame");
        let next = reader.handle_video(40, picture(1, 0, &[IDR])).unwrap().unwrap();
        assert_eq!(size(&next.format), Size { width: 320, height: 240 });
    }

    #[test]
    fn a_format_beyond_our_decoder_is_still_a_format() {
        let mut reader = FlvReader::new();
        let sps = sps_of(|sps| sps.chroma_info.bit_depth_luma_minus8 = 2);
        reader.handle_video(0, avc_header(&sps)).unwrap();
        let Format::H264(format) = &**reader.video_format().unwrap() else { panic!("H.264 was sent") };
        assert_eq!(decodable(format), Err(crate::Undecodable::BitDepth(10)));
        assert!(reader.handle_video(0, picture(1, 0, &[IDR])).unwrap().is_some());
    }

    #[test]
    fn short_nal_lengths_become_four_bytes() {
        let mut reader = FlvReader::new();
        let mut header = avc_header(SPS_640X360_30).to_vec();
        header[9] = 0xFD;
        reader.handle_video(0, header.into()).unwrap();
        let body = [&[0x17, 1, 0, 0, 0, 0, 3][..], IDR].concat();
        let frame = reader.handle_video(0, body.into()).unwrap().unwrap();
        assert_eq!(frame.data, from_nals(&[IDR]));
        let Format::H264(format) = &*frame.format else { panic!("H.264 was sent") };
        assert_eq!(format.record[4] & 3, 3);
    }

    #[test]
    fn what_a_tag_says_is_weighed() {
        for (what, body, is_key, pts_ms) in [
            ("a key flag without an IDR picture", picture(1, 0, &[SLICE]), false, 0),
            ("an IDR picture without the flag", picture(2, 0, &[IDR]), true, 0),
            ("a negative composition time", picture(1, -40, &[IDR]), true, 0),
        ] {
            let frame = with_both().handle_video(0, body).unwrap().unwrap();
            assert_eq!((frame.is_key, frame.pts_ms), (is_key, pts_ms), "{what}");
        }
    }

    #[test]
    fn a_frame_shares_the_memory_of_its_body() {
        let body = picture(1, 0, &[IDR]);
        let frame = with_both().handle_video(0, body.clone()).unwrap().unwrap();
        assert_eq!(frame.data.as_ptr(), body[5..].as_ptr());
    }

    #[test]
    fn milliseconds_are_unrolled_for_both_tracks() {
        let mut reader = with_both();
        let mut dts = |timestamp_ms, is_video| {
            let frame = if is_video {
                reader.handle_video(timestamp_ms, picture(2, 0, &[SLICE]))
            } else {
                reader.handle_audio(timestamp_ms, Bytes::from_static(&[0xAF, 1, 2]))
            };
            frame.unwrap().unwrap().dts_ms
        };
        assert_eq!(dts(0xC000_0000, true), -0x4000_0000);
        for (timestamp_ms, is_video, want) in
            [(u32::MAX, true, -1), (19, false, 19), (u32::MAX - 20, true, -21), (20, true, 20)]
        {
            assert_eq!(dts(timestamp_ms, is_video), want);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bodies_never_panic(bodies in proptest::collection::vec((any::<u32>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..60)), 0..20)) {
            let mut reader = with_both();
            for (timestamp_ms, is_video, body) in bodies {
                let _ = if is_video { reader.handle_video(timestamp_ms, body.into()) } else { reader.handle_audio(timestamp_ms, body.into()) };
            }
        }

        #[test]
        fn damaged_bodies_never_panic(at in 0_usize..80, byte in any::<u8>(), packet in 0_u8..3) {
            let bodies = [avc_header(SPS_640X360_30), picture(1, 40, &[SPS_320X240_25, PPS, IDR]), picture(2, 0, &[SLICE])];
            let mut body = bodies[usize::from(packet)].to_vec();
            let len = body.len();
            body[at % len] = byte;
            let mut reader = with_both();
            let _ = reader.handle_video(0, body.into());
            let _ = reader.handle_video(40, picture(2, 0, &[SLICE]));
        }
    }

    fn with_both() -> FlvReader {
        let mut reader = FlvReader::new();
        reader.handle_video(0, avc_header(SPS_640X360_30)).unwrap();
        reader.handle_audio(0, Bytes::from_static(STEREO_48K)).unwrap();
        reader
    }

    fn avc_header(sps: &[u8]) -> Bytes {
        let sets = |nal: &[u8]| vec![Bytes::copy_from_slice(nal)];
        sequence_header(&Format::H264(Record::new(sets(sps), sets(PPS)).unwrap().format().unwrap())).unwrap()
    }

    fn picture(kind: u8, composition_ms: i32, nals: &[&[u8]]) -> Bytes {
        let [_, composition @ ..] = composition_ms.to_be_bytes();
        [&[kind << 4 | 7, 1][..], &composition, &from_nals(nals)].concat().into()
    }

    fn size(format: &Format) -> Size {
        let Format::H264(format) = format else { panic!("H.264 was sent") };
        format.size
    }
}
