//! What one endpoint offers to the room: at most one track of each kind.
//!
//! Keeps each track's dts strictly increasing, also when another publisher takes over: subscribers see
//! one publication that goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use heliu_model::{
    Address, EndpointId, Format, Frame, Kind, MediaTime, ParticipantId, PublicationId, PublicationStatus, Takeover,
    Timestamp, TrackStatus,
};

use heliu_rtp::{BPictureJudge, BPictures};

use crate::accepts::{Needs, Rendition};
use crate::gop::Gop;
use crate::gop_budget::GopBudget;
use crate::meter::Meter;
use crate::packets::{Packet, PacketTrack};
use crate::rendition::{LAG_MAX as RENDITION_LAG_MAX, Rendered};
use crate::room::Sink;
use crate::subscription::{Subscription, View, Wish};

/// Smallest step between two frames of a track: a tick of RTMP's clock.
const STEP: Duration = Duration::from_millis(1);
/// How long a publisher may be silent before it counts as stalled and `if-stalled` lets another take over.
const STALLED_AFTER: Duration = Duration::from_secs(2);
/// How long after the first frame of one kind a player waits for the other before it starts without.
const TRACK_MAY_COME: Duration = Duration::from_secs(1);

/// What an endpoint offers.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Who delivers.
    pub endpoint: EndpointId,
    /// Under which id.
    pub publication: PublicationId,
    /// As whom; `None`: a mixer.
    pub participant: Option<ParticipantId>,
    /// Where it came in; `None`: a mixer's.
    pub address: Option<Address>,
    /// `rtmp`, `mixer`, `egress`.
    pub protocol: &'static str,
    /// Sound is taken.
    pub audio: bool,
    /// Pictures are taken.
    pub video: bool,
    /// Where its client is, without port; `None`: of this host.
    pub peer: Option<String>,
    /// If the id is taken.
    pub takeover: Takeover,
}

#[derive(Debug)]
pub struct Publication {
    pub offer: Offer,
    /// First media of its life; `None` before.
    pub since: Option<Timestamp>,
    started_at: Option<MediaTime>,
    pub subscriptions: Vec<Subscription>,
    arrived: u64,
    delivered_at: MediaTime,
    is_stalled: bool,
    audio: Option<Track>,
    video: Option<Track>,
    gop: Gop,
    packets: Packets,
    /// What is added to the times of this publisher so that they follow on the one before.
    shift: Duration,
    /// The next frame is this publisher's first.
    is_fresh: bool,
    /// It took over, and which tracks it has is not clear yet.
    is_untold: bool,
    /// Where the publishers before it have ended.
    floor: Option<MediaTime>,
    /// Another publisher, or another format: what receivers need may be something else.
    needs_review: bool,
    judge: BPictureJudge,
    /// Some pictures are shown before those they were decoded after, and others refer to them.
    refers_to_b_pictures: bool,
    /// Is the last frame shown before one that came before it?
    is_b_picture: bool,
    renditions: BTreeMap<Rendition, Rendered>,
    /// Where pictures of renditions have ended when their publisher was replaced.
    rendered_floor: Option<MediaTime>,
}

/// Its tracks as packets, as far as they are.
#[derive(Debug, Default)]
struct Packets {
    audio: Option<PacketTrack>,
    video: Option<PacketTrack>,
}

/// What is known of a publication's tracks; a player announces both before the first frame.
#[derive(Debug, Clone, Default)]
pub struct Formats {
    /// Sound, if some has come.
    pub audio: Option<Arc<Format>>,
    /// Pictures, if some have come.
    pub video: Option<Arc<Format>>,
    /// A track is missing that may still come: the publication is younger than a second.
    pub may_grow: bool,
}

#[derive(Debug)]
struct Track {
    format: Arc<Format>,
    last_dts: MediaTime,
    meter: Meter,
}

/// What a frame changed about the publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    None,
    Started,
    Changed,
}

impl Publication {
    pub fn new(offer: Offer, arrived: u64, now: MediaTime, budget: GopBudget) -> Self {
        Self {
            offer,
            since: None,
            started_at: None,
            subscriptions: Vec::new(),
            arrived,
            delivered_at: now,
            is_stalled: false,
            audio: None,
            video: None,
            gop: Gop::new(budget),
            packets: Packets::default(),
            shift: Duration::ZERO,
            is_fresh: true,
            is_untold: false,
            floor: None,
            needs_review: false,
            judge: BPictureJudge::new(),
            refers_to_b_pictures: false,
            is_b_picture: false,
            renditions: BTreeMap::new(),
            rendered_floor: None,
        }
    }

    /// Its place in the order of arrival.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    /// May another publisher take its place?
    pub fn may_be_taken(&self, takeover: Takeover, now: MediaTime) -> bool {
        match takeover {
            Takeover::Refuse => false,
            Takeover::Replace => true,
            Takeover::IfStalled => now.since(self.delivered_at) >= STALLED_AFTER,
        }
    }

    /// When it counts as stalled, if nothing comes.
    pub fn stalls_at(&self) -> Option<MediaTime> {
        (self.since.is_some() && !self.is_stalled).then(|| self.delivered_at + STALLED_AFTER)
    }

    /// True: from this moment on it counts as stalled.
    pub fn note_silence(&mut self, now: MediaTime) -> bool {
        let stalls = self.stalls_at().is_some_and(|at| at <= now);
        self.is_stalled |= stalls;
        stalls
    }

    /// Another publisher goes on under the same id.
    pub fn take_over(&mut self, offer: Offer, now: MediaTime) {
        self.offer = offer;
        self.delivered_at = now;
        self.shift = Duration::ZERO;
        self.is_fresh = true;
        self.started_at = None;
        self.is_untold = self.since.is_some();
        self.gop.clear();
        self.packets.each().for_each(PacketTrack::restart);
        // Its tracks are others; only their times go on.
        let last = self.last_dts();
        self.floor = self.floor.max(last);
        (self.audio, self.video) = (None, None);
        let rendered = self.renditions.get(&Rendition::WithoutBPictures).and_then(Rendered::last_dts);
        self.rendered_floor = self.rendered_floor.max(rendered);
        self.judge = BPictureJudge::new();
        self.refers_to_b_pictures = false;
        self.needs_review = true;
        self.subscriptions.iter_mut().for_each(Subscription::restart);
    }

    /// Frames a joiner with these needs should get at once, from a keyframe on.
    pub fn kept(&self, needs: Needs) -> Vec<&Frame> {
        if needs == Needs::default() {
            return self.gop.frames().iter().collect();
        }
        let mut video = self.kept_of(Kind::Video, needs);
        let Some(begin) = video.first().map(|frame| frame.dts) else { return Vec::new() };
        video.extend(self.kept_of(Kind::Audio, needs).into_iter().filter(|frame| frame.dts >= begin));
        video.sort_by_key(|frame| frame.dts);
        video
    }

    fn kept_of(&self, kind: Kind, needs: Needs) -> Vec<&Frame> {
        match needs.of(kind) {
            None => self.gop.frames().iter().filter(|frame| frame.kind() == kind).collect(),
            Some(rendition) => self.renditions.get(&rendition).into_iter().flat_map(Rendered::kept).collect(),
        }
    }

    /// Is this frame the youngest of what is kept of its track, or of a rendition of it?
    pub fn keeps(&self, rendition: Option<Rendition>, frame: &Frame) -> bool {
        match rendition {
            None => !self.gop.frames().is_empty(),
            Some(rendition) => self.renditions.get(&rendition).is_some_and(|rendered| rendered.keeps(frame)),
        }
    }

    /// Is what these needs ask for there, or will it not come?
    pub fn is_ready(&self, needs: Needs) -> bool {
        needs.each().all(|rendition| {
            let track = match rendition.kind() {
                Kind::Audio => &self.audio,
                Kind::Video => &self.video,
            };
            let track = track.as_ref().map(|track| track.last_dts);
            self.renditions.get(&rendition).is_some_and(|rendered| rendered.is_ready(track))
        })
    }

    /// What a receiver needs of the tracks as far as they are known.
    pub fn needs(&self, wish: &Wish) -> Needs {
        let audio = self.audio.as_ref().filter(|_| wish.audio);
        let video = self.video.as_ref().filter(|_| wish.video);
        Needs {
            audio: audio.and_then(|track| wish.accepts.audio.needs(&track.format)),
            video: video.and_then(|_| wish.accepts.video.needs(self.refers_to_b_pictures)),
        }
    }

    /// Another format has come since this was asked last; what failed with the one before is tried again.
    pub fn take_needs_review(&mut self) -> bool {
        let needs_review = std::mem::take(&mut self.needs_review);
        if needs_review {
            self.renditions.retain(|_, rendered| !rendered.has_failed());
        }
        needs_review
    }

    /// Finds what each receiver needs. Answers which renditions end with that, and which begin.
    pub fn review(&mut self) -> (Vec<Rendition>, Vec<Rendition>) {
        let mut wanted = BTreeSet::new();
        for mut subscription in std::mem::take(&mut self.subscriptions) {
            let needs = self.needs(&subscription.wish);
            wanted.extend(needs.each());
            if subscription.wish.view == View::Packets && subscription.needs.video != needs.video {
                self.packets.each().for_each(PacketTrack::restart);
            }
            subscription.follow(needs);
            self.subscriptions.push(subscription);
        }
        let ended: Vec<_> = self.renditions.keys().copied().filter(|rendition| !wanted.contains(rendition)).collect();
        self.renditions.retain(|rendition, _| wanted.contains(rendition));
        let begun: Vec<_> = wanted.into_iter().filter(|wanted| !self.renditions.contains_key(wanted)).collect();
        self.renditions.extend(begun.iter().map(|rendition| (*rendition, Rendered::new(self.gop.budget()))));
        (ended, begun)
    }

    /// Can the frame that came last be sent to who shows pictures as they come?
    pub fn shows_in_order(&self, frame: &Frame) -> bool {
        frame.kind() == Kind::Audio || !self.is_b_picture
    }

    /// Looks at the order of its pictures; another format may say what it will be.
    fn judge(&mut self, frame: &Frame) {
        let Format::H264(format) = &*frame.format else { return };
        self.is_b_picture = self.judge.handle_frame(frame) != BPictures::None;
        let is_known = self.video.as_ref().is_some_and(|track| *track.format == *frame.format);
        let promised = !is_known && BPictures::promised(format) == Some(BPictures::Referenced);
        let refers = promised || (is_known && self.refers_to_b_pictures) || self.judge.worst() == BPictures::Referenced;
        self.needs_review |= refers != self.refers_to_b_pictures;
        self.refers_to_b_pictures = refers;
    }

    /// Puts a frame of a rendition into this publication's time. `None`: nobody needs it any more.
    pub fn take_in_rendered(&mut self, rendition: Rendition, frame: Frame, now: MediaTime) -> Option<Frame> {
        let floor = self.rendered_floor.filter(|_| frame.kind() == Kind::Video);
        let since = self.gop.frames().first().map(|frame| frame.dts);
        Some(self.renditions.get_mut(&rendition)?.take_in(frame, floor, since, now))
    }

    /// A rendition will not come.
    pub fn fail_rendition(&mut self, rendition: Rendition, reason: String) {
        if let Some(rendered) = self.renditions.get_mut(&rendition) {
            rendered.fail(reason);
        }
    }

    /// Are there pictures, or may they still come? Encoders send sound first, by some frames.
    pub fn may_have_video(&self, now: MediaTime) -> bool {
        self.video.is_some() || (self.offer.video && self.is_young(now))
    }

    /// What is known of its tracks in the forms that are needed.
    pub fn formats(&self, needs: Needs, now: MediaTime) -> Formats {
        let format = |kind: Kind, track: &Option<Track>| match needs.of(kind) {
            None => track.as_ref().map(|track| track.format.clone()),
            Some(rendition) => self.renditions.get(&rendition).and_then(Rendered::format),
        };
        let (audio, video) = (format(Kind::Audio, &self.audio), format(Kind::Video, &self.video));
        let lacks_some = (self.offer.audio && audio.is_none()) || (self.offer.video && video.is_none());
        Formats { audio, video, may_grow: lacks_some && self.is_young(now) }
    }

    fn is_young(&self, now: MediaTime) -> bool {
        self.started_at.is_none_or(|start| now.since(start) < TRACK_MAY_COME)
    }

    /// Puts a frame into this publication's time and counts it. `None`: it cannot be forwarded.
    pub fn take_in(&mut self, mut frame: Frame, now: MediaTime, wall: Timestamp) -> Option<(Frame, Change)> {
        let is_wanted = match frame.kind() {
            Kind::Audio => self.offer.audio,
            Kind::Video => self.offer.video,
        };
        if !is_wanted {
            return None;
        }
        self.align(&mut frame);
        self.judge(&frame);
        self.delivered_at = now;
        let was_stalled = std::mem::take(&mut self.is_stalled);
        let change = match self.note(&frame, now, wall) {
            Change::None if was_stalled => Change::Changed,
            change => change,
        };
        self.gop.push(&frame);
        Some((frame, change))
    }

    /// Does somebody receive packets?
    pub fn has_packet_receivers(&self) -> bool {
        self.subscriptions.iter().any(|subscription| subscription.wish.view == View::Packets)
    }

    /// Must frames of that kind, or of a rendition of it, be made into packets?
    pub fn makes_packets_of(&self, kind: Kind, rendition: Option<Rendition>) -> bool {
        let reads = |known: &Subscription| known.wish.view == View::Packets && known.needs.of(kind) == rendition;
        self.packet_track(kind).is_none_or(PacketTrack::is_made) && self.subscriptions.iter().any(reads)
    }

    /// Is a rendition's frame about as young as its track? Who receives packets is not given the past.
    pub fn is_recent(&self, frame: &Frame) -> bool {
        let last = match frame.kind() {
            Kind::Audio => &self.audio,
            Kind::Video => &self.video,
        };
        last.as_ref().is_none_or(|track| track.last_dts.since(frame.dts) <= RENDITION_LAG_MAX)
    }

    /// Takes a packet of a track that is born so.
    pub fn take_packet(&mut self, packet: &Packet<'_>, rings: &mut u64) {
        let kind = packet.codec.kind();
        let is_wanted = match kind {
            Kind::Audio => self.offer.audio,
            Kind::Video => self.offer.video,
        };
        if !is_wanted {
            return;
        }
        let slot = self.packets.slot(kind);
        let track = match slot.take() {
            Some(track) if !track.is_made() && track.codec() == packet.codec => track,
            Some(_) | None => PacketTrack::born(packet.codec, next(rings)),
        };
        slot.insert(track).push(packet);
    }

    /// Makes packets of a frame, unless its track is born as such.
    pub fn make_packets(&mut self, frame: &Frame, rings: &mut u64) {
        let slot = self.packets.slot(frame.kind());
        let is_known = |track: &PacketTrack| !track.is_made() || track.is_of(&frame.format);
        if !slot.as_ref().is_some_and(is_known) {
            *slot = PacketTrack::made(frame, next(rings));
        }
        if let Some(track) = slot {
            track.push_frame(frame);
        }
    }

    /// Makes packets of what is kept, for the first who receives packets.
    pub fn start_packets(&mut self, needs: Needs, rings: &mut u64) {
        let mut judge = BPictureJudge::new();
        let in_order = |frame: &&Frame| judge.handle_frame(frame) == BPictures::None;
        let kept: Vec<Frame> = self.kept(needs).into_iter().filter(in_order).cloned().collect();
        for frame in kept {
            self.make_packets(&frame, rings);
        }
        self.packets.each().for_each(PacketTrack::note_flushed);
    }

    /// Nobody receives packets: none are made.
    pub fn stop_packets(&mut self) {
        for slot in [&mut self.packets.audio, &mut self.packets.video] {
            slot.take_if(|track| track.is_made());
        }
    }

    /// Hands on what has come since the last time. True: somebody waits for a keyframe.
    pub fn flush_packets(&mut self, now: MediaTime, sink: &mut dyn Sink) -> bool {
        let has_video = self.may_have_video(now);
        let Self { packets, subscriptions, offer, .. } = self;
        let mut waits = false;
        // Pictures first: sound opens with them.
        for track in [&mut packets.video, &mut packets.audio].into_iter().flatten().filter(|track| track.has_pending())
        {
            for subscription in subscriptions.iter_mut().filter(|known| known.wish.view == View::Packets) {
                hand_out(track, subscription, has_video, offer, sink);
                waits |= subscription.wish.video && subscription.is_closed();
            }
            track.note_flushed();
        }
        waits && has_video
    }

    /// Hands one receiver what it may begin with. True: it waits for a keyframe.
    pub fn begin_packets(&mut self, subscription: &mut Subscription, now: MediaTime, sink: &mut dyn Sink) -> bool {
        let has_video = self.may_have_video(now);
        for track in [&self.packets.video, &self.packets.audio].into_iter().flatten() {
            hand_out(track, subscription, has_video, &self.offer, sink);
        }
        has_video && subscription.wish.video && subscription.is_closed()
    }

    /// A track as packets, if it is.
    pub fn packet_track(&self, kind: Kind) -> Option<&PacketTrack> {
        match kind {
            Kind::Audio => self.packets.audio.as_ref(),
            Kind::Video => self.packets.video.as_ref(),
        }
    }

    pub fn status(&self) -> PublicationStatus {
        PublicationStatus {
            id: self.offer.publication.clone(),
            endpoint: self.offer.endpoint,
            participant: self.offer.participant.clone(),
            address: self.offer.address.clone(),
            protocol: self.offer.protocol,
            tracks: [&self.audio, &self.video].into_iter().flatten().map(|track| self.track_status(track)).collect(),
            peer: self.offer.peer.clone(),
            since: self.since.unwrap_or_default(),
            is_stalled: self.is_stalled,
        }
    }

    fn track_status(&self, track: &Track) -> TrackStatus {
        let mut status = track.meter.status();
        let consumers = |rendition: Rendition| {
            let needs = |subscription: &&Subscription| subscription.needs.of(rendition.kind()) == Some(rendition);
            self.subscriptions.iter().filter(needs).count()
        };
        let its = self.renditions.iter().filter(|(rendition, _)| rendition.kind() == status.kind);
        status.renditions =
            its.map(|(rendition, rendered)| rendered.status(*rendition, consumers(*rendition))).collect();
        status
    }

    fn last_dts(&self) -> Option<MediaTime> {
        [&self.audio, &self.video].into_iter().flatten().map(|track| track.last_dts).max()
    }

    fn align(&mut self, frame: &mut Frame) {
        if self.is_fresh {
            self.is_fresh = false;
            self.shift = self.floor.map_or(Duration::ZERO, |last| (last + STEP).since(frame.dts));
        }
        let offset = frame.pts.since(frame.dts);
        let last = self.track(frame.kind()).as_ref().map(|track| track.last_dts);
        let floor = last.max(self.floor).map(|last| last + STEP);
        let dts = frame.dts + self.shift;
        frame.dts = floor.map_or(dts, |floor| dts.max(floor));
        frame.pts = frame.dts + offset;
    }

    fn note(&mut self, frame: &Frame, now: MediaTime, wall: Timestamp) -> Change {
        let is_known = self.track(frame.kind()).as_ref().is_some_and(|track| *track.format == *frame.format);
        self.needs_review |= !is_known;
        let change = match (self.since, is_known) {
            (None, _) => Change::Started,
            (Some(_), true) => Change::None,
            (Some(_), false) => Change::Changed,
        };
        self.since.get_or_insert(wall);
        self.started_at.get_or_insert(now);
        let track = self.track(frame.kind());
        let track = track.get_or_insert_with(|| Track {
            format: frame.format.clone(),
            last_dts: frame.dts,
            meter: Meter::new(frame, now),
        });
        track.last_dts = frame.dts;
        if change != Change::None {
            track.format = frame.format.clone();
            track.meter.set_format(&frame.format);
        }
        track.meter.count(frame, now);
        if !self.is_untold {
            return change;
        }
        // A successor's sound comes first: not a word until its pictures are there, or will not come.
        self.is_untold = self.video.is_none() && self.may_have_video(now);
        if self.is_untold { Change::None } else { Change::Changed }
    }

    fn track(&mut self, kind: Kind) -> &mut Option<Track> {
        match kind {
            Kind::Audio => &mut self.audio,
            Kind::Video => &mut self.video,
        }
    }
}

impl Packets {
    fn slot(&mut self, kind: Kind) -> &mut Option<PacketTrack> {
        match kind {
            Kind::Audio => &mut self.audio,
            Kind::Video => &mut self.video,
        }
    }

    fn each(&mut self) -> impl Iterator<Item = &mut PacketTrack> {
        [&mut self.audio, &mut self.video].into_iter().flatten()
    }
}

fn hand_out(track: &PacketTrack, subscription: &mut Subscription, has_video: bool, offer: &Offer, sink: &mut dyn Sink) {
    let range = subscription.read(track, has_video);
    if !range.is_empty() {
        sink.handle_packets(track.delivery(subscription.wish.endpoint, &offer.publication, range));
    }
}

fn next(rings: &mut u64) -> u64 {
    *rings += 1;
    *rings
}
