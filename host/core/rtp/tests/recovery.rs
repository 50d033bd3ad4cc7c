//! A publisher on a bad way: what is lost is asked for, sent again, and shown in its place.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use heliu_container::avc::{Record, from_nals};
use heliu_model::{Format, Frame, MediaTime};
use heliu_rtp::rtcp::{Rtcp, parse, write_nack, write_pli};
use heliu_rtp::{
    Codec, FrameAssembler, HeaderFields, Meta, Packetizer, Receiver, Ring, RtpView, SenderClock, WAIT_DEFAULT,
    write_header,
};
use heliu_sim::Link;

const SPS: &[u8] = b"\x67\x42\xc0\x0d\xd9\x01\x41\xfb\x01\x10\0\0\x03\0\x10\0\0\x03\x03\x20\xf1\x42\xa4\x80";
const PPS: &[u8] = b"\x68\xeb\xe3\xcb\x22\xc0";
/// 30 a second, five packets each: 1.5 Mbit/s.
const FRAMES: usize = 900;
const FRAME_LEN: usize = 5_900;
const FRAME_EVERY: Duration = Duration::from_micros(33_333);

#[test]
fn a_tenth_may_be_lost_and_pictures_go_on() {
    for (what, delay, shown_min, gaps_max) in [("nearby", 0, 900, 0), ("50 ms away", 50, 870, 2)] {
        let way = Way { delay: Duration::from_millis(delay), loss: |_| 0.1 };
        let heard = publish(&way, 7);
        assert!(heard.shown >= shown_min && heard.gaps <= gaps_max, "{what}: {heard:?}");
    }
}

#[test]
fn a_burst_of_losses_is_over_when_it_is() {
    for (delay, longest) in [(0, 700), (50, 1_300)] {
        let way = Way {
            delay: Duration::from_millis(delay),
            loss: |at| if (5_000..7_000).contains(&at.as_millis()) { 0.3 } else { 0.0 },
        };
        let heard = publish(&way, 7);
        assert!(heard.longest_gap <= Duration::from_millis(longest), "{delay} ms away: {heard:?}");
    }
}

struct Way {
    delay: Duration,
    loss: fn(MediaTime) -> f64,
}

#[derive(Debug)]
struct Heard {
    shown: usize,
    gaps: u64,
    /// Between two pictures that came out.
    longest_gap: Duration,
}

/// Sends for half a minute, keyframes when they are asked for, and listens.
fn publish(way: &Way, seed: u64) -> Heard {
    let (mut there, mut back): (Link<Vec<u8>>, Link<Vec<u8>>) =
        (Link::new(way.delay, seed).overtaking(), Link::new(way.delay, seed + 1).overtaking());
    let mut publisher = Publisher::new();
    let (mut receiver, mut assembler) =
        (Receiver::new(Codec::H264.clock_rate()), FrameAssembler::h264(&[], WAIT_DEFAULT));
    let (mut clock, start) = (SenderClock::new(), Instant::now());
    let (mut shown, mut last, mut longest_gap) = (0, None::<MediaTime>, Duration::ZERO);
    for tick in 0..31_000 {
        let passed = Duration::from_millis(tick);
        let (now, instant) = (MediaTime::ZERO + passed, start + passed);
        (there, back) = (there.loss((way.loss)(now)), back.loss((way.loss)(now)));
        while let Some(order) = back.poll(now) {
            publisher.obey(&order, &mut |packet| there.send(packet, now));
        }
        publisher.send(now, &mut |packet| there.send(packet, now));
        while let Some(packet) = there.poll(now) {
            let view = RtpView::parse(&packet).expect("a packet of ours");
            let Ok(arrival) = receiver.handle_packet(view.sequence(), view.timestamp(), instant) else { continue };
            let (sequence, timestamp) = (arrival.sequence, arrival.timestamp);
            let meta = Meta { sequence, timestamp, marker: view.marker(), ..Meta::default() };
            assembler.handle_packet(&meta, view.payload(), now);
        }
        assembler.set_round_trip(receiver.round_trip());
        assembler.handle_timeout(now);
        if let Some(lost) = receiver.poll_nack(instant) {
            let mut nack = Vec::new();
            write_nack(&mut nack, 1, 2, lost);
            back.send(nack, now);
        }
        while assembler.poll_frame(&mut clock).is_some() {
            shown += 1;
            longest_gap = longest_gap.max(last.map_or(Duration::ZERO, |last| now.since(last)));
            last = Some(now);
        }
        // Asked for at most every 300 ms, as a session does.
        if assembler.poll_keyframe_wanted() && tick % 300 == 299 {
            let mut pli = Vec::new();
            write_pli(&mut pli, 1, 2);
            back.send(pli, now);
        }
    }
    Heard { shown, gaps: assembler.stats().gaps, longest_gap }
}

struct Publisher {
    packetizer: Packetizer,
    ring: Ring,
    format: std::sync::Arc<Format>,
    sent: usize,
    wants_keyframe: bool,
    indices: BTreeMap<u16, u64>,
}

impl Publisher {
    fn new() -> Self {
        let sets = |nal: &'static [u8]| vec![Bytes::from_static(nal)];
        let format =
            Format::H264(Record::new(sets(SPS), sets(PPS)).and_then(|record| record.format()).expect("good sets"));
        Self {
            packetizer: Packetizer::new(),
            ring: Ring::new(2_048),
            format: format.into(),
            sent: 0,
            wants_keyframe: true,
            indices: BTreeMap::new(),
        }
    }

    fn send(&mut self, now: MediaTime, out: &mut dyn FnMut(Vec<u8>)) {
        let due = MediaTime::ZERO + FRAME_EVERY * u32::try_from(self.sent).expect("few frames");
        if due > now || self.sent == FRAMES {
            return;
        }
        self.sent += 1;
        let is_key = std::mem::take(&mut self.wants_keyframe);
        let mut nal = vec![1; FRAME_LEN];
        nal[..2].copy_from_slice(if is_key { &[0x65, 0x88] } else { &[0x41, 0x9A] });
        let frame = Frame { format: self.format.clone(), dts: due, pts: due, is_key, data: from_nals(&[&nal]) };
        for index in self.packetizer.packetize(&frame, &mut self.ring) {
            out(self.datagram(index));
        }
    }

    fn obey(&mut self, order: &[u8], out: &mut dyn FnMut(Vec<u8>)) {
        for packet in parse(order) {
            match packet.expect("an order of ours") {
                Rtcp::Nack { lost, .. } => {
                    lost.for_each(|sequence| out(self.datagram(self.indices[&sequence])));
                }
                Rtcp::Pli { .. } => self.wants_keyframe = true,
                other => panic!("nobody sent {other:?}"),
            }
        }
    }

    fn datagram(&mut self, index: u64) -> Vec<u8> {
        let (meta, payload) = self.ring.get(index).expect("the ring is long");
        let (sequence, timestamp) = (meta.sequence as u16, meta.timestamp as u32);
        self.indices.insert(sequence, index);
        let mut out = Vec::new();
        write_header(
            &mut out,
            &HeaderFields { payload_type: 96, marker: meta.marker, sequence, timestamp, ssrc: 2 },
            &[],
        );
        out.extend_from_slice(payload);
        out
    }
}
