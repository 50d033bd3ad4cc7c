//! What an H.264 decoder must know before a slice: sequence and picture parameter sets.
//!
//! Everything is checked here before C code sees a byte. Only the NAL units a single-layer decoder
//! needs pass: slices, SPS and PPS. A unit that hides a start code in its payload would smuggle
//! unchecked ones past, so it is damage.
//!
//! Not here: what is in an SPS (`container::avc`), decoding (`video_decoder`).

use bytes::Bytes;
use heliu_container::avc::{LengthSize, NAL_IDR, NAL_PPS, NAL_SLICE, NAL_SPS, Record, check_sps, nal_type, nals};

use crate::Undecodable;

/// Those of the record, and what came inside the stream since. Bounded by [`Record`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParameterSets(Record);

/// An access unit that passed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Annex B, slices and parameter sets only.
    pub(crate) annex_b: Vec<u8>,
    pub(crate) has_slice: bool,
    /// It brings an SPS that differs from what was known.
    pub(crate) changes_sps: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// This unit cannot be used; the stream may recover at a keyframe.
    Damaged,
    /// The stream cannot be decoded.
    Undecodable(Undecodable),
}

impl ParameterSets {
    /// Those of an `AVCDecoderConfigurationRecord`; it may leave PPS to the stream.
    pub(crate) fn from_record(record: &Bytes) -> Result<Self, Undecodable> {
        let record = Record::parse(record).map_err(|_| MALFORMED)?;
        if record.sps().is_empty() || record.sps().iter().chain(record.pps()).any(|nal| has_start_code(nal)) {
            return Err(MALFORMED);
        }
        record.sps().iter().try_for_each(|sps| check_sps(sps).map(|_| ()))?;
        Ok(Self(record))
    }

    /// All of them in Annex B, SPS first.
    pub(crate) fn annex_b(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.0.sps().iter().chain(self.0.pps()).for_each(|nal| append(&mut out, nal));
        out
    }

    /// Turns an access unit with four-byte lengths into Annex B and remembers its parameter sets.
    pub(crate) fn convert(&mut self, data: &[u8]) -> Result<Unit, Flaw> {
        let mut unit = Unit { annex_b: Vec::with_capacity(data.len() + 16), has_slice: false, changes_sps: false };
        for nal in nals(data, LengthSize::Four) {
            let nal = nal.map_err(|_| Flaw::Damaged)?;
            let kind = nal_type(nal);
            if !matches!(kind, NAL_SLICE | NAL_IDR | NAL_SPS | NAL_PPS) {
                continue;
            }
            if has_start_code(nal) {
                return Err(Flaw::Damaged);
            }
            unit.has_slice |= matches!(kind, NAL_SLICE | NAL_IDR);
            unit.changes_sps |= self.learn(nal)?;
            append(&mut unit.annex_b, nal);
        }
        Ok(unit)
    }

    /// Checks and keeps an SPS or a PPS; true if it is an SPS that was not known.
    fn learn(&mut self, nal: &[u8]) -> Result<bool, Flaw> {
        let (sps, pps): (&[&[u8]], &[&[u8]]) = match nal_type(nal) {
            NAL_SPS if self.0.sps().iter().all(|known| known != nal) => (&[nal], &[]),
            NAL_PPS if self.0.pps().iter().all(|known| known != nal) => (&[], &[nal]),
            _ => return Ok(false),
        };
        sps.iter().try_for_each(|sps| check_sps(sps).map(|_| ())).map_err(|reason| Flaw::Undecodable(reason.into()))?;
        self.0 = self.0.merged(sps, pps).map_err(|_| Flaw::Damaged)?;
        Ok(!sps.is_empty())
    }
}

const MALFORMED: Undecodable = Undecodable::Format(heliu_container::Undecodable::BadParameterSets);

fn append(annex_b: &mut Vec<u8>, nal: &[u8]) {
    annex_b.extend_from_slice(&[0, 0, 0, 1]);
    annex_b.extend_from_slice(nal);
}

fn has_start_code(nal: &[u8]) -> bool {
    nal.windows(3).any(|window| window == [0, 0, 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `b_pictures.flv`, `slices_cropped.flv` and `chroma_422.flv`.
    const SPS: [u8; 26] = [
        0x67, 0x64, 0x00, 0x0c, 0xac, 0xd9, 0x81, 0x41, 0x9f, 0x9f, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00,
        0x00, 0x03, 0x03, 0x20, 0xf1, 0x42, 0x99, 0xa0,
    ];
    const GROWN: [u8; 26] = [
        0x67, 0x64, 0x00, 0x0d, 0xac, 0xd9, 0x41, 0x51, 0x9e, 0x22, 0x6c, 0x04, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40,
        0x00, 0x00, 0x0c, 0x83, 0xc5, 0x0a, 0x65, 0x80,
    ];
    const SPS_422: [u8; 24] = [
        0x67, 0x7a, 0x00, 0x0a, 0xbc, 0xd9, 0x44, 0x26, 0xc0, 0x44, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03,
        0x00, 0xc8, 0x3c, 0x48, 0x96, 0x58,
    ];
    const PPS: [u8; 6] = [0x68, 0xe9, 0x78, 0xf2, 0xc8, 0xb0];

    #[test]
    fn a_record_is_checked_as_a_whole() {
        let whole = record(&[&SPS], &[&PPS]);
        for (what, record, want) in [
            ("whole", whole.clone(), true),
            ("pps come inside the stream", record(&[&SPS], &[]), true),
            ("empty", Vec::new(), false),
            ("without sps", record(&[], &[&PPS]), false),
            ("cut off", whole[..whole.len() - 1].to_vec(), false),
            ("a hidden start code", record(&[&SPS], &[&[0x68, 0xce, 0, 0, 1, 0x67]]), false),
            ("4:2:2", record(&[&SPS_422], &[&PPS]), false),
        ] {
            assert_eq!(ParameterSets::from_record(&record.into()).is_ok(), want, "{what}");
        }
    }

    #[test]
    fn only_slices_and_checked_parameter_sets_pass() {
        let (slice, sps, grown) = ([0x65, 1, 2], SPS, GROWN);
        let known = || ParameterSets::from_record(&record(&[&SPS], &[&PPS]).into()).unwrap();
        for (what, nals, want) in [
            ("a slice", vec![&slice[..]], Ok((vec![&slice[..]], false))),
            ("sei, delimiter and filler go", vec![&[6, 1], &[9, 16], &slice, &[12, 255]], Ok((vec![&slice], false))),
            ("a scalable sps goes", vec![&[15, 1, 2], &[20, 3], &slice], Ok((vec![&slice], false))),
            ("the known sps", vec![&sps, &slice], Ok((vec![&sps, &slice], false))),
            ("another sps", vec![&grown, &slice], Ok((vec![&grown, &slice], true))),
            ("an undecodable sps", vec![&SPS_422, &slice], Err(())),
            ("a hidden start code", vec![&[0x65, 0, 0, 1, 0x67, 1]], Err(())),
            ("one in an sps", vec![&[&sps[..], &[0, 0, 1, 0x67]].concat()], Err(())),
        ] {
            let converted = known().convert(&avcc(&nals)).map(|unit| (unit.annex_b, unit.changes_sps)).map_err(drop);
            let want = want.map(|(nals, changes)| {
                let mut annex_b = Vec::new();
                nals.iter().for_each(|nal| append(&mut annex_b, nal));
                (annex_b, changes)
            });
            assert_eq!(converted, want, "{what}");
        }
        for cut_off in [&[0, 0, 0][..], &[0, 0, 0, 2, 0x65], &[0xff; 8]] {
            assert_eq!(known().convert(cut_off), Err(Flaw::Damaged));
        }
    }

    fn record(sps: &[&[u8]], pps: &[&[u8]]) -> Vec<u8> {
        let sized = |out: &mut Vec<u8>, nals: &[&[u8]]| {
            for nal in nals {
                out.extend(u16::try_from(nal.len()).unwrap().to_be_bytes());
                out.extend_from_slice(nal);
            }
        };
        let mut out = vec![1, 110, 0, 51, 0xff, 0xe0 | sps.len() as u8];
        sized(&mut out, sps);
        out.push(pps.len() as u8);
        sized(&mut out, pps);
        out
    }

    fn avcc(nals: &[&[u8]]) -> Vec<u8> {
        nals.iter().flat_map(|nal| [&(nal.len() as u32).to_be_bytes(), *nal].concat()).collect()
    }
}
