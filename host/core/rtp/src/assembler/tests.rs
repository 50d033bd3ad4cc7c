//! Packets on a bad way, and what frames become of them.

use heliu_container::avc::from_nals;
use heliu_sim::{Link, Rng};
use proptest::prelude::*;
use rtp::codec::h264::H264Payloader;
use rtp::packetizer::Payloader as _;

use super::*;
use crate::samples::{PPS, SPS, SPS_BASELINE, flv_frames, format, picture, slice, sound, units};
use crate::{Discard, Packetizer, Ring};

const STAP: &[u8] = &[
    0x78, 0, 24, 0x67, 0x42, 0xC0, 0x0D, 0xD9, 0x01, 0x41, 0xFB, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00,
    0x03, 0x03, 0x20, 0xF1, 0x42, 0xA4, 0x80, 0, 6, 0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0,
];
const IDR: &[u8] = &[0x65, 0x88, 1];
const DELTA: &[u8] = &[0x41, 0x9A, 2];

#[test]
fn pictures_come_out_as_they_went_in() {
    let format = format(SPS_BASELINE);
    let frames: Vec<Frame> = (0..10)
        .map(|n| picture(&format, n * 40, n % 5 == 0, &[&slice(n % 5 == 0, 2_500, 7), &[0x41, 0x40, 9]]))
        .collect();
    let out = assembled(&packets(&frames), Duration::ZERO);
    assert_eq!(
        out.iter().map(|frame| &frame.data).collect::<Vec<_>>(),
        frames.iter().map(|frame| &frame.data).collect::<Vec<_>>()
    );
    assert!(out.iter().zip(&frames).all(|(out, frame)| out.format == frame.format && out.is_key == frame.is_key));
    assert!(out.iter().zip(&frames).all(|(out, frame)| out.pts == frame.pts && out.dts == frame.dts));
}

#[test]
fn a_picture_ends_where_it_ends() {
    let first = [(1, false, STAP), (1, false, IDR)];
    for (what, more, want) in [
        ("no marker: at the next timestamp", &[(2, false, DELTA), (3, true, DELTA)][..], &[IDR, DELTA, DELTA][..]),
        ("a marker", &[(1, true, &[0x65, 0x40][..]), (2, true, DELTA)], &[&[0x65, 0x88, 1, 0x65, 0x40], DELTA]),
        ("sets alone are none", &[(2, true, STAP), (3, true, DELTA)], &[IDR, DELTA]),
        ("the same timestamp behind a marker", &[(2, true, DELTA), (2, true, DELTA)], &[IDR, DELTA, DELTA]),
        ("a timestamp that goes back", &[(2, true, DELTA), (1, true, DELTA)], &[IDR, DELTA, DELTA]),
    ] {
        let frames = played(&[&first[..], more].concat()).0;
        let data: Vec<Vec<u8>> = frames.iter().map(|frame| units(&frame.data).concat()).collect();
        assert_eq!(data, want, "{what}");
        assert!(frames.windows(2).all(|pair| pair[1].dts > pair[0].dts), "{what}");
    }
}

#[test]
fn what_a_sender_gets_wrong_costs_its_picture_and_those_that_refer_to_it() {
    let nested = [0x78, 0, 3, 0x78, 0, 0];
    for (what, payloads, want) in [
        ("a lone fragment", &[&[0x7C, 0x05, 1][..]][..], Discard::LoneFragment),
        ("a lone end", &[&[0x7C, 0x45, 1]], Discard::LoneFragment),
        ("a fragment that never ends", &[&[0x7C, 0x85, 1], &[0x7C, 0x05, 1]], Discard::Incomplete),
        ("one that begins twice", &[&[0x7C, 0x85, 1], &[0x7C, 0x85, 1]], Discard::Incomplete),
        ("one with something between", &[&[0x7C, 0x85, 1], DELTA, &[0x7C, 0x45, 1]], Discard::Incomplete),
        ("one that goes on as another", &[&[0x7C, 0x85, 1], &[0x7C, 0x41, 1]], Discard::LoneFragment),
        ("a fragment without its header", &[&[0x7C]], Discard::BadPayload),
        ("a fragment of an aggregation", &[&[0x7C, 0x98, 1]], Discard::BadPayload),
        ("a length that lies", &[&[0x78, 0, 9, 0x41]], Discard::BadPayload),
        ("half a length", &[&[0x78, 0, 3, 0x41, 0x9A, 2, 0]], Discard::BadPayload),
        ("an aggregation in another", &[&nested], Discard::BadPayload),
        ("STAP-B", &[&[0x79, 0, 0, 0]], Discard::Mode),
        ("MTAP", &[&[0x7A, 0, 0, 0]], Discard::Mode),
        ("FU-B", &[&[0x7D, 0x81, 0, 0, 1]], Discard::Mode),
    ] {
        let bad = payloads.iter().map(|payload| (2, false, *payload));
        let after = [(3, true, DELTA), (4, false, STAP), (4, true, IDR), (5, true, DELTA)];
        let packets: Vec<_> = [(1, false, STAP), (1, true, IDR)].into_iter().chain(bad).chain(after).collect();
        let (frames, stats) = played(&packets);
        let seen: Vec<u8> = frames.iter().map(|frame| frame.data[4]).collect();
        assert_eq!(seen, [0x65, 0x65, 0x41], "{what}");
        assert_eq!(stats.discards.iter().collect::<Vec<_>>(), sorted([(want, 1), (Discard::NoKeyframe, 1)]), "{what}");
    }
}

#[test]
fn what_means_nothing_is_left_out() {
    for (what, payload) in [
        ("nothing", &[][..]),
        ("an empty aggregation", &[0x78]),
        ("empty units", &[0x78, 0, 0, 0, 0]),
        ("a delimiter", &[0x09, 0xF0]),
        ("filler", &[0x0C, 0xFF]),
        ("the end of a sequence", &[0x0A]),
        ("the end of a stream", &[0x0B]),
        ("an unspecified type", &[0x00, 1]),
        ("a type for extensions", &[0x7E, 1]),
    ] {
        let (frames, stats) = played(&[(1, false, STAP), (1, false, payload), (1, false, IDR), (1, true, payload)]);
        assert_eq!(frames.iter().map(|frame| units(&frame.data)).collect::<Vec<_>>(), [[IDR]], "{what}");
        assert_eq!(stats.discards.total(), 0, "{what}");
    }
}

#[test]
fn nothing_is_shown_before_a_keyframe_with_its_sets() {
    for (what, packets, want) in [
        ("a delta", &[(1, true, DELTA)][..], Some(Discard::NoKeyframe)),
        ("an IDR without sets", &[(1, true, IDR)], Some(Discard::NoParameterSets)),
        ("an IDR without a PPS", &[(1, false, SPS), (1, true, IDR)], Some(Discard::NoParameterSets)),
        ("an IDR without its first slice", &[(1, false, STAP), (1, true, &[0x65, 0x40])], Some(Discard::Incomplete)),
        (
            "sets of rubbish",
            &[(1, false, &[0x67, 1, 2, 3]), (1, false, PPS), (1, true, IDR)],
            Some(Discard::NoParameterSets),
        ),
        ("sets in pieces", &[(1, true, SPS_BASELINE), (1, true, PPS), (1, true, IDR)], None),
    ] {
        let (frames, stats) = played(packets);
        assert_eq!(frames.is_empty(), want.is_some(), "{what}");
        assert_eq!(
            stats.discards.iter().map(|(reason, _)| reason).collect::<Vec<_>>(),
            want.into_iter().collect::<Vec<_>>(),
            "{what}"
        );
    }
}

#[test]
fn sets_of_the_description_serve_until_others_come() {
    let sets = [SPS, PPS].map(Bytes::copy_from_slice);
    let mut assembler = FrameAssembler::h264(&sets, WAIT_DEFAULT);
    let mut clock = SenderClock::new();
    let mut play = |sequence, timestamp, payload: &[u8]| {
        let meta = Meta { sequence, timestamp, marker: true, ..Meta::default() };
        assembler.handle_packet(&meta, payload, MediaTime::ZERO);
        assembler.poll_frame(&mut clock).map(|frame| frame.format)
    };
    assert_eq!(play(1, 1, IDR), Some(format(SPS)));
    assert_eq!(play(2, 2, STAP), None);
    assert_eq!(play(3, 2, IDR), Some(format(SPS_BASELINE)));
    let rubbish = FrameAssembler::h264(&[Bytes::new(), Bytes::from_static(&[0x67, 1])], WAIT_DEFAULT);
    assert!(rubbish.poll_keyframe_wanted());
}

#[test]
fn a_gap_is_waited_for_and_then_costs_pictures_up_to_the_next_keyframe() {
    let format = format(SPS_BASELINE);
    let frames: Vec<Frame> =
        (0..8).map(|n| picture(&format, n * 40, n == 0 || n == 6, &[&slice(n == 0 || n == 6, 2_000, 1)])).collect();
    let packets = packets(&frames);
    let lost = packets.iter().position(|(meta, _)| meta.timestamp != packets[0].0.timestamp).unwrap();
    for (what, comes_after, shown, gaps) in
        [("in time", Some(150), vec![0, 40, 80, 120, 160, 200, 240, 280], 0), ("never", None, vec![0, 240, 280], 1)]
    {
        let mut assembler = FrameAssembler::h264(&[], WAIT_DEFAULT);
        let mut clock = SenderClock::new();
        let mut out = Vec::new();
        for (at, (meta, payload)) in packets.iter().enumerate() {
            let now = sent(meta);
            if at != lost {
                assembler.handle_packet(meta, payload, now);
            }
            if comes_after.is_some_and(|after| now == sent(&packets[lost].0) + Duration::from_millis(after / 40 * 40)) {
                let (meta, payload) = &packets[lost];
                assembler.handle_packet(meta, payload, now);
            }
            while let Some(frame) = assembler.poll_frame(&mut clock) {
                assert!(!assembler.poll_keyframe_wanted());
                out.push(frame.pts.as_millis());
            }
        }
        assert_eq!(out, shown, "{what}");
        assert_eq!(assembler.stats().gaps, gaps, "{what}");
        assert_eq!(assembler.poll_timeout(), None, "{what}");
    }
}

#[test]
fn a_gap_at_the_end_is_over_when_its_time_is() {
    let mut assembler = FrameAssembler::opus(2, Duration::from_millis(100));
    let mut clock = SenderClock::new();
    let play = |assembler: &mut FrameAssembler, sequence: u64, now: i64| {
        let meta = Meta { sequence, timestamp: sequence * 960, ..Meta::default() };
        assembler.handle_packet(&meta, b"sound", MediaTime::from_millis(now));
    };
    play(&mut assembler, 5, 0);
    play(&mut assembler, 7, 40);
    play(&mut assembler, 8, 60);
    assert!(assembler.poll_frame(&mut clock).is_some());
    assert!(assembler.poll_frame(&mut clock).is_none());
    assert_eq!(assembler.poll_timeout(), Some(MediaTime::from_millis(140)));
    assembler.handle_timeout(MediaTime::from_millis(139));
    assert!(assembler.poll_frame(&mut clock).is_none());
    assembler.handle_timeout(MediaTime::from_millis(140));
    let out: Vec<i64> =
        std::iter::from_fn(|| assembler.poll_frame(&mut clock)).map(|frame| frame.pts.as_millis()).collect();
    assert_eq!(out, [40, 60], "sound keeps its place");
    play(&mut assembler, 6, 141);
    play(&mut assembler, 8, 142);
    assert_eq!(assembler.stats().discards.of(Discard::TooLate), 2);
    assert!(!assembler.poll_keyframe_wanted());
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let mut assembler = FrameAssembler::h264(&[], WAIT_DEFAULT);
    let mut clock = SenderClock::new();
    let fragment = [&[0x7C, 0x01][..], &[9; 1_400]].concat();
    for sequence in 0..5_000 {
        let meta = Meta { sequence, timestamp: 1, ..Meta::default() };
        let first = [0x7C, 0x81];
        assembler.handle_packet(&meta, if sequence == 0 { &first } else { &fragment }, MediaTime::ZERO);
    }
    let end = Meta { sequence: 5_000, timestamp: 1, marker: true, ..Meta::default() };
    assembler.handle_packet(&end, &[0x7C, 0x41], MediaTime::ZERO);
    assert_eq!(assembler.stats().discards.iter().collect::<Vec<_>>(), [(Discard::TooLarge, 1)]);

    for (what, step, count) in [("every second", 2, 2_000), ("far ahead", 5_000, 10)] {
        let gaps = assembler.stats().gaps;
        for n in 0..count {
            let meta = Meta { sequence: 100_000 * step + n * step, timestamp: 1, ..Meta::default() };
            assembler.handle_packet(&meta, DELTA, MediaTime::ZERO);
        }
        assert!(assembler.stats().gaps > gaps + 5, "{what}");
    }
    assert!(assembler.poll_frame(&mut clock).is_none());
}

#[test]
fn many_units_and_many_sets_are_too_many() {
    for (what, unit) in [("slices", DELTA), ("sets", PPS)] {
        let packets = vec![(1, false, unit); 3_000];
        let (frames, stats) = played(&[&packets[..], &[(2, true, DELTA)]].concat());
        assert!(frames.is_empty());
        assert_eq!(stats.discards.of(Discard::TooLarge), 1, "{what}");
    }
}

#[test]
fn real_b_pictures_get_decoding_times() {
    let frames = flv_frames(include_bytes!("../../../../codec/fixtures/b_pictures.flv"));
    assert!(frames.iter().any(|frame| frame.pts > frame.dts + Duration::from_millis(100)));
    let out = assembled(&packets(&frames), Duration::ZERO);
    assert_eq!(out.len(), frames.len());
    for (out, frame) in out.iter().zip(&frames) {
        let late = out.pts.0 - (frame.pts.0 - frames[0].pts.0);
        assert!(late.abs() < 20_000, "within a unit of 90 kHz: {late}");
        assert!(out.pts >= out.dts && out.data == frame.data);
    }
    let steps: Vec<i64> = out.windows(2).map(|pair| (pair[1].dts.0 - pair[0].dts.0 + 500_000) / 1_000_000).collect();
    assert!(steps[3..].iter().all(|step| *step == 40), "as evenly as they are shown: {steps:?}");
}

#[test]
fn the_librarys_packets_are_read() {
    let annex_b: Vec<u8> =
        [SPS_BASELINE, PPS, &slice(true, 4_000, 5)].iter().flat_map(|nal| [&[0, 0, 0, 1][..], nal].concat()).collect();
    let payloads = H264Payloader::default().payload(1_200, &annex_b.into()).unwrap();
    let last = payloads.len() - 1;
    let packets: Vec<_> = payloads.iter().enumerate().map(|(at, payload)| (1, at == last, &payload[..])).collect();
    let (frames, _) = played(&packets);
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].data, from_nals(&[&slice(true, 4_000, 5)]));
    assert_eq!(frames[0].format, format(SPS_BASELINE));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_arrives_in_time_comes_out(seed in any::<u64>(), lens in proptest::collection::vec(2_usize..6_000, 1..40), loss in 0_u8..3) {
        let format = format(SPS_BASELINE);
        let frames: Vec<Frame> =
            (0..).zip(&lens).map(|(n, len)| picture(&format, n * 40, n % 7 == 0, &[&slice(n % 7 == 0, 4 + *len, n as u8)])).collect();
        let packets = packets(&frames);
        let (out, arrived) = over_a_bad_way(&packets, f64::from(loss) / 20.0, seed);
        let whole = shown_of(&frames, &packets, &arrived);
        let numbers: Vec<usize> = out.iter().map(|out| frames.iter().position(|frame| frame.data == out.data).unwrap()).collect();
        prop_assert_eq!(numbers, whole);
        prop_assert!(out.windows(2).all(|pair| pair[1].dts > pair[0].dts));
    }

    #[test]
    fn sound_comes_out_as_it_arrived(seed in any::<u64>(), count in 1_u8..60, loss in 0_u8..5) {
        let frames: Vec<Frame> = (0..count).map(|n| sound(i64::from(n) * 20, &[n, 1, 2])).collect();
        let packets = packets(&frames);
        let (out, arrived) = over_a_bad_way(&packets, f64::from(loss) / 20.0, seed);
        let want: Vec<Bytes> = arrived.iter().map(|at| frames[*at].data.clone()).collect();
        prop_assert_eq!(out.iter().map(|frame| frame.data.clone()).collect::<Vec<_>>(), want);
    }

    #[test]
    fn arbitrary_packets_never_panic(packets in proptest::collection::vec((any::<(u16, u16, bool, u16)>(), proptest::collection::vec(any::<u8>(), 0..20), 0_u8..32), 0..100)) {
        for mut assembler in [FrameAssembler::h264(&[SPS, PPS].map(Bytes::copy_from_slice), WAIT_DEFAULT), FrameAssembler::opus(1, WAIT_DEFAULT)] {
            let mut clock = SenderClock::new();
            let mut now = MediaTime::ZERO;
            let mut last = None;
            for ((sequence, timestamp, marker, passed), payload, kind) in &packets {
                now = now + Duration::from_millis(u64::from(*passed) >> 6);
                let meta = Meta { sequence: u64::from(sequence >> 8), timestamp: u64::from(*timestamp) << 4, marker: *marker, ..Meta::default() };
                assembler.handle_packet(&meta, &[&[0x60 | kind][..], payload].concat(), now);
                assembler.handle_timeout(now);
                while let Some(frame) = assembler.poll_frame(&mut clock) {
                    prop_assert!(frame.pts >= frame.dts && last.is_none_or(|last| frame.dts > last));
                    last = Some(frame.dts);
                }
            }
        }
    }
}

type Packets = Vec<(Meta, Vec<u8>)>;

fn packets(frames: &[Frame]) -> Packets {
    let (mut packetizer, mut ring) = (Packetizer::new(), Ring::new(2_000));
    let indices = frames.iter().flat_map(|frame| packetizer.packetize(frame, &mut ring)).collect::<Vec<_>>();
    indices.into_iter().map(|at| ring.get(at).unwrap()).map(|(meta, payload)| (*meta, payload.to_vec())).collect()
}

fn assembled(packets: &Packets, wait: Duration) -> Vec<Frame> {
    let (mut assembler, mut clock) = (FrameAssembler::h264(&[], wait), SenderClock::new());
    let mut out = Vec::new();
    let first = packets[0].0;
    for (meta, payload) in packets {
        let passed = (meta.timestamp - first.timestamp.min(meta.timestamp)) * 1_000_000 / 90;
        assembler.handle_packet(meta, payload, MediaTime(i64::try_from(passed).unwrap()));
        out.extend(std::iter::from_fn(|| assembler.poll_frame(&mut clock)));
    }
    out
}

/// Timestamp in steps of 40 ms, marker and payload of each packet.
fn played(packets: &[(u64, bool, &[u8])]) -> (Vec<Frame>, AssemblerStats) {
    let (mut assembler, mut clock) = (FrameAssembler::h264(&[], WAIT_DEFAULT), SenderClock::new());
    let mut frames = Vec::new();
    for (sequence, (timestamp, marker, payload)) in (0..).zip(packets) {
        let meta = Meta { sequence, timestamp: timestamp * 3_600, marker: *marker, ..Meta::default() };
        assembler.handle_packet(&meta, payload, MediaTime::from_millis(*timestamp as i64 * 40));
        frames.extend(std::iter::from_fn(|| assembler.poll_frame(&mut clock)));
    }
    (frames, assembler.stats())
}

/// Sends packets at their time over a link that loses, repeats and turns them; all that comes comes
/// within the wait. Returns the frames and which packets arrived.
fn over_a_bad_way(packets: &Packets, loss: f64, seed: u64) -> (Vec<Frame>, Vec<usize>) {
    let mut link = Link::new(Duration::from_millis(30), seed).jitter(Duration::from_millis(60)).overtaking();
    let mut rng = Rng::new(seed);
    let is_sound = packets[0].0.starts_keyframe && !packets[0].0.marker && packets[0].1.len() == 3;
    let mut arrived = Vec::new();
    for (at, (meta, _)) in packets.iter().enumerate() {
        // The first packet says where the numbers begin.
        if at > 0 && rng.chance(loss) {
            continue;
        }
        let sent = if is_sound { MediaTime::from_millis((meta.timestamp as i64 - (1 << 50)) / 48) } else { sent(meta) };
        arrived.push(at);
        link.send(at, sent);
        if at == 0 {
            link.hold(MediaTime::ZERO);
        }
        if rng.chance(0.1) {
            link.send(at, sent);
        }
    }
    let mut assembler =
        if is_sound { FrameAssembler::opus(2, WAIT_DEFAULT) } else { FrameAssembler::h264(&[], WAIT_DEFAULT) };
    let (mut clock, mut frames) = (SenderClock::new(), Vec::new());
    assembler.handle_packet(&packets[0].0, &packets[0].1, MediaTime::ZERO);
    while let Some(now) = link.poll_timeout() {
        while let Some(at) = link.poll(now) {
            assembler.handle_packet(&packets[at].0, &packets[at].1, now);
        }
        assembler.handle_timeout(now);
        frames.extend(std::iter::from_fn(|| assembler.poll_frame(&mut clock)));
    }
    assembler.handle_timeout(MediaTime(i64::MAX));
    frames.extend(std::iter::from_fn(|| assembler.poll_frame(&mut clock)));
    (frames, arrived)
}

/// What may be shown of frames when only these packets arrived.
fn shown_of(frames: &[Frame], packets: &Packets, arrived: &[usize]) -> Vec<usize> {
    let mut is_broken = false;
    let mut shown = Vec::new();
    for (number, frame) in frames.iter().enumerate() {
        let timestamp = crate::rtp_timestamp(90_000, frame.pts);
        let mut own = (0..packets.len()).filter(|at| packets[*at].0.timestamp == timestamp);
        let is_whole = own.all(|at| arrived.binary_search(&at).is_ok());
        is_broken = !is_whole || is_broken && !frame.is_key;
        if !is_broken {
            shown.push(number);
        }
    }
    shown
}

fn sent(meta: &Meta) -> MediaTime {
    MediaTime::from_millis((meta.timestamp as i64 - (1 << 50)) / 90)
}

fn sorted<const N: usize>(mut counts: [(Discard, u64); N]) -> Vec<(Discard, u64)> {
    counts.sort_unstable();
    counts.to_vec()
}
