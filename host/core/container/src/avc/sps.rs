//! What a sequence parameter set says about its pictures (ITU-T H.264 §7.3.2.1.1, annex E).

use h264_reader::nal::sps::{FrameMbsFlags, SeqParameterSet};
use h264_reader::nal::{Nal, RefNal};
use heliu_model::Size;

use super::nal::without_trailing_zeros;
use super::{NAL_SPS, nal_type};
use crate::{Discard, Undecodable};

/// A parameter set with scaling lists and every extension stays far below.
pub(super) const PARAMETER_SET_LEN_MAX: usize = 4096;

const SIDE_MIN: u32 = 16;
const SIDE_MAX: u32 = 4096;
const AREA_MAX: u32 = 4096 * 2304;
const REFERENCE_FRAMES_MAX: u32 = 16;
/// `MaxDpbMbs` of level 5.2 (ITU-T H.264 table A-1): macroblocks of all reference pictures together,
/// 71 MB of samples. It leaves sixteen references to 1920x1080 and five to 4096x2304.
const REFERENCE_MACROBLOCKS_MAX: u32 = 184_320;
const PROFILE_BASELINE: u8 = 66;
/// `level_idc` 6.2, the highest there is.
const LEVEL_HIGHEST: u8 = 62;
const LEVEL_AT: usize = 3;

/// What heliu reads of a sequence parameter set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sps {
    /// Size in whole macroblocks, what a decoder allocates.
    pub coded_size: Size,
    /// Size that is shown, cropping applied.
    pub size: Size,
    /// 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format_idc: u8,
    /// Bits per luma sample.
    pub bit_depth_luma: u8,
    /// Bits per chroma sample.
    pub bit_depth_chroma: u8,
    /// `profile_idc`.
    pub profile_idc: u8,
    /// `level_idc`, ten times the level.
    pub level_idc: u8,
    /// Fields or macroblock-adaptive frames and fields may occur.
    pub is_interlaced: bool,
    /// Pictures per second, if the usability information tells and it is between 0.1 and 1000.
    pub frame_rate: Option<f32>,
    /// `max_num_ref_frames`, 0 to 16: pictures that a decoder keeps beside the current one.
    pub reference_frames: u32,
    /// `max_num_reorder_frames`, 0 to 16: pictures that may be decoded before one and shown after it, if
    /// the usability information tells. None in the Baseline profile, which has no B pictures.
    pub reordered_frames: Option<u32>,
    /// `seq_parameter_set_id`, 0 to 31.
    pub id: u8,
}

impl Sps {
    /// Reads a whole NAL unit of type 7.
    ///
    /// # Errors
    /// [`Discard::BadSps`]: it breaks the grammar, or its pictures have no area.
    pub fn parse(nal: &[u8]) -> Result<Self, Discard> {
        let nal = without_trailing_zeros(nal);
        if nal_type(nal) != NAL_SPS || nal.len() > PARAMETER_SET_LEN_MAX {
            return Err(Discard::BadSps);
        }
        let mut relaxed = nal.to_vec();
        let level = relaxed.get_mut(LEVEL_AT).ok_or(Discard::BadSps)?;
        // Cameras send pictures too large for the level they name. The parser would refuse those; our
        // own bounds judge the size.
        let level_idc = std::mem::replace(level, LEVEL_HIGHEST);
        let sps = SeqParameterSet::from_bits(RefNal::new(&relaxed, &[], true).rbsp_bits());
        Self::from_parsed(&sps.map_err(|_| Discard::BadSps)?, level_idc)
    }

    fn from_parsed(sps: &SeqParameterSet, level_idc: u8) -> Result<Self, Discard> {
        let (width, height) = sps.pixel_dimensions().map_err(|_| Discard::BadSps)?;
        let coded_size = coded_size(sps).ok_or(Discard::BadSps)?;
        if width == 0 || height == 0 || sps.max_num_ref_frames > REFERENCE_FRAMES_MAX {
            return Err(Discard::BadSps);
        }
        let chroma_format_idc =
            u8::try_from(sps.chroma_info.chroma_format.to_u32()).ok().filter(|idc| *idc <= 3).ok_or(Discard::BadSps)?;
        Ok(Self {
            coded_size,
            size: Size { width, height },
            chroma_format_idc,
            bit_depth_luma: sps.chroma_info.bit_depth_luma_minus8 + 8,
            bit_depth_chroma: sps.chroma_info.bit_depth_chroma_minus8 + 8,
            profile_idc: sps.profile_idc.into(),
            level_idc,
            is_interlaced: is_interlaced(sps),
            frame_rate: frame_rate(sps),
            reference_frames: sps.max_num_ref_frames,
            reordered_frames: reordered_frames(sps),
            id: sps.id().id(),
        })
    }
}

/// Whether our decoder may see pictures of this sequence parameter set (a whole NAL unit): progressive
/// 4:2:0 with 8 bits, sides of 16 to 4096, at most 4096x2304 in all, and reference pictures of at most
/// 184 320 macroblocks together, as level 5.2 allows. A decoder of the largest takes 150 MB: the library
/// keeps two spare pictures, and motion beside each.
///
/// # Errors
/// It may not.
pub fn check_sps(nal: &[u8]) -> Result<Sps, Undecodable> {
    let sps = Sps::parse(nal).map_err(|_| Undecodable::BadParameterSets)?;
    if sps.chroma_format_idc != 1 {
        return Err(Undecodable::Chroma(sps.chroma_format_idc));
    }
    let bit_depth = sps.bit_depth_luma.max(sps.bit_depth_chroma);
    if bit_depth != 8 {
        return Err(Undecodable::BitDepth(bit_depth));
    }
    if sps.is_interlaced {
        return Err(Undecodable::Interlaced);
    }
    if !is_size_decodable(sps.coded_size) || !is_size_decodable(sps.size) {
        return Err(Undecodable::Size(sps.coded_size));
    }
    if sps.reference_frames * macroblocks(sps.coded_size) > REFERENCE_MACROBLOCKS_MAX {
        return Err(Undecodable::References(sps.reference_frames));
    }
    Ok(sps)
}

/// Of a coded size, which is one of whole macroblocks.
fn macroblocks(size: Size) -> u32 {
    size.width / 16 * (size.height / 16)
}

fn is_size_decodable(size: Size) -> bool {
    let sides = SIDE_MIN..=SIDE_MAX;
    sides.contains(&size.width) && sides.contains(&size.height) && size.width * size.height <= AREA_MAX
}

fn coded_size(sps: &SeqParameterSet) -> Option<Size> {
    let map_unit_height = if is_interlaced(sps) { 32 } else { 16 };
    Some(Size {
        width: sps.pic_width_in_mbs().checked_mul(16)?,
        height: sps.pic_height_in_map_units().checked_mul(map_unit_height)?,
    })
}

fn is_interlaced(sps: &SeqParameterSet) -> bool {
    matches!(sps.frame_mbs_flags, FrameMbsFlags::Fields { .. })
}

fn reordered_frames(sps: &SeqParameterSet) -> Option<u32> {
    if u8::from(sps.profile_idc) == PROFILE_BASELINE {
        return Some(0);
    }
    let told = sps.vui_parameters.as_ref()?.bitstream_restrictions.as_ref()?;
    Some(told.max_num_reorder_frames.min(REFERENCE_FRAMES_MAX))
}

#[expect(clippy::cast_possible_truncation, reason = "a frame rate needs no more than the digits of an f32")]
fn frame_rate(sps: &SeqParameterSet) -> Option<f32> {
    sps.fps().filter(|fps| (0.1..=1000.0).contains(fps)).map(|fps| fps as f32)
}

#[cfg(test)]
mod tests {
    use h264_reader::nal::sps::{ChromaFormat, FrameCropping, TimingInfo, VuiParameters};
    use proptest::prelude::*;

    use super::*;
    use crate::avc::samples::{SPS_320X240_25, SPS_640X360_30, sps_of};

    #[test]
    fn an_encoders_set_is_read() {
        let sps = check_sps(SPS_640X360_30).unwrap();
        assert_eq!(sps.size, Size { width: 640, height: 360 });
        assert_eq!(sps.coded_size, Size { width: 640, height: 368 });
        assert_eq!((sps.profile_idc, sps.level_idc), (100, 30));
        assert_eq!(sps.frame_rate, Some(30.0));
    }

    #[test]
    fn reordered_pictures_are_those_that_are_told() {
        let told = |reordered| {
            move |sps: &mut SeqParameterSet| {
                let restrictions = sps.vui_parameters.as_mut().and_then(|vui| vui.bitstream_restrictions.as_mut());
                restrictions.unwrap().max_num_reorder_frames = reordered;
            }
        };
        for (what, set, want) in [
            ("two", sps_of(told(2)), Some(2)),
            ("none", sps_of(told(0)), Some(0)),
            ("untold", sps_of(|sps| sps.vui_parameters = None), None),
            ("Baseline", SPS_320X240_25.to_vec(), Some(0)),
        ] {
            assert_eq!(Sps::parse(&set).unwrap().reordered_frames, want, "{what}");
        }
    }

    #[test]
    fn what_the_decoder_cannot_take_is_said() {
        let size = |width, height| Undecodable::Size(Size { width, height });
        for (what, change, want) in [
            ("as it is", Change(|_| {}), Ok(())),
            ("4:2:2", Change(|sps| sps.chroma_info.chroma_format = ChromaFormat::YUV422), Err(Undecodable::Chroma(2))),
            ("4:4:4", Change(|sps| sps.chroma_info.chroma_format = ChromaFormat::YUV444), Err(Undecodable::Chroma(3))),
            (
                "grey",
                Change(|sps| sps.chroma_info.chroma_format = ChromaFormat::Monochrome),
                Err(Undecodable::Chroma(0)),
            ),
            ("10 bits", Change(|sps| sps.chroma_info.bit_depth_luma_minus8 = 2), Err(Undecodable::BitDepth(10))),
            (
                "10 bits chroma",
                Change(|sps| sps.chroma_info.bit_depth_chroma_minus8 = 2),
                Err(Undecodable::BitDepth(10)),
            ),
            ("4096x2304", Change(|sps| resize(sps, 256, 144)), Ok(())),
            ("4096x2320", Change(|sps| resize(sps, 256, 145)), Err(size(4096, 2320))),
            ("too wide", Change(|sps| resize(sps, 257, 1)), Err(size(4112, 16))),
            (
                "cropped to a stamp",
                Change(|sps| {
                    resize(sps, 300, 300);
                    sps.frame_cropping =
                        Some(FrameCropping { right_offset: 2368, bottom_offset: 2368, ..Default::default() });
                }),
                Err(size(4800, 4800)),
            ),
            (
                "cropped to nothing",
                Change(|sps| {
                    resize(sps, 1, 1);
                    sps.frame_cropping = Some(FrameCropping { right_offset: 8, ..Default::default() });
                }),
                Err(Undecodable::BadParameterSets),
            ),
            (
                "over-cropped",
                Change(|sps| {
                    sps.frame_cropping = Some(FrameCropping { right_offset: u32::MAX - 1, ..Default::default() });
                }),
                Err(Undecodable::BadParameterSets),
            ),
            (
                "fields",
                Change(|sps| {
                    sps.frame_mbs_flags = FrameMbsFlags::Fields { mb_adaptive_frame_field_flag: false };
                }),
                Err(Undecodable::Interlaced),
            ),
            ("absurd", Change(|sps| resize(sps, 60_000, 60_000)), Err(Undecodable::BadParameterSets)),
            ("sixteen references of 1920x1088", Change(|sps| refer(sps, 16, 120, 68)), Ok(())),
            ("five of 4096x2304", Change(|sps| refer(sps, 5, 256, 144)), Ok(())),
            ("six of 4096x2304", Change(|sps| refer(sps, 6, 256, 144)), Err(Undecodable::References(6))),
            ("sixteen of 4096x2304", Change(|sps| refer(sps, 16, 256, 144)), Err(Undecodable::References(16))),
            ("a hundred references", Change(|sps| sps.max_num_ref_frames = 100), Err(Undecodable::BadParameterSets)),
        ] {
            assert_eq!(check_sps(&sps_of(change.0)).map(|_| ()), want, "{what}");
        }
    }

    #[test]
    fn a_level_too_low_for_the_size_is_forgiven() {
        let sps = Sps::parse(&sps_of(|sps| {
            sps.level_idc = 10;
            resize(sps, 120, 68);
        }));
        assert_eq!(sps.map(|sps| (sps.size.width, sps.level_idc)), Ok((1920, 10)));
    }

    #[test]
    fn frame_rates_out_of_reason_are_unknown() {
        for (ticks, scale, want) in [(1, 50, Some(25.0)), (0, 50, None), (1, u32::MAX, None), (u32::MAX, 1, None)] {
            let nal = sps_of(|sps| {
                sps.vui_parameters = Some(VuiParameters {
                    timing_info: Some(TimingInfo {
                        num_units_in_tick: ticks,
                        time_scale: scale,
                        fixed_frame_rate_flag: true,
                    }),
                    ..sps.vui_parameters.take().expect("the sample has it")
                });
            });
            assert_eq!(Sps::parse(&nal).map(|sps| sps.frame_rate), Ok(want), "{ticks} {scale}");
        }
    }

    #[test]
    fn a_cut_set_is_malformed_and_trailing_zeros_are_not() {
        for len in 0..SPS_640X360_30.len() - 1 {
            assert_eq!(Sps::parse(&SPS_640X360_30[..len]), Err(Discard::BadSps), "{len}");
        }
        assert!(Sps::parse(&[SPS_640X360_30, &[0, 0]].concat()).is_ok());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(data in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = check_sps(&data);
            let _ = check_sps(&[&[0x67, 100, 0, 30][..], &data].concat());
        }

        #[test]
        fn a_damaged_set_never_panics(at in 0..SPS_640X360_30.len(), bits in any::<u8>(), cut in 0..SPS_640X360_30.len()) {
            let mut data = SPS_640X360_30.to_vec();
            data[at] ^= bits;
            let _ = check_sps(&data);
            let _ = check_sps(&data[..cut]);
        }
    }

    struct Change(fn(&mut SeqParameterSet));

    fn refer(sps: &mut SeqParameterSet, references: u32, width_in_mbs: u32, height_in_mbs: u32) {
        sps.max_num_ref_frames = references;
        // It says how many pictures are buffered, which must not be fewer.
        sps.vui_parameters = None;
        resize(sps, width_in_mbs, height_in_mbs);
    }

    fn resize(sps: &mut SeqParameterSet, width_in_mbs: u32, height_in_mbs: u32) {
        sps.pic_width_in_mbs_minus1 = width_in_mbs - 1;
        sps.pic_height_in_map_units_minus1 = height_in_mbs - 1;
        sps.frame_cropping = None;
    }
}
