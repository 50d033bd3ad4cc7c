//! Tracks in other forms: when they are wanted, who gets them, and how who joins begins.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use heliu_model::{
    AacFormat, EndpointId, Format, Frame, H264Format, LeaveReason, MediaTime, OpusFormat, PublicationId, Size,
    Takeover, Timestamp,
};
use heliu_room::{
    AcceptedAudio, AcceptedVideo, Accepts, Delivery, Offer, PacketDelivery, Patience, Rendition, Room, RoomEvent, Sink,
    View, Wish,
};

/// Of baseline, with its parameter sets.
const RECORD: &[u8] = &[
    1, 0x42, 0xC0, 0x0D, 0xFF, 0xE1, 0, 24, 0x67, 0x42, 0xC0, 0x0D, 0xD9, 0x01, 0x41, 0xFB, 0x01, 0x10, 0x00, 0x00,
    0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x20, 0xF1, 0x42, 0xA4, 0x80, 1, 0, 6, 0x68, 0xEB, 0xE3, 0xCB, 0x22,
    0xC0,
];

const ANY: Accepts = Accepts { audio: AcceptedAudio::Any, video: AcceptedVideo::Any };
const AAC: Accepts = Accepts { audio: AcceptedAudio::Aac, ..ANY };
const BROWSER: Accepts = Accepts { audio: AcceptedAudio::Opus, video: AcceptedVideo::WithoutBPictures };

#[test]
fn one_rendition_is_made_for_all_who_need_it() {
    let mut stage = Stage::new();
    stage.feed(&[video(0, true), opus(10)]);
    for (what, step, want) in [
        ("a mixer takes it as it is", Step::Join(2, ANY), vec![]),
        ("so does a browser", Step::Join(3, BROWSER), vec![]),
        ("a player needs another", Step::Join(4, AAC), vec![wanted(Rendition::Aac)]),
        ("the second one shares it", Step::Join(5, AAC), vec![]),
        ("one is left", Step::Leave(4), vec![]),
        ("a stranger leaves", Step::Leave(2), vec![]),
        ("nobody is left", Step::Leave(5), vec![unwanted(Rendition::Aac)]),
        ("and again", Step::Join(6, AAC), vec![wanted(Rendition::Aac)]),
    ] {
        stage.step(step);
        assert_eq!(stage.rendition_events(), want, "{what}");
    }
}

#[test]
fn each_receiver_gets_each_track_in_one_form() {
    let mut stage = Stage::new();
    stage.feed(&[video(0, true), opus(10)]);
    stage.join(2, ANY);
    stage.join(3, AAC);
    stage.make(Rendition::Aac, aac(8));
    stage.seen.clear();
    stage.feed(&[opus(30), video(40, false)]);
    stage.make(Rendition::Aac, aac(29));
    assert_eq!(stage.seen(2), ["opus 30 of opus", "h264 40 of opus"]);
    assert_eq!(stage.seen(3), ["h264 40 of aac", "aac 29 of aac"]);
    stage.make(Rendition::Opus, opus(50));
    assert_eq!((stage.seen(2), stage.seen(3)), (vec![], vec![]), "nobody asked for that");
}

#[test]
fn who_joins_waits_for_what_is_made_and_begins_with_the_pictures_kept() {
    let mut stage = Stage::new();
    stage.feed(&[video(0, true), opus(10), opus(30), video(40, false), opus(500), video(505, false)]);
    stage.join(3, AAC);
    assert_eq!(stage.seen(3), [""; 0], "nothing is made yet");
    stage.make(Rendition::Aac, aac(9));
    assert_eq!(stage.seen(3), [""; 0], "it has not caught up");
    stage.feed(&[video(510, false)]);
    stage.make(Rendition::Aac, aac(490));
    let want = ["h264 0 of aac", "aac 9 of aac", "h264 40 of aac", "aac 490 of aac", "h264 505 of aac"];
    assert_eq!(stage.seen(3), [&want[..], &["h264 510 of aac"]].concat());
    stage.join(4, AAC);
    assert_eq!(stage.seen(4)[..5], want, "the next one begins at once");
}

#[test]
fn what_does_not_come_is_not_waited_for() {
    let begins_without = |stage: &mut Stage, what: &str| {
        assert_eq!(stage.seen(3), ["h264 0 of nothing", "h264 40 of nothing"], "{what}");
    };
    let mut late = Stage::new();
    late.feed(&[video(0, true), opus(10)]);
    late.join(3, AAC);
    late.now = late.now + Duration::from_secs(1);
    late.feed(&[video(40, false)]);
    begins_without(&mut late, "after a second");

    let mut failed = Stage::new();
    failed.feed(&[video(0, true), opus(10)]);
    failed.join(3, AAC);
    failed.rendition_events();
    failed.room.fail_rendition(&cam(), Rendition::Aac, "no such codec".to_owned());
    failed.feed(&[video(40, false)]);
    begins_without(&mut failed, "it cannot be made");
    let status = failed.room.status().publications[0].tracks[0].renditions[0].clone();
    assert_eq!((status.failed.as_deref(), status.consumers), (Some("no such codec"), 1));
    failed.feed(&[mono(60)]);
    assert_eq!(failed.rendition_events(), [wanted(Rendition::Aac)], "another format, another try");
}

#[test]
fn sound_without_pictures_is_made_for_its_listeners() {
    let mut stage = Stage::new();
    stage.join(3, AAC);
    stage.now = MediaTime::from_millis(0);
    stage.feed(&[opus(0)]);
    assert_eq!(stage.rendition_events(), [wanted(Rendition::Aac)], "once it is known what it is");
    stage.now = MediaTime::from_millis(1_100);
    stage.make(Rendition::Aac, aac(1_090));
    stage.make(Rendition::Aac, aac(1_111));
    assert_eq!(stage.seen(3), ["aac 1090 of aac", "aac 1111 of aac"]);
}

#[test]
fn a_successor_with_another_codec_needs_another_rendition_and_time_goes_on() {
    let mut stage = Stage::new();
    stage.feed(&[video(0, true), opus(10)]);
    stage.join(3, AAC);
    stage.join(4, BROWSER);
    stage.make(Rendition::Aac, aac(8));
    stage.make(Rendition::Aac, aac(1_000));
    stage.rendition_events();
    stage.publish(7);
    assert_eq!(stage.rendition_events(), [unwanted(Rendition::Aac)]);
    stage.make(Rendition::Aac, aac(1_020));
    stage.seen.clear();
    stage.feed_from(7, &[aac(1_010), video(1_015, true)]);
    assert_eq!(stage.rendition_events(), [wanted(Rendition::Opus)]);
    stage.make(Rendition::Opus, opus(1_005));
    stage.feed_from(7, &[aac(1_030), video(1_060, false)]);
    stage.make(Rendition::Opus, opus(1_025));
    assert_eq!(stage.seen(3), ["h264 1015 of aac", "aac 1030 of aac", "h264 1060 of aac"]);
    assert_eq!(stage.seen(4), ["h264 1015 of opus", "opus 1005 of opus", "h264 1060 of opus", "opus 1025 of opus"]);
}

#[test]
fn sound_of_another_source_never_steps_back() {
    let mut stage = Stage::new();
    stage.feed(&[video(0, true), aac(10)]);
    stage.join(3, AAC);
    stage.feed(&[aac(40), opus(60)]);
    for ms in [35, 40, 56] {
        stage.make(Rendition::Aac, aac(ms));
    }
    assert_eq!(stage.seen(3), ["h264 0 of aac", "aac 10 of aac", "aac 40 of aac", "aac 56 of aac"]);
}

#[test]
fn pictures_others_refer_to_are_made_anew_for_who_cannot_use_them() {
    let mut stage = Stage::new();
    stage.feed(&[video(0, true), opus(1)]);
    stage.join(3, BROWSER);
    stage.feed(&[picture(40, 160), picture(41, 80)]);
    assert_eq!(stage.rendition_events(), [wanted(Rendition::WithoutBPictures)]);
    assert_eq!(stage.seen(3), ["h264 0 of opus", "opus 1 of opus", "h264 40 of opus"], "until it is known");
    stage.feed(&[picture(82, 120)]);
    stage.make(Rendition::WithoutBPictures, video(60, true));
    stage.make(Rendition::WithoutBPictures, video(100, false));
    assert_eq!(stage.seen(3), ["h264 60 of opus", "h264 100 of opus"]);
    stage.join(4, BROWSER);
    assert_eq!(stage.seen(4), ["h264 60 of opus", "h264 100 of opus"], "kept from its own keyframe on");
    stage.publish(7);
    assert_eq!(stage.rendition_events(), [unwanted(Rendition::WithoutBPictures)]);
    stage.feed_from(7, &[video(83, true), picture(84, 200), picture(85, 150)]);
    assert_eq!(stage.rendition_events(), [wanted(Rendition::WithoutBPictures)]);
    stage.seen.clear();
    stage.make(Rendition::WithoutBPictures, video(90, true));
    stage.make(Rendition::WithoutBPictures, video(130, false));
    assert_eq!(stage.seen(4), ["h264 101 of nothing", "h264 130 of nothing"], "time goes on");
}

#[test]
fn pictures_nobody_refers_to_are_left_out_of_packets() {
    let mut stage = Stage::new();
    stage.subscribe(3, BROWSER, View::Packets);
    let unreferenced = Frame { data: nal(0x01), ..picture(80, 120) };
    stage.feed(&[video(0, true), picture(40, 160), unreferenced, picture(120, 240)]);
    assert_eq!(stage.rendition_events(), []);
    assert_eq!(stage.seen(3), ["Video packets"; 4], "two for the keyframe; one of four is left out");
    let mut late = Stage::new();
    late.feed(&[video(0, true), picture(40, 160), Frame { data: nal(0x01), ..picture(80, 120) }]);
    late.subscribe(3, BROWSER, View::Packets);
    assert_eq!(late.seen(3), ["Video packets"; 3], "nor are they in what is kept");
}

#[test]
fn packets_are_made_of_the_rendition_that_their_receivers_need() {
    let mut stage = Stage::new();
    stage.feed(&[aac(0), aac(1_000)]);
    stage.subscribe(3, BROWSER, View::Packets);
    assert_eq!(stage.rendition_events(), [wanted(Rendition::Opus)]);
    stage.make(Rendition::Opus, opus(10));
    assert_eq!(stage.seen(3), [""; 0], "the past is not sent");
    stage.make(Rendition::Opus, opus(990));
    stage.feed(&[aac(1_020)]);
    stage.make(Rendition::Opus, opus(1_010));
    assert_eq!(stage.seen(3), ["Audio packets"; 2]);
    stage.room.unsubscribe(EndpointId(3), None);
    assert_eq!(stage.rendition_events(), [unwanted(Rendition::Opus)]);
}

#[test]
fn renditions_end_with_their_publication() {
    let mut stage = Stage::new();
    stage.feed(&[video(0, true), opus(10)]);
    stage.join(3, AAC);
    stage.make(Rendition::Aac, aac(8));
    let status = stage.room.status().publications[0].tracks[0].renditions.clone();
    assert_eq!(status.len(), 1);
    assert_eq!((status[0].name, status[0].codec, status[0].frames, status[0].consumers), ("aac", Some("aac"), 1, 1));
    stage.room.unpublish(EndpointId(1), LeaveReason::Left, stage.now);
    assert_eq!(stage.rendition_events(), [wanted(Rendition::Aac), unwanted(Rendition::Aac)]);
    stage.make(Rendition::Aac, aac(40));
    assert_eq!(stage.seen(3), ["h264 0 of aac", "aac 8 of aac"], "nothing is made for nobody");
}

#[derive(Clone, Copy)]
enum Step {
    Join(u64, Accepts),
    Leave(u64),
}

/// A room with one publication, and what its receivers have seen: codec, time and the sound announced.
struct Stage {
    room: Room,
    now: MediaTime,
    seen: Vec<(EndpointId, String)>,
}

impl Stage {
    fn new() -> Self {
        let mut stage = Self { room: Room::default(), now: MediaTime::ZERO, seen: Vec::new() };
        stage.publish(1);
        stage
    }

    fn publish(&mut self, endpoint: u64) {
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
        self.room.publish(offer, self.now).unwrap();
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Join(endpoint, accepts) => self.join(endpoint, accepts),
            Step::Leave(endpoint) => self.room.unsubscribe(EndpointId(endpoint), None),
        }
    }

    fn join(&mut self, endpoint: u64, accepts: Accepts) {
        self.subscribe(endpoint, accepts, View::Frames);
    }

    fn subscribe(&mut self, endpoint: u64, accepts: Accepts, view: View) {
        let wish = Wish {
            endpoint: EndpointId(endpoint),
            publication: cam(),
            audio: true,
            video: true,
            accepts,
            is_sound_early: view == View::Packets,
            wait: Patience::Forever,
            hold: Patience::No,
            is_viewer: true,
            view,
        };
        self.room.subscribe(wish, self.now, &mut Seen(&mut self.seen)).unwrap();
    }

    fn feed(&mut self, frames: &[Frame]) {
        self.feed_from(1, frames);
    }

    fn feed_from(&mut self, endpoint: u64, frames: &[Frame]) {
        for frame in frames {
            let sink = &mut Seen(&mut self.seen);
            self.room.handle_frame(EndpointId(endpoint), &cam(), frame.clone(), self.now, Timestamp(7), sink);
        }
    }

    fn make(&mut self, rendition: Rendition, frame: Frame) {
        self.room.handle_rendition(&cam(), rendition, frame, self.now, &mut Seen(&mut self.seen));
    }

    fn seen(&mut self, endpoint: u64) -> Vec<String> {
        let its = |seen: &(EndpointId, String)| seen.0.0 == endpoint;
        let seen: Vec<String> = self.seen.iter().filter(|seen| its(seen)).map(|(_, what)| what.clone()).collect();
        self.seen.retain(|seen| !its(seen));
        seen
    }

    fn rendition_events(&mut self) -> Vec<RoomEvent> {
        let is_about_one =
            |event: &RoomEvent| matches!(event, RoomEvent::RenditionWanted(..) | RoomEvent::RenditionUnwanted(..));
        std::iter::from_fn(|| self.room.poll_event()).filter(is_about_one).collect()
    }
}

struct Seen<'a>(&'a mut Vec<(EndpointId, String)>);

impl Sink for Seen<'_> {
    fn handle_frame(&mut self, delivery: Delivery<'_>) {
        let Frame { format, dts, .. } = delivery.frame;
        let sound = delivery.formats.audio.as_ref().map_or("nothing", |format| format.codec());
        self.0.push((delivery.endpoint, format!("{} {} of {sound}", format.codec(), dts.as_millis())));
    }

    fn handle_packets(&mut self, delivery: PacketDelivery<'_>) {
        let what = format!("{:?} packets", delivery.kind);
        self.0.extend(delivery.range.map(|_| (delivery.endpoint, what.clone())));
    }
}

fn wanted(rendition: Rendition) -> RoomEvent {
    RoomEvent::RenditionWanted(cam(), rendition)
}

fn unwanted(rendition: Rendition) -> RoomEvent {
    RoomEvent::RenditionUnwanted(cam(), rendition)
}

fn cam() -> PublicationId {
    "cam".parse().unwrap()
}

fn video(ms: i64, is_key: bool) -> Frame {
    let size = Size { width: 16, height: 16 };
    frame(Format::H264(H264Format { record: Bytes::from_static(RECORD), size, frame_rate: None }), ms, is_key)
}

fn aac(ms: i64) -> Frame {
    frame(Format::Aac(AacFormat { config: Bytes::new(), sample_rate: 48_000, channels: 2 }), ms, true)
}

fn opus(ms: i64) -> Frame {
    frame(Format::Opus(OpusFormat { channels: 2 }), ms, true)
}

fn mono(ms: i64) -> Frame {
    frame(Format::Opus(OpusFormat { channels: 1 }), ms, true)
}

/// One that others refer to.
fn picture(dts_ms: i64, pts_ms: i64) -> Frame {
    Frame { pts: MediaTime::from_millis(pts_ms), ..video(dts_ms, false) }
}

fn frame(format: Format, ms: i64, is_key: bool) -> Frame {
    let time = MediaTime::from_millis(ms);
    Frame { format: Arc::new(format), dts: time, pts: time, is_key, data: nal(if is_key { 0x65 } else { 0x41 }) }
}

/// Two bytes of a slice behind their length.
fn nal(header: u8) -> Bytes {
    Bytes::copy_from_slice(&[0, 0, 0, 2, header, 0x9A])
}
