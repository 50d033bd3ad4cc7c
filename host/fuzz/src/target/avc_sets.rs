//! Parameter sets: a record as it is, and units of a sized body each that come in-band.
//!
//! What passes for our decoder is within its memory, and a record that was built reads back.

use bytes::Bytes;
use heliu_container::avc::{NAL_PPS, NAL_SPS, Record, Sps, check_access_unit, check_sps, from_nals, nal_type};

use crate::script::Script;

/// 4096x2304, and level 5.2's reference pictures, in macroblocks.
const PICTURE_MAX: u32 = 36_864;
const REFERENCES_MAX: u32 = 184_320;

pub fn run(data: &[u8]) {
    check(data);
    let mut script = Script::new(data);
    let record = Bytes::copy_from_slice(script.sized());
    let mut units = Vec::new();
    while !script.is_empty() {
        units.push(script.sized());
    }
    units.iter().for_each(|unit| check(unit));
    if check_access_unit(&from_nals(&units)).is_ok() {
        let sets = units.iter().filter(|unit| nal_type(unit) == NAL_SPS);
        assert!(sets.into_iter().all(|set| check_sps(set).is_ok()), "no set slips through");
    }
    let of = |kind| units.iter().copied().filter(|unit| nal_type(unit) == kind).collect::<Vec<_>>();
    let records = [Record::parse(&record), Record::new(owned(&of(NAL_SPS)), owned(&of(NAL_PPS)))];
    for record in records.into_iter().flatten() {
        read_back(&record);
        if let Ok(merged) = record.merged(&of(NAL_SPS), &of(NAL_PPS)) {
            read_back(&merged);
        }
    }
}

fn check(sps: &[u8]) {
    let parsed = Sps::parse(sps);
    assert_eq!(parsed, Sps::parse(&[sps, &[0]].concat()), "trailing zeros mean nothing");
    let Ok(sps) = check_sps(sps) else { return };
    assert_eq!(parsed, Ok(sps));
    let macroblocks = sps.coded_size.width / 16 * (sps.coded_size.height / 16);
    assert!(macroblocks <= PICTURE_MAX && macroblocks * sps.reference_frames <= REFERENCES_MAX, "{sps:?}");
    assert!(sps.size.width <= sps.coded_size.width && sps.size.height <= sps.coded_size.height, "{sps:?}");
}

fn read_back(record: &Record) {
    let Ok(format) = record.format() else { return };
    let again = Record::parse(&format.record).expect("a record of ours reads");
    assert_eq!((again.sps(), again.pps()), (record.sps(), record.pps()));
    assert_eq!(again.format(), Ok(format));
}

fn owned(units: &[&[u8]]) -> Vec<Bytes> {
    units.iter().map(|unit| Bytes::copy_from_slice(unit)).collect()
}
