//! H.264 payloads in order, each with a length, a marker and a step of time before it. Whatever frames
//! come of them come of their packets again.

use bytes::Bytes;
use heliu_container::avc::{LengthSize, NAL_IDR, NAL_PPS, NAL_SPS, NALS_MAX, Record, nal_type, nals};
use heliu_model::{Format, Frame, MediaTime};
use heliu_rtp::{FrameAssembler, Meta, PAYLOAD_LEN_MAX, Packetizer, Ring, SenderClock, WAIT_DEFAULT};

use crate::script::Script;

const MILLI_TICKS: u64 = 90;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let sets = [script.sized(), script.sized()].map(Bytes::copy_from_slice);
    let mut packets = Vec::new();
    let (mut timestamp, mut sequence) = (1_u64 << 32, 0);
    while !script.is_empty() {
        let (flags, payload) = (script.byte(), script.sized());
        timestamp += u64::from(flags >> 1) * MILLI_TICKS;
        sequence += 1;
        let meta = Meta { sequence, timestamp, marker: flags & 1 != 0, ..Meta::default() };
        packets.push((meta, payload[..payload.len().min(PAYLOAD_LEN_MAX)].to_vec()));
    }
    let frames = assemble(&sets, &packets);
    let len: usize = packets.iter().map(|(_, payload)| payload.len()).sum();
    // A unit of an aggregation has two bytes of length, a frame's four.
    assert!(frames.iter().map(|frame| frame.data.len()).sum::<usize>() <= 3 * len, "nothing grows");
    assert!(frames.first().is_none_or(|frame| frame.is_key), "a keyframe comes first");
    frames.iter().for_each(check);
    check_again(&frames);
}

fn check(frame: &Frame) {
    let units: Vec<&[u8]> = nals(&frame.data, LengthSize::Four).collect::<Result<_, _>>().expect("lengths add up");
    let kinds: Vec<u8> = units.iter().map(|unit| nal_type(unit)).collect();
    assert!(!units.is_empty() && units.len() <= NALS_MAX);
    assert!(!kinds.contains(&NAL_SPS) && !kinds.contains(&NAL_PPS), "sets live in the format");
    assert_eq!(frame.is_key, kinds.contains(&NAL_IDR));
    let Format::H264(format) = &*frame.format else { panic!("H.264 it is") };
    let record = Record::parse(&format.record).expect("a record of ours");
    assert!(!record.sps().is_empty() && !record.pps().is_empty());
}

/// Packets of the frames become the same frames, but for units that are not sent on.
fn check_again(frames: &[Frame]) {
    let (mut packetizer, mut ring) = (Packetizer::new(), Ring::new(64));
    let mut packets = Vec::new();
    for frame in frames {
        for at in packetizer.packetize(frame, &mut ring) {
            let Some((meta, payload)) = ring.get(at) else { return };
            packets.push((*meta, payload.to_vec()));
        }
    }
    let again = assemble(&[], &packets);
    assert!(again.len() <= frames.len());
    for frame in &again {
        check(frame);
        assert!(frames.iter().any(|other| carried(other) == carried(frame)), "out of nothing");
    }
}

/// The slices of a frame.
fn carried(frame: &Frame) -> Vec<&[u8]> {
    nals(&frame.data, LengthSize::Four).map_while(Result::ok).filter(|nal| (1..=5).contains(&nal_type(nal))).collect()
}

fn assemble(sets: &[Bytes], packets: &[(Meta, Vec<u8>)]) -> Vec<Frame> {
    let (mut assembler, mut clock) = (FrameAssembler::h264(sets, WAIT_DEFAULT), SenderClock::new());
    let mut frames: Vec<Frame> = Vec::new();
    for (meta, payload) in packets {
        assembler.handle_packet(meta, payload, MediaTime::ZERO);
        while let Some(frame) = assembler.poll_frame(&mut clock) {
            assert!(frame.pts >= frame.dts && frames.last().is_none_or(|last| frame.dts > last.dts));
            frames.push(frame);
        }
    }
    frames
}
