//! H.264 as RTMP, FLV and MP4 carry it: NAL units, the configuration record, parameter sets.
//!
//! Formats are judged in Rust before any decoder sees a byte: [`decodable`] for a format,
//! [`check_access_unit`] for what an access unit brings along in-band.
//!
//! Not here: slices. Nothing looks into a picture.

mod nal;
mod parameter_sets;
mod record;
#[cfg(test)]
pub(crate) mod samples;
mod sps;

use heliu_model::H264Format;

use crate::Undecodable;

pub use nal::{
    AnnexBNals, LengthSize, NAL_AUD, NAL_END_OF_SEQUENCE, NAL_END_OF_STREAM, NAL_FILLER, NAL_IDR, NAL_PPS, NAL_SEI,
    NAL_SLICE, NAL_SPS, NALS_MAX, Nals, annex_b_nals, append_annex_b, from_nals, nal_type, nals, normalise,
};
pub use parameter_sets::ParameterSets;
pub use record::Record;
pub use sps::{Sps, check_sps};

/// Subset sequence parameter set of SVC and MVC.
const NAL_SUBSET_SPS: u8 = 15;
/// Slice of an SVC or MVC layer.
const NAL_SLICE_EXTENSION: u8 = 20;

/// Whether our decoder takes pictures of this format.
///
/// # Errors
/// It does not; pictures of it may still be forwarded.
pub fn decodable(format: &H264Format) -> Result<(), Undecodable> {
    let record = Record::parse(&format.record).map_err(|_| Undecodable::BadParameterSets)?;
    if record.sps().is_empty() {
        return Err(Undecodable::BadParameterSets);
    }
    record.sps().iter().try_for_each(|sps| check_sps(sps).map(|_| ()))
}

/// Whether our decoder may see this access unit (four-byte NAL lengths): looks at every parameter set
/// that came in-band.
///
/// # Errors
/// The access unit must not reach the decoder.
pub fn check_access_unit(data: &[u8]) -> Result<(), Undecodable> {
    for nal in nals(data, LengthSize::Four) {
        let nal = nal.map_err(|_| Undecodable::BadParameterSets)?;
        match nal_type(nal) {
            NAL_SPS => {
                check_sps(nal)?;
            }
            NAL_SUBSET_SPS | NAL_SLICE_EXTENSION => return Err(Undecodable::Layered),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::samples::{PPS, SPS_640X360_30, sps_of};
    use super::*;

    #[test]
    fn an_access_unit_must_bring_nothing_the_decoder_cannot_take() {
        let ten_bits = sps_of(|sps| sps.chroma_info.bit_depth_luma_minus8 = 2);
        for (what, units, want) in [
            ("a picture", &[&[0x65, 1][..]][..], Ok(())),
            ("good sets", &[SPS_640X360_30, PPS, &[0x65, 1]], Ok(())),
            ("ten bits", &[&ten_bits, PPS, &[0x65, 1]], Err(Undecodable::BitDepth(10))),
            ("rubbish", &[&[0x67, 1, 2, 3]], Err(Undecodable::BadParameterSets)),
            ("a subset SPS", &[&[0x6F, 1]], Err(Undecodable::Layered)),
            ("a slice of a layer", &[&[0x74, 1]], Err(Undecodable::Layered)),
        ] {
            assert_eq!(check_access_unit(&from_nals(units)), want, "{what}");
        }
        assert_eq!(check_access_unit(&[0, 0, 0, 9, 1]), Err(Undecodable::BadParameterSets));
    }
}
