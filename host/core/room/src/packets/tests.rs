//! What receivers of packets get, and when.

use std::sync::Arc;

use bytes::Bytes;
use heliu_model::{Format, LeaveReason, OpusFormat, Takeover, Timestamp};

use super::*;
use crate::{Accepts, Delivery, Error, Offer, Patience, Room, RoomEvent, Sink, View, Wish};

#[test]
fn a_receiver_begins_at_a_keyframe_and_sound_opens_with_it() {
    let mut stage = Stage::publishing();
    stage.subscribe(2).unwrap();
    for (what, packets, want) in [
        ("a delta is useless", &[video(10, false)][..], &[][..]),
        ("so is sound alone", &[audio(10)], &[]),
        ("its parameter sets and all that follows", &[video(11, true), video(11, false)], &["v11", "v11"]),
        ("and sound from there on", &[audio(12), video(12, false)], &["v12", "a12"]),
    ] {
        stage.feed(packets);
        assert_eq!(stage.seen(2), want, "{what}");
    }
}

#[test]
fn a_keyframe_is_asked_for_while_somebody_cannot_begin() {
    let mut stage = Stage::publishing();
    stage.feed(&[video(10, false)]);
    assert_eq!(stage.keyframes_wanted(), 0, "nobody is there");
    stage.subscribe(2).unwrap();
    assert_eq!(stage.keyframes_wanted(), 1);
    stage.feed(&[video(11, false), video(12, false)]);
    assert_eq!(stage.keyframes_wanted(), 1, "once at a time");
    stage.feed(&[video(13, true)]);
    assert_eq!(stage.keyframes_wanted(), 0, "it is here");
}

#[test]
fn who_joins_catches_up_from_the_last_keyframe_bit_by_bit() {
    let mut stage = Stage::publishing();
    stage.subscribe(2).unwrap();
    stage.feed(&[video(1, true)]);
    for n in 2..=200 {
        stage.feed(&[video(n, false)]);
    }
    assert_eq!(stage.seen(2).len(), 200);

    stage.subscribe(3).unwrap();
    let mut portions = vec![stage.seen(3).len()];
    for n in 201..=204 {
        stage.feed(&[video(n, false)]);
        portions.push(stage.seen(3).len());
    }
    assert_eq!(portions, [48, 49, 49, 49, 9], "a portion beside what is due, until it has all");
}

#[test]
fn numbers_and_times_go_on_when_another_publisher_takes_over() {
    let mut stage = Stage::publishing();
    stage.subscribe(2).unwrap();
    stage.feed(&[video(1_000, true), video(1_001, false)]);
    stage.now = MediaTime::from_millis(500);
    stage.publish(7).unwrap();
    stage.from = EndpointId(7);
    stage.feed(&[video(3, false), video(4, true), video(6, false)]);

    let numbers: Vec<u64> = stage.sink.0.iter().map(|seen| seen.sequence - stage.sink.0[0].sequence).collect();
    assert_eq!(numbers, [0, 1, 3, 5], "what is missing is missing, what could not be begun with too");
    let ticks: Vec<u64> = stage.sink.0.iter().map(|seen| seen.timestamp - stage.sink.0[0].timestamp).collect();
    assert_eq!(ticks, [0, 3_000, 45_000 + 3_000, 45_000 + 9_000], "half a second later on the room's clock");
}

#[test]
fn frames_become_packets_while_somebody_receives_them_so() {
    let mut stage = Stage::publishing();
    stage.frame(0);
    assert_eq!(stage.find(Kind::Audio), 0, "nobody does");
    stage.subscribe(2).unwrap();
    stage.frame(20);
    stage.subscribe(3).unwrap();
    stage.frame(40);
    assert_eq!((stage.seen(2).len(), stage.seen(3).len()), (2, 1));
    assert_eq!(stage.find(Kind::Audio), 2);
    stage.room.unsubscribe(EndpointId(2), None);
    stage.frame(60);
    stage.room.unsubscribe(EndpointId(3), None);
    stage.frame(80);
    assert_eq!((stage.seen(3).len(), stage.find(Kind::Audio)), (1, 0));
}

#[test]
fn a_packet_is_found_again_by_its_number_in_its_ring() {
    let mut stage = Stage::publishing();
    stage.subscribe(2).unwrap();
    // 12 comes after 13.
    stage.feed(&[video(10, true), video(11, false), video(13, false), video(12, false)]);
    let (first, ring) = (stage.sink.0[0].sequence, stage.sink.0[0].ring_id);
    for (ring_id, sequence, want) in [
        (ring, first + 2, Some(&b"12"[..])),
        (ring, first + 3, Some(b"13")),
        (ring, first + 4, None),
        (ring + 1, first + 2, None),
    ] {
        let found = stage.room.packet(&cam(), Kind::Video, ring_id, sequence);
        assert_eq!(found.map(|(_, payload)| payload), want);
    }
}

#[test]
fn a_receiver_of_packets_stays_while_its_publisher_is_away() {
    let mut stage = Stage::publishing();
    stage.subscribe(2).unwrap();
    stage.feed(&[video(10, true)]);
    stage.room.unpublish(EndpointId(1), LeaveReason::Lost, stage.now);
    stage.publish(1).unwrap();
    stage.feed(&[video(3, false), video(4, true)]);
    assert_eq!(stage.seen(2), ["v10", "v4"]);
}

/// A room with one publication, and what was handed out.
struct Stage {
    room: Room,
    sink: Seen,
    from: EndpointId,
    now: MediaTime,
}

#[derive(Default)]
struct Seen(Vec<Packeted>);

struct Packeted {
    endpoint: EndpointId,
    ring_id: u64,
    sequence: u64,
    timestamp: u64,
    text: String,
}

impl Sink for Seen {
    fn handle_frame(&mut self, _: Delivery<'_>) {
        panic!("nobody receives frames");
    }

    fn handle_packets(&mut self, delivery: PacketDelivery<'_>) {
        let letter = if delivery.kind == Kind::Video { 'v' } else { 'a' };
        for index in delivery.range.clone() {
            let (meta, payload) = delivery.ring.get(index).expect("all are there");
            self.0.push(Packeted {
                endpoint: delivery.endpoint,
                ring_id: delivery.ring_id,
                sequence: meta.sequence,
                timestamp: meta.timestamp,
                text: format!("{letter}{}", String::from_utf8_lossy(payload)),
            });
        }
    }
}

impl Stage {
    fn publishing() -> Self {
        let mut stage =
            Self { room: Room::default(), sink: Seen::default(), from: EndpointId(1), now: MediaTime::ZERO };
        stage.publish(1).unwrap();
        stage
    }

    fn publish(&mut self, endpoint: u64) -> Result<(), Error> {
        let offer = Offer {
            endpoint: EndpointId(endpoint),
            publication: cam(),
            participant: Some("p".parse().unwrap()),
            address: None,
            protocol: "whip",
            audio: true,
            video: true,
            peer: None,
            takeover: Takeover::Replace,
        };
        self.room.publish(offer, self.now)
    }

    fn subscribe(&mut self, endpoint: u64) -> Result<(), Error> {
        let wish = Wish {
            endpoint: EndpointId(endpoint),
            publication: cam(),
            audio: true,
            video: true,
            accepts: Accepts::default(),
            is_sound_early: false,
            wait: Patience::Forever,
            hold: Patience::Forever,
            is_viewer: true,
            view: View::Packets,
        };
        self.room.subscribe(wish, self.now, &mut self.sink)
    }

    fn feed(&mut self, packets: &[(Codec, u64, bool)]) {
        for &(codec, sequence, starts_keyframe) in packets {
            let timestamp = sequence * 3_000;
            let meta = Meta { sequence, timestamp, starts_keyframe, ..Meta::default() };
            let payload = sequence.to_string();
            let packet = Packet { codec, meta, payload: payload.as_bytes(), at: self.now };
            self.room.handle_packet(self.from, &cam(), &packet);
        }
        self.room.flush_packets(&cam(), self.now, &mut self.sink);
    }

    fn frame(&mut self, ms: i64) {
        let time = MediaTime::from_millis(ms);
        let format = Arc::new(Format::Opus(OpusFormat { channels: 2 }));
        let frame = Frame { format, dts: time, pts: time, is_key: true, data: Bytes::from_static(b"opus") };
        // From the second on its pictures are not to be expected any more.
        let now = MediaTime::from_millis(100 * ms);
        self.room.handle_frame(self.from, &cam(), frame, now, Timestamp(7), &mut self.sink);
    }

    /// How many packets of its track can be found.
    fn find(&self, kind: Kind) -> usize {
        let rings = 0..10;
        let found = |ring_id| {
            let numbers = (0..100).chain(65_536..65_636).chain(SEQUENCE_FIRST..SEQUENCE_FIRST + 100);
            numbers.filter(|number| self.room.packet(&cam(), kind, ring_id, *number).is_some()).count()
        };
        rings.map(found).sum()
    }

    fn seen(&mut self, endpoint: u64) -> Vec<String> {
        let (its, others) = self.sink.0.drain(..).partition(|seen| seen.endpoint.0 == endpoint);
        self.sink.0 = others;
        let its: Vec<Packeted> = its;
        its.into_iter().map(|seen| seen.text).collect()
    }

    fn keyframes_wanted(&mut self) -> usize {
        let events = std::iter::from_fn(|| self.room.poll_event());
        events.filter(|event| matches!(event, RoomEvent::KeyframeWanted(..))).count()
    }
}

fn video(sequence: u64, starts_keyframe: bool) -> (Codec, u64, bool) {
    (Codec::H264, sequence, starts_keyframe)
}

fn audio(sequence: u64) -> (Codec, u64, bool) {
    (Codec::Opus, sequence, true)
}

fn cam() -> PublicationId {
    "cam".parse().unwrap()
}
