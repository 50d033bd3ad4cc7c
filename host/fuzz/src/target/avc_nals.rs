//! NAL units in a row, in both forms; each form holds the same units as the other.

use bytes::Bytes;
use heliu_container::avc::{LengthSize, annex_b_nals, append_annex_b, from_nals, nals, normalise};

pub fn run(data: &[u8]) {
    for length_size in [LengthSize::One, LengthSize::Two, LengthSize::Four] {
        let units: Result<Vec<&[u8]>, _> = nals(data, length_size).collect();
        let normal = normalise(Bytes::copy_from_slice(data), length_size);
        if let (Ok(units), Ok(normal)) = (units, normal) {
            assert_eq!(units_of(&normal), units, "normalised");
        }
    }
    let units: Vec<&[u8]> = annex_b_nals(data).collect();
    assert!(units.iter().map(|unit| unit.len() + 3).sum::<usize>() <= data.len(), "nothing grows");
    let prefixed = from_nals(&units);
    assert_eq!(units_of(&prefixed), units);
    let mut annex_b = Vec::new();
    append_annex_b(&prefixed, &mut annex_b).expect("lengths of ours add up");
    assert_eq!(annex_b_nals(&annex_b).collect::<Vec<_>>(), units);
}

fn units_of(data: &[u8]) -> Vec<&[u8]> {
    nals(data, LengthSize::Four).collect::<Result<_, _>>().expect("lengths of ours add up")
}
