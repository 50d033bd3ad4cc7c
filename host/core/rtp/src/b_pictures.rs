//! Pictures that are shown in another order than they are decoded: no WebRTC receiver shows those.
//!
//! One that nothing refers to is left out and nobody misses it. One that others refer to cannot be: then
//! the stream has to be coded again.

use std::sync::Arc;

use heliu_container::avc::{LengthSize, NAL_IDR, NAL_SLICE, Record, Sps, nal_type, nals};
use heliu_model::{Format, Frame, H264Format, MediaTime};

/// `nal_ref_idc` of a NAL unit's header.
const REFERENCE: u8 = 0x60;

/// How a picture, or a stream at worst, stands to the order of showing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum BPictures {
    /// Shown in the order of decoding.
    #[default]
    None,
    /// Shown before one that is decoded earlier, and nothing refers to it: leave it out.
    Unreferenced,
    /// Shown before one that is decoded earlier, and others refer to it: code the stream again.
    Referenced,
}

/// Looks at the frames of one track in the order of decoding.
#[derive(Debug, Default)]
pub struct BPictureJudge {
    format: Option<Arc<Format>>,
    latest: Option<MediaTime>,
    worst: BPictures,
}

/// Whether other pictures may refer to this access unit (four-byte NAL lengths): one of its slices has a
/// `nal_ref_idc` (ITU-T H.264 §7.4.1). What is malformed may be referred to.
#[must_use]
pub fn is_reference(access_unit: &[u8]) -> bool {
    nals(access_unit, LengthSize::Four).any(|nal| match nal {
        Ok(nal) => (NAL_SLICE..=NAL_IDR).contains(&nal_type(nal)) && nal[0] & REFERENCE != 0,
        Err(_) => true,
    })
}

impl BPictures {
    /// What a stream of this format has by its own words, before any picture is seen: encoders reorder
    /// by one picture without references among them, and by more with. `None` if it does not say.
    #[must_use]
    pub fn promised(format: &H264Format) -> Option<Self> {
        let record = Record::parse(&format.record).ok()?;
        let told = record.sps().iter().map(|sps| Sps::parse(sps).ok()?.reordered_frames);
        let most = told.collect::<Option<Vec<u32>>>()?.into_iter().max()?;
        Some(match most {
            0 => Self::None,
            1 => Self::Unreferenced,
            _ => Self::Referenced,
        })
    }
}

impl BPictureJudge {
    /// Before the first frame.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges the next frame by itself. Sound is always in order.
    pub fn handle_frame(&mut self, frame: &Frame) -> BPictures {
        if !matches!(&*frame.format, Format::H264(_)) {
            return BPictures::None;
        }
        if self.format.as_ref() != Some(&frame.format) {
            *self = Self { format: Some(frame.format.clone()), ..Self::default() };
        }
        let is_overtaken = !frame.is_key && self.latest.is_some_and(|latest| frame.pts < latest);
        let verdict = match (is_overtaken, is_overtaken && is_reference(&frame.data)) {
            (false, _) => BPictures::None,
            (true, false) => BPictures::Unreferenced,
            (true, true) => BPictures::Referenced,
        };
        if !is_overtaken {
            self.latest = Some(frame.pts);
        }
        self.worst = self.worst.max(verdict);
        verdict
    }

    /// The worst so far; begins anew when the format changes.
    #[must_use]
    pub fn worst(&self) -> BPictures {
        self.worst
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{SPS, SPS_BASELINE, flv_frames, format, picture, sound};

    const REFERRED: &[u8] = &[0x41, 0x9A, 1];
    const UNREFERRED: &[u8] = &[0x01, 0x9A, 1];

    #[test]
    fn pictures_are_judged_by_their_order_and_their_references() {
        let format = format(SPS);
        for (what, frames, want, worst) in [
            ("in order", &[(0, REFERRED), (40, REFERRED), (80, UNREFERRED)][..], &[0, 0, 0][..], BPictures::None),
            (
                "B pictures",
                &[(0, REFERRED), (120, REFERRED), (40, UNREFERRED), (80, UNREFERRED), (240, REFERRED)],
                &[0, 0, 1, 1, 0],
                BPictures::Unreferenced,
            ),
            (
                "one is referred to",
                &[(0, REFERRED), (160, REFERRED), (80, REFERRED), (40, UNREFERRED), (120, UNREFERRED)],
                &[0, 0, 2, 1, 1],
                BPictures::Referenced,
            ),
        ] {
            let mut judge = BPictureJudge::new();
            let frames = frames.iter().map(|(millis, nal)| picture(&format, *millis, false, &[nal]));
            let verdicts: Vec<u8> = frames.map(|frame| judge.handle_frame(&frame) as u8).collect();
            assert_eq!(verdicts, want, "{what}");
            assert_eq!(judge.worst(), worst, "{what}");
        }
    }

    #[test]
    fn a_keyframe_and_another_format_begin_anew() {
        let mut judge = BPictureJudge::new();
        assert_eq!(judge.handle_frame(&picture(&format(SPS), 1_000, false, &[REFERRED])), BPictures::None);
        assert_eq!(judge.handle_frame(&sound(0, b"s")), BPictures::None);
        assert_eq!(judge.handle_frame(&picture(&format(SPS), 500, false, &[REFERRED])), BPictures::Referenced);
        assert_eq!(judge.handle_frame(&picture(&format(SPS), 40, true, &[&[0x65, 0x88]])), BPictures::None);
        assert_eq!(judge.handle_frame(&picture(&format(SPS), 80, false, &[REFERRED])), BPictures::None);
        assert_eq!(judge.worst(), BPictures::Referenced);
        assert_eq!(judge.handle_frame(&picture(&format(SPS_BASELINE), 0, false, &[REFERRED])), BPictures::None);
        assert_eq!(judge.worst(), BPictures::None);
    }

    #[test]
    fn a_real_pyramid_is_seen_and_was_promised() {
        let frames = flv_frames(include_bytes!("../../../codec/fixtures/b_pictures.flv"));
        let mut judge = BPictureJudge::new();
        let verdicts: Vec<BPictures> = frames.iter().map(|frame| judge.handle_frame(frame)).collect();
        for want in [BPictures::None, BPictures::Unreferenced, BPictures::Referenced] {
            assert!(verdicts.contains(&want), "{want:?}");
        }
        let shown: Vec<MediaTime> = frames
            .iter()
            .zip(&verdicts)
            .filter(|(_, verdict)| **verdict == BPictures::None)
            .map(|(frame, _)| frame.pts)
            .collect();
        assert!(shown.is_sorted());
        for (sps, want) in [(SPS, BPictures::Referenced), (SPS_BASELINE, BPictures::None)] {
            let Format::H264(h264) = &*format(sps) else { panic!("H.264 was made") };
            assert_eq!(BPictures::promised(h264), Some(want));
        }
    }

    #[test]
    fn what_is_malformed_may_be_referred_to() {
        for (what, data, want) in [
            ("nothing", &[][..], false),
            ("a slice", &[0, 0, 0, 2, 0x41, 0x9A], true),
            ("one that is not", &[0, 0, 0, 2, 0x01, 0x9A], false),
            ("sets", &[0, 0, 0, 2, 0x67, 0x42], false),
            ("a length that lies", &[0, 0, 0, 9, 0x01], true),
        ] {
            assert_eq!(is_reference(data), want, "{what}");
        }
    }
}
