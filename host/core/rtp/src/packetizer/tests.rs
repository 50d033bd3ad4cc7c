//! What packets frames become, and whether the library reads them.

use heliu_model::AacFormat;
use proptest::prelude::*;
use rtp::codec::h264::H264Packet;
use rtp::packetizer::Depacketizer as _;

use super::*;
use crate::PAYLOAD_LEN_MAX;
use crate::samples::{PPS, SPS, format, picture, slice, sound, units};

#[test]
fn a_keyframe_begins_with_its_parameter_sets() {
    let (mut packetizer, mut ring) = (Packetizer::new(), Ring::new(16));
    let idr = slice(true, 3_000, 7);
    let frame = picture(&format(SPS), 40, true, &[&[0x09, 0xF0], &[0x06, 5, 1], SPS, PPS, &idr]);
    assert_eq!(packetizer.packetize(&frame, &mut ring), 0..4);
    let sets = [&[0x78, 0, 26][..], SPS, &[0, 6], PPS].concat();
    let want = [
        sets,
        [&[0x7C, 0x85], &idr[1..1_199]].concat(),
        [&[0x7C, 0x05], &idr[1_199..2_397]].concat(),
        [&[0x7C, 0x45], &idr[2_397..]].concat(),
    ];
    for (at, want) in (0..).zip(want) {
        let (meta, payload) = ring.get(at).unwrap();
        assert_eq!(payload, want, "packet {at}");
        assert_eq!((meta.marker, meta.starts_keyframe), (at == 3, at == 0), "packet {at}");
        assert_eq!((meta.sequence, meta.timestamp), (SEQUENCE_FIRST + at, rtp_timestamp(90_000, frame.pts)));
    }
}

#[test]
fn other_pictures_are_their_slices() {
    let (mut packetizer, mut ring) = (Packetizer::new(), Ring::new(16));
    let slices = [slice(false, 1_200, 1), vec![0x41, 0x40, 2]];
    let frame = picture(&format(SPS), 0, false, &[&slices[0], &[0x0C, 0xFF, 0xFF], &slices[1], PPS]);
    assert_eq!(packetizer.packetize(&frame, &mut ring), 0..3);
    for (at, (want, marker)) in (0..).zip([(&slices[0][..], false), (&slices[1], false), (PPS, true)]) {
        let (meta, payload) = ring.get(at).unwrap();
        assert_eq!((payload, meta.marker, meta.starts_keyframe), (want, marker, false), "packet {at}");
    }
}

#[test]
fn sound_is_a_packet_without_a_marker() {
    let (mut packetizer, mut ring) = (Packetizer::new(), Ring::new(4));
    assert_eq!(packetizer.packetize(&sound(-20, b"first"), &mut ring), 0..1);
    assert_eq!(packetizer.packetize(&sound(0, b"second"), &mut ring), 1..2);
    let (first, second) = (ring.get(0).unwrap(), ring.get(1).unwrap());
    assert_eq!((first.1, second.1), (&b"first"[..], &b"second"[..]));
    assert_eq!((second.0.sequence - first.0.sequence, second.0.timestamp - first.0.timestamp), (1, 960));
    assert!(first.0.starts_keyframe && !first.0.marker);
}

#[test]
fn what_cannot_be_sent_leaves_nothing_in_the_ring() {
    let aac = Format::Aac(AacFormat { config: vec![0x11, 0x90].into(), sample_rate: 48_000, channels: 2 });
    let mut bad = format(SPS);
    if let Format::H264(h264) = Arc::make_mut(&mut bad) {
        h264.record = vec![1, 2, 3].into();
    }
    let malformed = Frame { data: vec![0, 0, 0, 9, 0x41].into(), ..picture(&format(SPS), 0, false, &[]) };
    for (what, frame, want) in [
        ("AAC", Frame { format: Arc::new(aac), ..sound(0, b"raw") }, None),
        ("lengths that lie", malformed, Some(Discard::BadPayload)),
        ("nothing", picture(&format(SPS), 0, true, &[]), None),
        ("delimiters alone", picture(&format(SPS), 0, true, &[&[0x09, 0xF0]]), None),
        ("a record of rubbish", picture(&bad, 0, true, &[&slice(true, 9, 0)]), Some(Discard::NoParameterSets)),
        ("sound of 2 KiB", sound(0, &[0; PAYLOAD_LEN_MAX + 1]), Some(Discard::TooLong)),
    ] {
        let (mut packetizer, mut ring) = (Packetizer::new(), Ring::new(16));
        assert_eq!(packetizer.packetize(&frame, &mut ring), 0..0, "{what}");
        let dropped: Vec<_> = packetizer.discards().iter().collect();
        assert_eq!(dropped, want.map(|reason| (reason, 1)).into_iter().collect::<Vec<_>>(), "{what}");
    }
}

#[test]
fn long_parameter_sets_go_one_by_one() {
    let long: Vec<u8> = PPS.iter().copied().chain([0x55; 1_300]).collect();
    let record = Record::new(vec![SPS.to_vec().into()], vec![long.clone().into()]).unwrap();
    let format = Arc::new(Format::H264(record.format().unwrap()));
    let (mut packetizer, mut ring) = (Packetizer::new(), Ring::new(16));
    let range = packetizer.packetize(&picture(&format, 0, true, &[&slice(true, 9, 0)]), &mut ring);
    let kinds: Vec<(u8, bool)> = range
        .map(|at| ring.get(at).unwrap())
        .map(|(meta, payload)| (payload[0] & 0x1F, meta.starts_keyframe))
        .collect();
    assert_eq!(kinds, [(7, true), (28, false), (28, false), (5, false)]);
}

#[test]
fn timestamps_are_the_rooms_time() {
    for (what, clock_rate, nanos, want) in [
        ("the start", 90_000, 0, 0),
        ("a second", 90_000, 1_000_000_000, 90_000),
        ("before the start", 48_000, -20_000_000, -960),
        ("rounded down", 90_000, 33_333_333, 2_999),
        ("a day", 90_000, 86_400_000_000_000, 7_776_000_000),
    ] {
        let timestamp = rtp_timestamp(clock_rate, MediaTime(nanos));
        assert_eq!(timestamp.cast_signed() - TIMESTAMP_ZERO, want, "{what}");
    }
    assert_eq!(rtp_timestamp(90_000, MediaTime::ZERO) as u32, 0);
    for extreme in [i64::MIN, i64::MAX] {
        let _ = rtp_timestamp(u32::MAX, MediaTime(extreme));
    }
}

proptest! {
    #[test]
    fn the_library_puts_together_what_we_cut(lens in proptest::collection::vec(2_usize..5_000, 1..5), is_key in any::<bool>()) {
        let slices: Vec<Vec<u8>> = lens.iter().map(|len| slice(is_key, *len, 3)).collect();
        let frame = picture(&format(SPS), 0, is_key, &slices.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let (mut packetizer, mut ring) = (Packetizer::new(), Ring::new(64));
        let mut depacketizer = H264Packet::default();
        depacketizer.is_avc = true;
        let mut data = Vec::new();
        for at in packetizer.packetize(&frame, &mut ring) {
            let (_, payload) = ring.get(at).unwrap();
            prop_assert!(payload.len() <= PAYLOAD_LEN);
            // The library takes no unit of two bytes.
            prop_assume!(payload.len() > 2);
            data.extend(depacketizer.depacketize(&bytes::Bytes::copy_from_slice(payload)).unwrap());
        }
        let sets = if is_key { vec![SPS.to_vec(), PPS.to_vec()] } else { Vec::new() };
        prop_assert_eq!(units(&data), [sets, slices].concat());
    }
}
