//! Losses, repetitions and new beginnings, and what is asked for and reported.

use heliu_sim::Rng;
use proptest::prelude::*;

use super::*;

const TURN: u64 = 1 << 16;

#[test]
fn each_packet_is_placed_once() {
    let mut receiver = Receiver::new(90_000);
    let now = Instant::now();
    for (what, sequence, want) in [
        ("the first", 65_534, Ok(TURN + 65_534)),
        ("again", 65_534, Err(Discard::Duplicate)),
        ("over the turn", 1, Ok(2 * TURN + 1)),
        ("late", 65_535, Ok(TURN + 65_535)),
        ("late again", 65_535, Err(Discard::Duplicate)),
        ("before the first", 65_000, Ok(TURN + 65_000)),
        ("the farthest step", 3_001, Ok(2 * TURN + 3_001)),
        ("as late as may be", 954, Ok(2 * TURN + 954)),
        ("too late", 953, Err(Discard::TooLate)),
        ("far ahead", 6_002, Err(Discard::SequenceJump)),
        ("not the one behind it", 6_004, Err(Discard::SequenceJump)),
        ("back where it was", 3_002, Ok(2 * TURN + 3_002)),
        ("far ahead", 40_000, Err(Discard::TooLate)),
        ("and the one behind it", 40_001, Ok(2 * TURN + 40_001)),
        ("and on", 40_002, Ok(2 * TURN + 40_002)),
        ("the jump itself is lost", 40_000, Ok(2 * TURN + 40_000)),
    ] {
        let arrival = receiver.handle_packet(sequence, 7, now);
        assert_eq!(arrival.map(|arrival| arrival.sequence), want, "{what}");
    }
    assert_eq!((receiver.received(), receiver.discards().total()), (10, 6));
}

#[test]
fn what_is_missing_is_asked_for_until_it_comes_or_is_given_up() {
    let mut receiver = Receiver::new(90_000);
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    receiver.handle_packet(65_533, 0, at(0)).unwrap();
    assert_eq!(receiver.poll_nack(at(0)), None);
    assert_eq!(receiver.poll_timeout(), None);
    receiver.handle_packet(2, 0, at(10)).unwrap();
    assert_eq!(receiver.poll_timeout(), Some(at(10)));
    for (what, now, came, want) in [
        ("at once", 10, None, Some(&[65_534, 65_535, 0, 1][..])),
        ("not again before the answer can be there", 134, None, None),
        ("one came within 50 ms", 60, Some(0), None),
        ("the others again", 73, None, Some(&[65_534, 65_535, 1])),
        ("asked twice: nothing is measured", 74, Some(1), None),
        ("and again", 136, None, Some(&[65_534, 65_535])),
    ] {
        if let Some(sequence) = came {
            receiver.handle_packet(sequence, 0, at(now)).unwrap();
        }
        assert_eq!(receiver.poll_nack(at(now)), want, "{what}");
    }
    assert_eq!(receiver.round_trip(), Duration::from_millis(50));
    let mut tries = 3;
    for now in 137..2_000 {
        tries += u32::from(receiver.poll_nack(at(now)).is_some());
    }
    assert_eq!((tries, receiver.given_up(), receiver.poll_timeout()), (10, 2, None));
}

#[test]
fn a_second_is_long_enough() {
    let mut receiver = Receiver::new(90_000);
    let start = Instant::now();
    receiver.handle_packet(1, 0, start).unwrap();
    receiver.handle_packet(3, 0, start).unwrap();
    assert_eq!(receiver.poll_nack(start + Duration::from_millis(999)), Some(&[2][..]));
    assert_eq!(receiver.poll_nack(start + Duration::from_secs(2)), None);
    assert_eq!(receiver.given_up(), 1);
}

#[test]
fn a_storm_of_losses_is_bounded() {
    let mut receiver = Receiver::new(90_000);
    let now = Instant::now();
    for n in 0..20_u16 {
        receiver.handle_packet(n.wrapping_mul(3_000), 0, now).unwrap();
    }
    assert_eq!(receiver.given_up(), 19 * 2_999 - 512);
    let mut asked = 0;
    while let Some(sequences) = receiver.poll_nack(now) {
        assert!(sequences.len() <= 128);
        asked += sequences.len();
    }
    assert_eq!(asked, 512);
}

#[test]
fn a_report_tells_of_losses_since_the_last_and_in_all() {
    let mut receiver = Receiver::new(90_000);
    let start = Instant::now();
    assert_eq!(receiver.report(9, start), None);
    for sequence in [65_535, 0, 1, 3, 4, 5, 6] {
        receiver.handle_packet(sequence, 0, start).unwrap();
    }
    receiver.handle_sender_report(0x1234_5678_9ABC_DEF0, start);
    let first = receiver.report(9, start + Duration::from_millis(1_500)).unwrap();
    let want = ReportBlock {
        ssrc: 9,
        fraction_lost: 32,
        lost: 1,
        highest: 0x1_0006,
        jitter: 0,
        last_report: 0x5678_9ABC,
        delay_since: 3 << 15,
    };
    assert_eq!(first, want);
    let second = receiver.report(9, start).unwrap();
    assert_eq!((second.fraction_lost, second.lost), (0, 1), "nothing since");
    receiver.handle_packet(2, 0, start).unwrap();
    receiver.handle_packet(8, 0, start).unwrap();
    receiver.handle_packet(9, 0, start).unwrap();
    let third = receiver.report(9, start).unwrap();
    assert_eq!((third.fraction_lost, third.lost), (0, 1), "as many late as lost");
}

#[test]
fn jitter_is_the_mean_deviation() {
    for (what, deviation_ms, want) in [("even", 0, 0..=0), ("ten milliseconds to and fro", 10, 850..=900)] {
        let mut receiver = Receiver::new(90_000);
        let start = Instant::now();
        for n in 0..200_u32 {
            let late = if n % 2 == 0 { 0 } else { deviation_ms };
            let now = start + Duration::from_millis(u64::from(n * 20 + late));
            receiver.handle_packet(n as u16, n.wrapping_mul(1_800).wrapping_sub(90_000), now).unwrap();
        }
        let jitter = receiver.report(1, start).unwrap().jitter;
        assert!(want.contains(&jitter), "{what}: {jitter}");
    }
}

proptest! {
    #[test]
    fn what_is_asked_for_is_what_has_not_come(seed in any::<u64>(), first in any::<u16>()) {
        let mut rng = Rng::new(seed);
        let mut receiver = Receiver::new(48_000);
        let now = Instant::now();
        let mut lost = Vec::new();
        receiver.handle_packet(first, 0, now).unwrap();
        for n in 1..300_u16 {
            if rng.chance(0.2) && n != 299 {
                lost.push(first.wrapping_add(n));
            } else {
                receiver.handle_packet(first.wrapping_add(n), 0, now).unwrap();
            }
        }
        let mut asked = Vec::new();
        while let Some(sequences) = receiver.poll_nack(now) {
            asked.extend_from_slice(sequences);
        }
        prop_assert_eq!(asked, lost.clone());
        for sequence in &lost {
            receiver.handle_packet(*sequence, 0, now).unwrap();
        }
        prop_assert_eq!(receiver.poll_timeout(), None);
        let block = receiver.report(1, now).unwrap();
        prop_assert_eq!((block.lost, block.fraction_lost, receiver.received()), (0, 0, 300));
    }

    #[test]
    fn arbitrary_numbers_never_panic(packets in proptest::collection::vec(any::<(u16, u32, u16)>(), 0..300), clock_rate in any::<u32>()) {
        let mut receiver = Receiver::new(clock_rate);
        let mut now = Instant::now();
        let mut places = std::collections::BTreeSet::new();
        for (sequence, timestamp, millis) in packets {
            now += Duration::from_millis(u64::from(millis >> 8));
            if let Ok(arrival) = receiver.handle_packet(sequence, timestamp, now) {
                prop_assert_eq!((arrival.sequence as u16, arrival.timestamp as u32), (sequence, timestamp));
                prop_assert!(places.insert(arrival.sequence), "twice");
            }
            receiver.poll_nack(now);
            receiver.report(1, now);
        }
    }
}
