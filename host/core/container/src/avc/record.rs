//! `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15 §5.2.4.1), read and built.
//!
//! Inside heliu the NAL length is always four bytes; [`Record::length_size`] says what the sender uses.

use bytes::{BufMut, Bytes, BytesMut};
use heliu_model::H264Format;

use super::nal::{LengthSize, NAL_PPS, NAL_SPS, nal_type};
use super::sps::{PARAMETER_SET_LEN_MAX, Sps};
use crate::Discard;

const SPS_MAX: usize = 31;
const PPS_MAX: usize = 255;
const LEN_MAX: usize = 64 * 1024;

/// The parameter sets of an H.264 track and the size of its NAL lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    length_size: LengthSize,
    sps: Vec<Bytes>,
    pps: Vec<Bytes>,
}

impl Record {
    /// Reads a record. The parameter sets share its memory.
    ///
    /// # Errors
    /// [`Discard::BadRecord`]: it breaks the grammar or the bounds.
    pub fn parse(record: &Bytes) -> Result<Self, Discard> {
        read(record).ok_or(Discard::BadRecord)
    }

    /// A record of these parameter sets (NAL units) with four-byte lengths.
    ///
    /// # Errors
    /// [`Discard::NoSps`] without a sequence parameter set, [`Discard::BadRecord`] over the bounds.
    pub fn new(sps: Vec<Bytes>, pps: Vec<Bytes>) -> Result<Self, Discard> {
        if sps.is_empty() {
            return Err(Discard::NoSps);
        }
        let len: usize = sps.iter().chain(&pps).map(Bytes::len).sum();
        let is_bounded = sps.len() <= SPS_MAX && pps.len() <= PPS_MAX && len <= LEN_MAX;
        if !is_bounded || !sps.iter().all(|nal| is_set(nal, NAL_SPS)) || !pps.iter().all(|nal| is_set(nal, NAL_PPS)) {
            return Err(Discard::BadRecord);
        }
        Ok(Self { length_size: LengthSize::Four, sps, pps })
    }

    /// How the sender writes NAL lengths.
    #[must_use]
    pub fn length_size(&self) -> LengthSize {
        self.length_size
    }

    /// Sequence parameter sets as NAL units.
    #[must_use]
    pub fn sps(&self) -> &[Bytes] {
        &self.sps
    }

    /// Picture parameter sets as NAL units.
    #[must_use]
    pub fn pps(&self) -> &[Bytes] {
        &self.pps
    }

    /// The record with what an access unit brought in-band: a set replaces the one with its id.
    ///
    /// # Errors
    /// A set is malformed, or there are too many.
    pub fn merged(&self, sps: &[&[u8]], pps: &[&[u8]]) -> Result<Self, Discard> {
        let mut merged = self.clone();
        for nal in sps {
            let id = Sps::parse(nal)?.id;
            replace(&mut merged.sps, nal, |old| Sps::parse(old).is_ok_and(|old| old.id == id));
        }
        for nal in pps {
            let id = pps_id(nal).ok_or(Discard::BadRecord)?;
            replace(&mut merged.pps, nal, |old| pps_id(old) == Some(id));
        }
        Self::new(merged.sps, merged.pps)
    }

    /// The format of the track, with its record in four-byte form.
    ///
    /// # Errors
    /// [`Discard::NoSps`], or [`Discard::BadSps`] for the first sequence parameter set.
    pub fn format(&self) -> Result<H264Format, Discard> {
        let sps = Sps::parse(self.sps.first().ok_or(Discard::NoSps)?)?;
        Ok(H264Format { record: self.build(&sps), size: sps.size, frame_rate: sps.frame_rate })
    }

    fn build(&self, first: &Sps) -> Bytes {
        let mut out = BytesMut::new();
        out.put_u8(1);
        // Profile, compatibility and level stand in the first bytes of the set itself.
        out.put_slice(&self.sps[0][1..4]);
        out.put_u8(0xFF);
        out.put_u8(0xE0 | count(&self.sps));
        self.sps.iter().for_each(|nal| put_set(&mut out, nal));
        out.put_u8(count(&self.pps));
        self.pps.iter().for_each(|nal| put_set(&mut out, nal));
        if matches!(first.profile_idc, 100 | 110 | 122 | 144) {
            out.put_u8(0xFC | first.chroma_format_idc);
            out.put_u8(0xF8 | (first.bit_depth_luma - 8));
            out.put_u8(0xF8 | (first.bit_depth_chroma - 8));
            out.put_u8(0);
        }
        out.freeze()
    }
}

fn read(record: &Bytes) -> Option<Record> {
    let [1, _, _, _, length_size, sps_count, ..] = record[..] else { return None };
    if record.len() > LEN_MAX {
        return None;
    }
    let length_size = match length_size & 3 {
        0 => LengthSize::One,
        1 => LengthSize::Two,
        3 => LengthSize::Four,
        _ => return None,
    };
    let mut rest = record.slice(6..);
    let sps = read_sets(&mut rest, usize::from(sps_count & 0x1F), NAL_SPS)?;
    // Some encoders end the record here and bring the picture parameter sets in-band.
    let pps_count = if rest.is_empty() { 0 } else { rest.split_to(1)[0] };
    let pps = read_sets(&mut rest, usize::from(pps_count), NAL_PPS)?;
    Some(Record { length_size, sps, pps })
}

fn read_sets(rest: &mut Bytes, count: usize, kind: u8) -> Option<Vec<Bytes>> {
    let mut sets = Vec::new();
    for _ in 0..count {
        let len = usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?]));
        let set = (rest.len() >= len + 2).then(|| rest.split_to(len + 2).slice(2..))?;
        if !is_set(&set, kind) {
            return None;
        }
        sets.push(set);
    }
    Some(sets)
}

/// A sequence parameter set holds at least profile, compatibility and level behind its header.
fn is_set(nal: &[u8], kind: u8) -> bool {
    let len_min = if kind == NAL_SPS { 4 } else { 2 };
    nal_type(nal) == kind && (len_min..=PARAMETER_SET_LEN_MAX).contains(&nal.len())
}

fn replace(sets: &mut Vec<Bytes>, nal: &[u8], is_same: impl Fn(&Bytes) -> bool) {
    let nal = Bytes::copy_from_slice(nal);
    match sets.iter_mut().find(|old| is_same(old)) {
        Some(old) => *old = nal,
        None => sets.push(nal),
    }
}

/// `pic_parameter_set_id`, the first Exp-Golomb number behind the header: at most 255, so within 17 bits.
fn pps_id(nal: &[u8]) -> Option<u32> {
    let mut bits = [0; 4];
    let payload = nal.get(1..)?;
    let len = payload.len().min(bits.len());
    bits[..len].copy_from_slice(&payload[..len]);
    let bits = u32::from_be_bytes(bits);
    let zeros = bits.leading_zeros();
    (zeros <= 8).then(|| (bits << zeros >> (31 - zeros)) - 1)
}

fn count(sets: &[Bytes]) -> u8 {
    u8::try_from(sets.len()).expect("bounded when the record was made")
}

fn put_set(out: &mut BytesMut, nal: &Bytes) {
    out.put_u16(u16::try_from(nal.len()).expect("bounded when the record was made"));
    out.put_slice(nal);
}

#[cfg(test)]
mod tests {
    use h264_reader::nal::sps::SeqParamSetId;
    use heliu_model::Size;
    use proptest::prelude::*;

    use super::*;
    use crate::avc::samples::{PPS, SPS_320X240_25, SPS_640X360_30, sps_of};

    #[test]
    fn a_record_reads_as_it_was_built() {
        let record = record(&[SPS_640X360_30], &[PPS]);
        let format = record.format().unwrap();
        assert_eq!(format.size, Size { width: 640, height: 360 });
        assert_eq!(format.frame_rate, Some(30.0));
        assert_eq!(Record::parse(&format.record), Ok(record));
        assert_eq!(format.record[format.record.len() - 4..], [0xFD, 0xF8, 0xF8, 0], "high profile tells its chroma");
    }

    #[test]
    fn malformed_records_are_discarded() {
        let good = record(&[SPS_640X360_30], &[PPS]).format().unwrap().record;
        let set_len = 6 + 2 + SPS_640X360_30.len();
        for (what, bytes, want) in [
            ("nothing", vec![], Discard::BadRecord),
            ("another version", [&[2], &good[1..]].concat(), Discard::BadRecord),
            ("lengths of three bytes", [&good[..4], &[0xFE], &good[5..]].concat(), Discard::BadRecord),
            ("cut inside the SPS", good[..set_len - 1].to_vec(), Discard::BadRecord),
            ("cut inside the PPS", good[..set_len + 5].to_vec(), Discard::BadRecord),
            ("a PPS where an SPS belongs", vec![1, 66, 0, 30, 0xFF, 0xE1, 0, 5, 0x68, 1, 2, 3, 4], Discard::BadRecord),
            ("no SPS", vec![1, 66, 0, 30, 0xFF, 0xE0, 0], Discard::NoSps),
            ("an SPS of rubbish", vec![1, 66, 0, 30, 0xFF, 0xE1, 0, 5, 0x67, 1, 2, 3, 4], Discard::BadSps),
        ] {
            let format = Record::parse(&Bytes::from(bytes)).and_then(|record| record.format());
            assert_eq!(format, Err(want), "{what}");
        }
    }

    #[test]
    fn a_record_that_ends_behind_its_sps_is_accepted() {
        let good = record(&[SPS_640X360_30], &[PPS]).format().unwrap().record;
        let record = Record::parse(&good.slice(..6 + 2 + SPS_640X360_30.len())).unwrap();
        assert_eq!((record.sps().len(), record.pps().len()), (1, 0));
    }

    #[test]
    fn an_in_band_set_replaces_the_one_with_its_id() {
        let old = record(&[SPS_640X360_30], &[PPS]);
        let other_id = sps_of(|sps| sps.seq_parameter_set_id = SeqParamSetId::from_u32(3).unwrap());
        let pps_1 = [0x68, 0x4B, 0xE3];
        for (what, sps, pps, want) in [
            ("a changed size", &[SPS_320X240_25][..], &[PPS][..], record(&[SPS_320X240_25], &[PPS])),
            ("another id", &[&other_id], &[], record(&[SPS_640X360_30, &other_id], &[PPS])),
            ("a second PPS", &[], &[&pps_1], record(&[SPS_640X360_30], &[PPS, &pps_1])),
        ] {
            assert_eq!(old.merged(sps, pps), Ok(want), "{what}");
        }
        assert_eq!(old.merged(&[&[0x67, 1, 2, 3]], &[]), Err(Discard::BadSps));
        assert_eq!(old.merged(&[], &[&[0x68, 0, 0, 0]]), Err(Discard::BadRecord));
    }

    #[test]
    fn ids_of_picture_parameter_sets_are_read() {
        for (nal, want) in [
            (&[0x68, 0b1000_0000][..], Some(0)),
            (&[0x68, 0b0100_0000], Some(1)),
            (&[0x68, 0b0110_0000], Some(2)),
            (&[0x68, 0x00, 0x80, 0x00], Some(255)),
            (&[0x68, 0x00, 0x00, 0x80], None),
            (&[0x68], None),
        ] {
            assert_eq!(pps_id(nal), want, "{nal:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Record::parse(&Bytes::from(data.clone())).and_then(|record| record.format());
            let _ = pps_id(&data);
        }

        #[test]
        fn a_damaged_record_never_panics(at in 0_usize..48, byte in any::<u8>(), cut in 0_usize..48) {
            let mut data = record(&[SPS_640X360_30], &[PPS]).format().unwrap().record.to_vec();
            let len = data.len();
            data[at % len] = byte;
            data.truncate(len - cut % len);
            let _ = Record::parse(&Bytes::from(data)).and_then(|record| record.format());
        }
    }

    fn record(sps: &[&[u8]], pps: &[&[u8]]) -> Record {
        let sets = |sets: &[&[u8]]| sets.iter().map(|nal| Bytes::copy_from_slice(nal)).collect();
        Record::new(sets(sps), sets(pps)).unwrap()
    }
}
