//! What is told of arrivals, and whether the library reads it.

use proptest::prelude::*;
use rtc_rtcp::transport_feedbacks::transport_layer_cc::{PacketStatusChunk, SymbolTypeTcc, TransportLayerCc};
use rtc_shared::marshal::Unmarshal;

use super::*;
use crate::rtcp::{Rtcp, parse};

#[test]
fn feedback_is_due_a_tenth_of_a_second_after_the_last() {
    let mut recorder = TwccRecorder::new();
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    let mut out = Vec::new();
    assert_eq!((recorder.poll(at(0), 1, 2, &mut out), recorder.poll_timeout()), (false, None));
    recorder.note(7, at(0));
    for (what, now, noted, want) in [
        ("too early", 99, None, false),
        ("due", 100, None, true),
        ("nothing to tell", 250, None, false),
        ("more", 250, Some(8), true),
        ("too early again", 349, Some(9), false),
        ("due again", 350, None, true),
        ("told already", 500, Some(9), false),
    ] {
        if let Some(sequence) = noted {
            recorder.note(sequence, at(now));
        }
        assert_eq!(recorder.poll(at(now), 1, 2, &mut out), want, "{what}");
        assert!(!recorder.poll(at(now), 1, 2, &mut out), "{what}");
    }
    let numbers: Vec<u8> = feedbacks(&out).into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, [0, 1, 2]);
}

#[test]
fn times_are_told_as_they_were() {
    let start = Instant::now();
    for (what, packets) in [
        ("over the turn, one missing", vec![(65_534, 0), (65_535, 1), (1, 3)]),
        ("a flood", (0..1_000).map(|n| (n, u64::from(n) / 50)).collect()),
        ("overtaken", vec![(1, 0), (3, 10), (2, 20)]),
        ("half a second", vec![(1, 0), (2, 500)]),
        ("a minute", vec![(1, 0), (2, 60_000), (3, 60_001)]),
        ("many missing", vec![(1, 0), (4_000, 1)]),
        ("more missing than are told", vec![(1, 0), (6_000, 1)]),
    ] {
        let mut recorder = TwccRecorder::new();
        packets.iter().for_each(|(sequence, millis)| recorder.note(*sequence, start + Duration::from_millis(*millis)));
        let told = told(&mut recorder, start + Duration::from_secs(100));
        let mut want: Vec<(u16, i64)> =
            packets.iter().map(|(sequence, millis)| (*sequence, *millis as i64 * 4)).collect();
        want.sort_by_key(|(sequence, _)| sequence.wrapping_sub(packets[0].0));
        if what == "more missing than are told" {
            want.remove(0);
        }
        assert_eq!(told, want, "{what}");
    }
}

#[test]
fn who_jumps_about_fills_no_memory() {
    let mut recorder = TwccRecorder::new();
    let start = Instant::now();
    for n in 0..1_000_u16 {
        recorder.note(n.wrapping_mul(30_011), start);
        assert!(recorder.pending.len() <= PENDING_MAX);
    }
}

proptest! {
    #[test]
    fn the_library_reads_the_same(steps in proptest::collection::vec((1_u16..40, 0_u64..20_000), 1..500), first in any::<u16>()) {
        let mut recorder = TwccRecorder::new();
        let start = Instant::now();
        let (mut sequence, mut micros) = (first, 0);
        let (mut want, mut zero) = (Vec::new(), None);
        for (step, pause) in steps {
            // Mostly the next one.
            sequence = sequence.wrapping_add(if step > 30 { step - 30 } else { 1 });
            micros += if pause > 19_900 { pause * 5_000 } else { pause };
            recorder.note(sequence, start + Duration::from_micros(micros));
            let zero = *zero.get_or_insert(micros);
            want.push((sequence, ((micros - zero) / 250) as i64));
        }
        let mut out = Vec::new();
        while recorder.poll(start + Duration::from_secs(1_000_000), 1, 2, &mut out) {}
        let read: Vec<(u16, i64)> = feedbacks(&out).into_iter().flat_map(|(_, packets)| packets).collect();
        prop_assert_eq!(&read, &want);
        prop_assert_eq!(of_the_library(&out), want);
    }

    #[test]
    fn arbitrary_numbers_never_panic(packets in proptest::collection::vec(any::<(u16, u32)>(), 0..200)) {
        let mut recorder = TwccRecorder::new();
        let start = Instant::now();
        for (sequence, millis) in packets {
            let now = start + Duration::from_millis(u64::from(millis));
            recorder.note(sequence, now);
            let mut out = Vec::new();
            while recorder.poll(now, 1, 2, &mut out) {
                prop_assert!(out.len() < 1_200);
                prop_assert!(parse(&out).all(|packet| packet.is_ok()));
                out.clear();
            }
        }
    }
}

fn told(recorder: &mut TwccRecorder, now: Instant) -> Vec<(u16, i64)> {
    let mut out = Vec::new();
    let mut told = Vec::new();
    while recorder.poll(now, 1, 2, &mut out) {
        told.extend(feedbacks(&out).into_iter().flat_map(|(_, packets)| packets));
        out.clear();
    }
    told
}

/// The number of each feedback, and which packets came when.
fn feedbacks(mut bytes: &[u8]) -> Vec<(u8, Vec<(u16, i64)>)> {
    let mut all = Vec::new();
    // One by one: several are longer than a datagram.
    while !bytes.is_empty() {
        let len = 4 + 4 * usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        let Some(Ok(Rtcp::Twcc { sender_ssrc: 1, media_ssrc: 2, feedback })) = parse(&bytes[..len]).next() else {
            panic!()
        };
        let reference = i64::from(feedback.reference) * REFERENCE_TICKS;
        assert_eq!(feedback.packets().count(), usize::from(feedback.count));
        let came = feedback.packets().filter_map(|(number, ticks)| ticks.map(|ticks| (number, reference + ticks)));
        all.push((feedback.number, came.collect()));
        bytes = &bytes[len..];
    }
    all
}

fn of_the_library(mut bytes: &[u8]) -> Vec<(u16, i64)> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (one, rest) = bytes.split_at(4 + 4 * usize::from(u16::from_be_bytes([bytes[2], bytes[3]])));
        bytes = rest;
        let feedback = TransportLayerCc::unmarshal(&mut &one[..]).unwrap();
        let symbols = feedback.packet_chunks.iter().flat_map(|chunk| match chunk {
            PacketStatusChunk::RunLengthChunk(run) => vec![run.packet_status_symbol; usize::from(run.run_length)],
            PacketStatusChunk::StatusVectorChunk(vector) => vector.symbol_list.clone(),
        });
        let mut deltas = feedback.recv_deltas.iter();
        let mut at = i64::from(feedback.reference_time) * REFERENCE_TICKS;
        for (n, symbol) in (0..feedback.packet_status_count).zip(symbols) {
            if symbol != SymbolTypeTcc::PacketNotReceived {
                at += deltas.next().unwrap().delta / 250;
                all.push((feedback.base_sequence_number.wrapping_add(n), at));
            }
        }
    }
    all
}
