//! Publishers whose clocks are wrong, on ways that shake, and where their media lands.

use std::time::Duration;

use Kind::{Audio, Video};
use heliu_sim::{Drift, Rng};
use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

#[test]
fn media_stays_beside_its_arrival_whatever_the_clocks_rate() {
    for (what, ppm, reports) in [
        ("right", 0, true),
        ("fast", 500, true),
        ("slow", -500, true),
        ("fast, without reports", 500, false),
        ("slow, without reports", -500, false),
    ] {
        let mut publisher = Publisher { ppm, reports, ..Publisher::default() };
        publisher.run(HOUR, |at, kind, Placed { late, apart, .. }| {
            // The way takes 20 ms and up to 10 more; what is mapped lies where the earliest comes.
            let most = if at < 10_000 || !reports && kind == Video { 45 } else { 30 };
            assert!((-15..=most).contains(&late), "{what}: {kind:?} at {at} ms is {late} ms late");
            assert!(!reports || at < 10_000 || apart.abs() <= 2, "{what}: {apart} ms apart at {at} ms");
        });
        assert_eq!(publisher.clock.stats(), ClockStats::default(), "{what}");
    }
}

#[test]
fn pictures_are_brought_to_their_sound() {
    for (what, pictures_late, sound_late) in
        [("pictures come late", 300, 0), ("sound comes late", 0, 300), ("together", 50, 50)]
    {
        let mut publisher = Publisher { delay_ms: [sound_late, pictures_late], ..Publisher::default() };
        let mut before = [0; 2];
        publisher.run(MINUTE, |at, kind, Placed { mapped, apart, .. }| {
            assert!(at < 6_000 || apart.abs() <= 2, "{what}: {apart} ms apart at {at} ms");
            let step = mapped - std::mem::replace(&mut before[usize::from(kind == Video)], mapped);
            assert!(kind == Video || (19..=21).contains(&step) || at < 40, "{what}: sound jumps by {step}");
            assert!(kind == Audio || (29..=37).contains(&step) || at < 400, "{what}: pictures jump by {step}");
        });
    }
}

#[test]
fn a_track_follows_its_own_arrivals_when_the_sound_is_gone() {
    let mut publisher = Publisher { ppm: 500, sound_until_ms: 10_000, ..Publisher::default() };
    publisher.run(HOUR / 4, |at, kind, Placed { late, .. }| {
        assert!((-15..=45).contains(&late), "{kind:?} at {at} ms is {late} ms late");
    });
}

#[test]
fn a_longer_way_is_followed_slowly() {
    let mut publisher = Publisher::default();
    publisher.run(MINUTE, |_, _, _| {});
    publisher.delay_ms = [100; 2];
    let mut worst = 0;
    publisher.run(2 * MINUTE, |at, _, Placed { late, apart, .. }| {
        assert!(apart.abs() <= 2);
        worst = worst.max(late);
        assert!(at < 2 * MINUTE - 10_000 || late <= 30, "{late} ms late at {at} ms");
    });
    assert!(worst > 90, "nothing jumps: {worst}");
    assert_eq!(publisher.clock.stats().jumps, 0);
}

#[test]
fn jumps_are_anchored_anew() {
    let second = 90_000;
    for (what, packets, jumps) in [
        ("steady", &[(0, 0, 0), (40, 40, 40)][..], 0),
        ("a pause that the timestamps count", &[(0, 0, 0), (60_000, 60_001, 60_000)], 0),
        ("far ahead", &[(0, 0, 0), (3_000, 40, 40), (3_040, 80, 80)], 1),
        ("back", &[(5_000, 0, 0), (4_000, 40, 40), (4_040, 80, 80)], 1),
        ("pictures in another order", &[(0, 0, 0), (120, 40, 120), (40, 80, 40), (80, 120, 80)], 0),
        ("back, while ahead of its arrival", &[(0, 0, 0), (1_500, 10, 1_500), (0, 20, 1_501)], 1),
    ] {
        let mut clock = SenderClock::new();
        for (timestamp, arrival, want) in packets {
            let timestamp = 100 * second + timestamp * second / 1_000;
            let mapped = clock.map(Video, 90_000, timestamp, MediaTime::from_millis(*arrival));
            assert!((mapped.as_millis() - want).abs() <= 1, "{what}: {mapped:?} for {want}");
        }
        assert_eq!(clock.stats().jumps, jumps, "{what}");
    }
}

#[test]
fn timestamps_that_stand_still_are_a_jump_in_the_end() {
    let mut clock = SenderClock::new();
    clock.map(Video, 90_000, 0, MediaTime::ZERO);
    // Nine seconds of silence, and the next timestamp as if nothing had been.
    let late = |clock: &mut SenderClock, n: i64| {
        let arrival = MediaTime::from_millis(9_000 + n * 40);
        arrival.as_millis() - clock.map(Video, 90_000, 3_600 * (n as u64 + 1), arrival).as_millis()
    };
    assert!(late(&mut clock, 0) > 8_000, "perhaps a burst follows");
    let all: Vec<i64> = (1..400).map(|n| late(&mut clock, n)).collect();
    assert!(all.last().is_some_and(|last| last.abs() < 50), "{all:?}");
    assert_eq!(clock.stats().jumps, 1);
}

#[test]
fn reports_that_make_no_sense_move_nothing() {
    let mut clock = SenderClock::new();
    clock.handle_sender_report(Audio, 1 << 32, 0);
    assert_eq!(clock.stats().reports_ignored, 1, "before the first packet");
    for n in 0..100 {
        let arrival = MediaTime::from_millis(n * 20);
        clock.map(Audio, 48_000, n as u64 * 960, arrival);
        clock.map(Video, 90_000, n as u64 * 1_800, arrival);
    }
    clock.handle_sender_report(Audio, 100 << 32, 0);
    clock.handle_sender_report(Video, 3_600 << 32, 0);
    assert_eq!(clock.stats().reports_ignored, 2, "an hour apart");
    for n in 100..200 {
        let arrival = MediaTime::from_millis(n * 20);
        assert_eq!(clock.map(Video, 90_000, n as u64 * 1_800, arrival), arrival);
    }
    for ntp in [0, u64::MAX] {
        clock.handle_sender_report(Video, ntp, u32::MAX / 2);
    }
}

#[test]
fn timestamps_are_told_for_any_time() {
    let mut clock = SenderClock::new();
    assert_eq!(clock.timestamp_at(Video, MediaTime::ZERO), None);
    clock.map(Video, 90_000, 1 << 33, MediaTime::from_millis(1_000));
    for (millis, want) in [(1_000, 1 << 33), (2_000, (1 << 33) + 90_000), (0, (1 << 33) - 90_000)] {
        assert_eq!(clock.timestamp_at(Video, MediaTime::from_millis(millis)), Some(want));
    }
    assert_eq!(clock.timestamp_at(Video, MediaTime(i64::MIN)), Some(0));
}

proptest! {
    #[test]
    fn nothing_overflows(packets in proptest::collection::vec(any::<(bool, u64, i64, u64, u32)>(), 0..50), clock_rate in any::<u32>()) {
        let mut clock = SenderClock::new();
        for (is_audio, timestamp, arrival, ntp, rtp) in packets {
            let kind = if is_audio { Audio } else { Video };
            clock.map(kind, clock_rate, timestamp, MediaTime(arrival));
            clock.handle_sender_report(kind, ntp, rtp);
            let _ = clock.timestamp_at(kind, MediaTime(arrival));
        }
    }
}

/// Sends sound every 20 ms and pictures every 33, and a report of each every two seconds.
struct Publisher {
    clock: SenderClock,
    ppm: i32,
    reports: bool,
    /// More than 20 ms, for sound and for pictures.
    delay_ms: [u64; 2],
    sound_until_ms: i64,
    rng: Rng,
    at_ms: i64,
}

/// Where a packet was put, in milliseconds.
struct Placed {
    mapped: i64,
    /// When it came, after that.
    late: i64,
    /// Pictures, after the sound of the same moment.
    apart: i64,
}

impl Default for Publisher {
    fn default() -> Self {
        let (clock, rng) = (SenderClock::new(), Rng::new(3));
        Self { clock, ppm: 0, reports: true, delay_ms: [0; 2], sound_until_ms: i64::MAX, rng, at_ms: 0 }
    }
}

impl Publisher {
    /// Calls for each packet with the publisher's time since the beginning of this run.
    fn run(&mut self, millis: i64, mut check: impl FnMut(i64, Kind, Placed)) {
        let drift = Drift { since: MediaTime::ZERO, ppm: self.ppm };
        let start = self.at_ms;
        // Mapped time minus the publisher's.
        let mut offsets = [None; 2];
        for at in start..start + millis {
            self.at_ms = at + 1;
            for (kind, every, rate, turn) in
                [(Audio, 20, 48_000_i64, 0xFFFF_0000_i64), (Video, 33, 90_000, 0xFFF0_0000)]
            {
                let track = usize::from(kind == Video);
                if at % every != 0 || kind == Audio && at >= self.sound_until_ms {
                    continue;
                }
                let way = 20_000 + 1_000 * self.delay_ms[track] + self.rng.below(10_000);
                let sent = drift.true_time(MediaTime::from_millis(at));
                let arrival = sent + Duration::from_micros(way);
                let timestamp = (turn + at * rate / 1_000) as u64;
                let mapped = self.clock.map(kind, u32::try_from(rate).unwrap(), timestamp, arrival);
                offsets[track] = Some(mapped.0 - at * 1_000_000);
                let apart = offsets[0].zip(offsets[1]).map_or(0, |(sound, pictures)| (pictures - sound) / 1_000_000);
                let late = (arrival.0 - mapped.0) / 1_000_000;
                check(at - start, kind, Placed { mapped: mapped.as_millis(), late, apart });
                if self.reports && at / every % (2_000 / every) == 0 {
                    let ntp = ((i128::from(at) << 32) / 1_000) as u64 + (5 << 40);
                    self.clock.handle_sender_report(kind, ntp, timestamp as u32);
                }
            }
        }
    }
}
