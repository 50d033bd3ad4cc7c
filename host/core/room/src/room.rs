//! The room itself: holds publications and those who wait for one, and says what happened.

use std::collections::{BTreeMap, VecDeque};

use heliu_model::{
    EndpointId, EventKind, Frame, Kind, LeaveReason, MediaTime, ParticipantId, PublicationId, RoomStatus, Timestamp,
};

use heliu_rtp::Meta;

use crate::accepts::Rendition;
use crate::gop_budget::GopBudget;
use crate::packets::{Packet, PacketDelivery};
use crate::publication::{Change, Formats, Offer, Publication};
use crate::receivers::Receivers;
use crate::subscription::{Patience, Subscription, View, Wish};

/// Why the room refused. It is unchanged after any of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another publisher holds the id, and the takeover rule keeps it.
    #[error("the publication is taken")]
    Taken,
    /// Nothing is published under this id, and the endpoint does not wait.
    #[error("no such publication")]
    NotFound,
    /// A stranger cannot grow a room without end.
    #[error("the room holds {0} publications, its limit")]
    Full(usize),
}

/// What the shell must know or do.
#[derive(Debug, PartialEq)]
pub enum RoomEvent {
    /// For whoever watches rooms.
    Happened(EventKind),
    /// Another took this publisher's place: end its endpoint.
    Replaced(EndpointId),
    /// What this endpoint received is gone, and its patience was none.
    Ended(EndpointId, PublicationId),
    /// What this endpoint waited for did not come in time.
    NotFound(EndpointId, PublicationId),
    /// Somebody cannot begin, or go on, without a keyframe from this publisher.
    KeyframeWanted(EndpointId, PublicationId),
    /// Somebody needs a track in another form: make it, and hand it over by [`Room::handle_rendition`].
    RenditionWanted(PublicationId, Rendition),
    /// Nobody needs it any more.
    RenditionUnwanted(PublicationId, Rendition),
}

/// Takes what the room hands out.
pub trait Sink {
    /// One frame.
    fn handle_frame(&mut self, delivery: Delivery<'_>);

    /// Some packets of one track.
    fn handle_packets(&mut self, delivery: PacketDelivery<'_>);
}

/// One frame for one endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Who gets it.
    pub endpoint: EndpointId,
    /// Of what.
    pub publication: &'a PublicationId,
    /// Shared by all who get it.
    pub frame: &'a Frame,
    /// Of all tracks of the publication, in the forms this endpoint gets them.
    pub formats: &'a Formats,
}

const PUBLICATIONS_MAX: usize = 256;

/// Publications and subscriptions of one room.
#[derive(Debug, Default)]
pub struct Room {
    publications: BTreeMap<PublicationId, Publication>,
    /// Subscriptions whose publication is not there.
    absent: Vec<Subscription>,
    events: VecDeque<RoomEvent>,
    arrivals: u64,
    rings: u64,
    budget: GopBudget,
}

impl Room {
    /// Empty; what it keeps for those who join late is of this budget.
    #[must_use]
    pub fn new(budget: GopBudget) -> Self {
        Self { budget, ..Self::default() }
    }

    /// Lets an endpoint publish. Media follows by [`Room::handle_frame`].
    ///
    /// # Errors
    /// The id is taken, or the room is full.
    pub fn publish(&mut self, offer: Offer, now: MediaTime) -> Result<(), Error> {
        if let Some(publication) = self.publications.get_mut(&offer.publication) {
            if !publication.may_be_taken(offer.takeover, now) {
                return Err(Error::Taken);
            }
            let before = std::mem::replace(&mut publication.offer.endpoint, offer.endpoint);
            let former = publication.offer.participant.clone();
            let participant = offer.participant.clone();
            let protocol = offer.protocol;
            publication.take_over(offer, now);
            review(publication, &mut self.events);
            self.events.push_back(RoomEvent::Replaced(before));
            if former != participant {
                self.note_left(former, LeaveReason::Replaced);
                self.note_joined(participant, protocol);
            }
            return Ok(());
        }
        if self.publications.len() >= PUBLICATIONS_MAX {
            return Err(Error::Full(PUBLICATIONS_MAX));
        }
        self.arrivals += 1;
        let id = offer.publication.clone();
        let participant = offer.participant.clone();
        let protocol = offer.protocol;
        let mut publication = Publication::new(offer, self.arrivals, now, self.budget.clone());
        let (mut waiting, others) =
            std::mem::take(&mut self.absent).into_iter().partition(|waiting| waiting.wish.publication == id);
        self.absent = others;
        publication.subscriptions.append(&mut waiting);
        publication.subscriptions.iter_mut().for_each(Subscription::restart);
        self.publications.insert(id, publication);
        self.note_joined(participant, protocol);
        Ok(())
    }

    /// Ends what an endpoint publishes; fine if it publishes nothing (any more).
    pub fn unpublish(&mut self, endpoint: EndpointId, reason: LeaveReason, now: MediaTime) {
        let is_its = |publication: &Publication| publication.offer.endpoint == endpoint;
        let Some(id) = self.publications.iter().find(|(_, p)| is_its(p)).map(|(id, _)| id.clone()) else {
            return;
        };
        let mut publication = self.publications.remove(&id).expect("it was just found");
        let subscriptions = std::mem::take(&mut publication.subscriptions);
        review(&mut publication, &mut self.events);
        for mut subscription in subscriptions {
            if subscription.suspend(now) {
                self.absent.push(subscription);
            } else {
                self.events.push_back(RoomEvent::Ended(subscription.wish.endpoint, id.clone()));
            }
        }
        let participant = publication.offer.participant;
        if publication.since.is_some() {
            let participant = participant.clone();
            let ended = EventKind::PublicationEnded { publication: id, participant, reason };
            self.events.push_back(RoomEvent::Happened(ended));
        }
        self.note_left(participant, reason);
    }

    /// Lets an endpoint receive. What is kept since the last keyframe is delivered at once.
    ///
    /// # Errors
    /// Nothing is there, and the endpoint does not wait.
    pub fn subscribe(&mut self, wish: Wish, now: MediaTime, sink: &mut dyn Sink) -> Result<(), Error> {
        let Some(publication) = self.publications.get_mut(&wish.publication) else {
            if wish.wait == Patience::No {
                return Err(Error::NotFound);
            }
            self.absent.push(Subscription::absent(wish, now));
            return Ok(());
        };
        let is_first = !publication.has_packet_receivers();
        publication.subscriptions.push(Subscription::present(wish));
        review(publication, &mut self.events);
        let mut subscription = publication.subscriptions.pop().expect("it was just pushed");
        if subscription.wish.view == View::Frames {
            Receivers::new(publication, now).take_up(&mut subscription, sink);
        } else {
            if is_first {
                publication.start_packets(subscription.needs, &mut self.rings);
            }
            if publication.begin_packets(&mut subscription, now, sink) {
                let wanted =
                    RoomEvent::KeyframeWanted(publication.offer.endpoint, publication.offer.publication.clone());
                self.events.push_back(wanted);
            }
        }
        publication.subscriptions.push(subscription);
        Ok(())
    }

    /// Ends all that an endpoint receives of a publication (`None`: of every one).
    pub fn unsubscribe(&mut self, endpoint: EndpointId, publication: Option<&PublicationId>) {
        let stays = |subscription: &Subscription| {
            let wish = &subscription.wish;
            wish.endpoint != endpoint || publication.is_some_and(|id| *id != wish.publication)
        };
        self.absent.retain(stays);
        for publication in self.publications.values_mut() {
            publication.subscriptions.retain(stays);
            if !publication.has_packet_receivers() {
                publication.stop_packets();
            }
            review(publication, &mut self.events);
        }
    }

    /// Takes a publisher's frame and hands it to everybody who should get it.
    pub fn handle_frame(
        &mut self,
        endpoint: EndpointId,
        id: &PublicationId,
        frame: Frame,
        now: MediaTime,
        wall: Timestamp,
        sink: &mut dyn Sink,
    ) {
        let Some(publication) = self.publications.get_mut(id).filter(|found| found.offer.endpoint == endpoint) else {
            return;
        };
        let Some((frame, change)) = publication.take_in(frame, now, wall) else { return };
        match change {
            Change::None => {}
            Change::Started => {
                let started = EventKind::PublicationStarted(publication.status());
                self.events.push_back(RoomEvent::Happened(started));
            }
            Change::Changed => {
                let changed = EventKind::PublicationChanged(publication.status());
                self.events.push_back(RoomEvent::Happened(changed));
            }
        }
        if publication.take_needs_review() {
            review(publication, &mut self.events);
        }
        Receivers::hand_out(publication, None, &frame, now, sink);
        if publication.makes_packets_of(frame.kind(), None) && publication.shows_in_order(&frame) {
            publication.make_packets(&frame, &mut self.rings);
            // Who waits for a keyframe of such a track has asked when it came.
            publication.flush_packets(now, sink);
        }
    }

    /// Takes a frame that was made of a publication's and hands it to everybody who needs it so. Its times
    /// are those of the frames it was made of.
    pub fn handle_rendition(
        &mut self,
        id: &PublicationId,
        rendition: Rendition,
        frame: Frame,
        now: MediaTime,
        sink: &mut dyn Sink,
    ) {
        let Some(publication) = self.publications.get_mut(id) else { return };
        let Some(frame) = publication.take_in_rendered(rendition, frame, now) else { return };
        Receivers::hand_out(publication, Some(rendition), &frame, now, sink);
        if publication.makes_packets_of(frame.kind(), Some(rendition)) && publication.is_recent(&frame) {
            publication.make_packets(&frame, &mut self.rings);
            publication.flush_packets(now, sink);
        }
    }

    /// A rendition cannot be made; `reason` in words. It is wanted again when its track's format changes.
    pub fn fail_rendition(&mut self, id: &PublicationId, rendition: Rendition, reason: String) {
        if let Some(publication) = self.publications.get_mut(id) {
            publication.fail_rendition(rendition, reason);
        }
    }

    /// Takes a publisher's packet. It is handed on by [`Room::flush_packets`]; what it carries as frames
    /// follows by [`Room::handle_frame`].
    pub fn handle_packet(&mut self, endpoint: EndpointId, id: &PublicationId, packet: &Packet<'_>) {
        if let Some(publication) = self.publications.get_mut(id).filter(|found| found.offer.endpoint == endpoint) {
            publication.take_packet(packet, &mut self.rings);
        }
    }

    /// Hands on the packets that have come since the last time.
    pub fn flush_packets(&mut self, id: &PublicationId, now: MediaTime, sink: &mut dyn Sink) {
        let Some(publication) = self.publications.get_mut(id) else { return };
        if publication.flush_packets(now, sink) {
            self.want_keyframe(&id.clone());
        }
    }

    /// Somebody cannot go on without a keyframe.
    pub fn want_keyframe(&mut self, id: &PublicationId) {
        let Some(publication) = self.publications.get(id) else { return };
        let wanted = RoomEvent::KeyframeWanted(publication.offer.endpoint, id.clone());
        if !self.events.contains(&wanted) {
            self.events.push_back(wanted);
        }
    }

    /// A packet that was handed on and is still kept.
    #[must_use]
    pub fn packet(&self, id: &PublicationId, kind: Kind, ring_id: u64, sequence: u64) -> Option<(&Meta, &[u8])> {
        self.publications.get(id)?.packet_track(kind)?.find(ring_id, sequence)
    }

    /// When [`Room::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MediaTime> {
        let stalls = self.publications.values().filter_map(Publication::stalls_at);
        self.absent.iter().filter_map(Subscription::deadline).chain(stalls).min()
    }

    /// Ends the patience of those whose time is up, and tells of publishers that fell silent.
    pub fn handle_timeout(&mut self, now: MediaTime) {
        for publication in self.publications.values_mut() {
            if publication.note_silence(now) {
                let changed = EventKind::PublicationChanged(publication.status());
                self.events.push_back(RoomEvent::Happened(changed));
            }
        }
        let is_over = |waiting: &Subscription| waiting.deadline().is_some_and(|deadline| deadline <= now);
        let (over, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.absent).into_iter().partition(is_over);
        self.absent = others;
        for Subscription { wish, .. } in over {
            self.events.push_back(RoomEvent::NotFound(wish.endpoint, wish.publication));
        }
    }

    /// What the shell must know or do next.
    pub fn poll_event(&mut self) -> Option<RoomEvent> {
        self.events.pop_front()
    }

    /// Is nobody here?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.publications.is_empty() && self.absent.is_empty()
    }

    /// What is here, in order of arrival.
    #[must_use]
    pub fn status(&self) -> RoomStatus {
        let mut started: Vec<&Publication> = self.publications.values().filter(|p| p.since.is_some()).collect();
        started.sort_by_key(|publication| publication.arrived());
        let present = self.publications.values().flat_map(|publication| &publication.subscriptions);
        let viewers = present.chain(&self.absent).filter(|subscription| subscription.wish.is_viewer).count();
        RoomStatus {
            publications: started.into_iter().map(Publication::status).collect(),
            viewers: u32::try_from(viewers).unwrap_or(u32::MAX),
            players: BTreeMap::new(),
            sources: BTreeMap::new(),
        }
    }

    fn note_joined(&mut self, participant: Option<ParticipantId>, protocol: &'static str) {
        let Some(participant) = participant else { return };
        if self.publications_of(&participant) == 1 {
            let joined = EventKind::ParticipantJoined { participant, protocol };
            self.events.push_back(RoomEvent::Happened(joined));
        }
    }

    fn note_left(&mut self, participant: Option<ParticipantId>, reason: LeaveReason) {
        let Some(participant) = participant else { return };
        if self.publications_of(&participant) == 0 {
            self.events.push_back(RoomEvent::Happened(EventKind::ParticipantLeft { participant, reason }));
        }
    }

    fn publications_of(&self, participant: &ParticipantId) -> usize {
        self.publications.values().filter(|p| p.offer.participant.as_ref() == Some(participant)).count()
    }
}

/// What receivers need has changed, maybe, and with it what must be made.
fn review(publication: &mut Publication, events: &mut VecDeque<RoomEvent>) {
    let (ended, begun) = publication.review();
    let id = &publication.offer.publication;
    events.extend(ended.into_iter().map(|rendition| RoomEvent::RenditionUnwanted(id.clone(), rendition)));
    events.extend(begun.into_iter().map(|rendition| RoomEvent::RenditionWanted(id.clone(), rendition)));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bytes::Bytes;
    use heliu_model::{AacFormat, Format, H264Format, Size, Takeover};

    use super::*;
    use crate::accepts::Accepts;

    #[test]
    fn a_player_starts_with_the_keyframe_and_its_sound() {
        let mut stage = Stage::default();
        stage.publish(1, Takeover::Refuse).unwrap();
        stage.feed(1, &[video(0, true), audio(10), video(40, false), audio(50)]);
        assert_eq!(stage.subscribe(2, Patience::No), Ok(()));
        assert_eq!(stage.seen(2), [0, 10, 40, 50], "the kept group of pictures comes at once");
        stage.feed(1, &[video(80, false)]);
        assert_eq!(stage.seen(2), [80]);
    }

    #[test]
    fn without_a_kept_keyframe_a_player_waits_for_the_next() {
        let mut stage = Stage::default();
        stage.publish(1, Takeover::Refuse).unwrap();
        stage.feed(1, &[video(0, false)]);
        stage.subscribe(2, Patience::No).unwrap();
        for (what, frame, want) in [
            ("a delta is useless", video(40, false), vec![]),
            ("sound alone would start the player too early", audio(50), vec![]),
            ("a keyframe opens", video(80, true), vec![80]),
            ("sound follows", audio(90), vec![90]),
        ] {
            stage.feed(1, &[frame]);
            assert_eq!(stage.seen(2), want, "{what}");
        }
    }

    #[test]
    fn sound_waits_a_second_for_its_pictures() {
        let mut stage = Stage::default();
        stage.publish(1, Takeover::Refuse).unwrap();
        stage.subscribe(2, Patience::No).unwrap();
        for (what, at_ms, want) in [("pictures may come", 0, vec![]), ("none came", 1_000, vec![1_000])] {
            stage.now = MediaTime::from_millis(at_ms);
            stage.feed(1, &[audio(at_ms)]);
            assert_eq!(stage.seen(2), want, "{what}");
        }
    }

    #[test]
    fn the_takeover_rule_decides_about_a_second_publisher() {
        for (rule, silent_ms, want) in [
            (Takeover::Refuse, 10_000, Err(Error::Taken)),
            (Takeover::Replace, 0, Ok(())),
            (Takeover::IfStalled, 1_999, Err(Error::Taken)),
            (Takeover::IfStalled, 2_000, Ok(())),
        ] {
            let mut stage = Stage::default();
            stage.publish(1, Takeover::Refuse).unwrap();
            stage.feed(1, &[video(0, true)]);
            stage.now = stage.now + Duration::from_millis(silent_ms);
            assert_eq!(stage.publish(2, rule), want, "{rule:?} after {silent_ms} ms");
        }
    }

    #[test]
    fn viewers_of_a_replaced_publisher_see_time_go_on() {
        let mut stage = Stage::default();
        stage.publish(1, Takeover::Refuse).unwrap();
        stage.subscribe(9, Patience::No).unwrap();
        stage.feed(1, &[video(1_000, true), audio(1_010)]);
        stage.publish(2, Takeover::Replace).unwrap();
        assert!(stage.events().contains(&RoomEvent::Replaced(EndpointId(1))));
        stage.feed(2, &[video(500, true), audio(505), video(540, false)]);
        stage.feed(1, &[video(2_000, true)]);
        assert_eq!(stage.seen(9), [1_000, 1_010, 1_011, 1_016, 1_051], "the replaced one is not heard");
    }

    #[test]
    fn a_successor_without_pictures_is_heard() {
        let mut stage = Stage::default();
        stage.publish(1, Takeover::Refuse).unwrap();
        stage.subscribe(9, Patience::No).unwrap();
        stage.feed(1, &[audio(0), video(1, true)]);
        stage.seen(9);
        stage.publish(2, Takeover::Replace).unwrap();
        stage.events();
        stage.feed(2, &[audio(100)]);
        assert_eq!((stage.seen(9), stage.events()), (vec![], vec![]), "pictures may still come");
        stage.now = stage.now + Duration::from_secs(1);
        stage.feed(2, &[audio(1_100)]);
        assert_eq!(stage.seen(9), [1_100]);
        let [RoomEvent::Happened(EventKind::PublicationChanged(status))] = &stage.events()[..] else { panic!("told") };
        assert_eq!(status.tracks.len(), 1);
    }

    #[test]
    fn a_publisher_that_falls_silent_is_told_once_and_again_when_it_goes_on() {
        let mut stage = Stage::default();
        stage.publish(1, Takeover::Refuse).unwrap();
        stage.feed(1, &[video(0, true)]);
        stage.events();
        for (what, at_ms, frame, want) in [
            ("it may be slow", 1_999, None, vec![]),
            ("it is silent", 2_000, None, vec![true]),
            ("it still is", 9_000, None, vec![]),
            ("it goes on", 9_100, Some(video(9_100, true)), vec![false]),
            ("and on", 9_140, Some(video(9_140, false)), vec![]),
        ] {
            stage.now = MediaTime::from_millis(at_ms);
            stage.room.handle_timeout(stage.now);
            stage.feed(1, frame.as_slice());
            let told = stage.events().into_iter().map(|event| match event {
                RoomEvent::Happened(EventKind::PublicationChanged(status)) => status.is_stalled,
                other => panic!("{what}: {other:?}"),
            });
            assert_eq!(told.collect::<Vec<_>>(), want, "{what}");
        }
    }

    #[test]
    fn who_waits_gets_it_or_hears_that_it_did_not_come() {
        let mut stage = Stage::default();
        assert_eq!(stage.subscribe(2, Patience::No), Err(Error::NotFound));
        stage.subscribe(3, Patience::For(Duration::from_millis(500))).unwrap();
        stage.subscribe(4, Patience::Forever).unwrap();
        assert_eq!(stage.room.poll_timeout(), Some(MediaTime::from_millis(500)));
        stage.room.handle_timeout(MediaTime::from_millis(500));
        assert_eq!(stage.events(), [RoomEvent::NotFound(EndpointId(3), cam())]);
        stage.publish(1, Takeover::Refuse).unwrap();
        stage.feed(1, &[video(0, true)]);
        assert_eq!((stage.seen(3), stage.seen(4)), (vec![], vec![0]));
    }

    #[test]
    fn an_ended_publication_is_told_to_everybody_once() {
        let mut stage = Stage::default();
        stage.publish(1, Takeover::Refuse).unwrap();
        stage.feed(1, &[video(0, true)]);
        stage.subscribe(2, Patience::No).unwrap();
        stage.subscribe(3, Patience::Forever).unwrap();
        stage.events();
        stage.room.unpublish(EndpointId(1), LeaveReason::Lost, stage.now);
        stage.room.unpublish(EndpointId(1), LeaveReason::Lost, stage.now);
        let participant: ParticipantId = "p".parse().unwrap();
        let ended = EventKind::PublicationEnded {
            publication: cam(),
            participant: Some(participant.clone()),
            reason: LeaveReason::Lost,
        };
        let left = EventKind::ParticipantLeft { participant, reason: LeaveReason::Lost };
        assert_eq!(
            stage.events(),
            [RoomEvent::Ended(EndpointId(2), cam()), RoomEvent::Happened(ended), RoomEvent::Happened(left)]
        );
        assert!(!stage.room.is_empty(), "the third one still waits");
        stage.room.unsubscribe(EndpointId(3), None);
        assert!(stage.room.is_empty());
    }

    #[test]
    fn times_of_a_track_only_grow() {
        let mut stage = Stage::default();
        stage.publish(1, Takeover::Refuse).unwrap();
        stage.subscribe(2, Patience::No).unwrap();
        stage.feed(1, &[video(0, true), video(0, false), video(-50, false), video(40, false)]);
        assert_eq!(stage.seen(2), [0, 1, 2, 40]);
    }

    #[test]
    fn a_group_of_pictures_beyond_its_bound_is_not_kept() {
        let mut stage = Stage::default();
        stage.publish(1, Takeover::Refuse).unwrap();
        let mut frames = vec![video(0, true)];
        frames.extend((1..2_000).map(|n| video(n * 40, false)));
        stage.feed(1, &frames);
        stage.subscribe(2, Patience::No).unwrap();
        assert_eq!(stage.seen(2), [0; 0]);
    }

    #[derive(Default)]
    struct Stage {
        room: Room,
        now: MediaTime,
        seen: Seen,
    }

    /// Who got which dts, in milliseconds.
    #[derive(Default)]
    struct Seen(Vec<(EndpointId, i64)>);

    impl Sink for Seen {
        fn handle_frame(&mut self, delivery: Delivery<'_>) {
            self.0.push((delivery.endpoint, delivery.frame.dts.as_millis()));
        }

        fn handle_packets(&mut self, _: PacketDelivery<'_>) {
            panic!("nobody receives packets");
        }
    }

    impl Stage {
        fn publish(&mut self, endpoint: u64, takeover: Takeover) -> Result<(), Error> {
            let offer = Offer {
                endpoint: EndpointId(endpoint),
                publication: cam(),
                participant: Some("p".parse().unwrap()),
                address: None,
                protocol: "rtmp",
                audio: true,
                video: true,
                peer: None,
                takeover,
            };
            self.room.publish(offer, self.now)
        }

        fn subscribe(&mut self, endpoint: u64, patience: Patience) -> Result<(), Error> {
            let wish = Wish {
                endpoint: EndpointId(endpoint),
                publication: cam(),
                audio: true,
                video: true,
                accepts: Accepts::default(),
                is_sound_early: false,
                wait: patience,
                hold: patience,
                is_viewer: true,
                view: View::Frames,
            };
            self.room.subscribe(wish, self.now, &mut self.seen)
        }

        fn feed(&mut self, endpoint: u64, frames: &[Frame]) {
            for frame in frames {
                let (id, sink) = (EndpointId(endpoint), &mut self.seen);
                self.room.handle_frame(id, &cam(), frame.clone(), self.now, Timestamp(7), sink);
            }
        }

        fn seen(&mut self, endpoint: u64) -> Vec<i64> {
            let (its, others) = self.seen.0.drain(..).partition(|(id, _)| id.0 == endpoint);
            self.seen.0 = others;
            let its: Vec<(EndpointId, i64)> = its;
            its.into_iter().map(|(_, dts)| dts).collect()
        }

        fn events(&mut self) -> Vec<RoomEvent> {
            std::iter::from_fn(|| self.room.poll_event()).collect()
        }
    }

    fn cam() -> PublicationId {
        "cam".parse().unwrap()
    }

    fn video(ms: i64, is_key: bool) -> Frame {
        let size = Size { width: 16, height: 16 };
        frame(Format::H264(H264Format { record: Bytes::new(), size, frame_rate: None }), ms, is_key)
    }

    fn audio(ms: i64) -> Frame {
        frame(Format::Aac(AacFormat { config: Bytes::new(), sample_rate: 48_000, channels: 2 }), ms, true)
    }

    fn frame(format: Format, ms: i64, is_key: bool) -> Frame {
        let time = MediaTime::from_millis(ms);
        Frame { format: Arc::new(format), dts: time, pts: time, is_key, data: Bytes::from_static(b"x") }
    }
}
