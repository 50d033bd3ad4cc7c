//! What one endpoint offers to the room: at most one track of each kind.
//!
//! Keeps each track's dts strictly increasing, also when another publisher takes over: subscribers see
//! one publication that goes on.

use std::sync::Arc;
use std::time::Duration;

use heliu_model::{
    Address, EndpointId, Format, Frame, Kind, MediaTime, ParticipantId, PublicationId, PublicationStatus, Takeover,
    Timestamp,
};

use crate::gop::Gop;
use crate::meter::Meter;
use crate::subscription::Subscription;

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
    /// What is added to the times of this publisher so that they follow on the one before.
    shift: Duration,
    /// The next frame is this publisher's first.
    is_fresh: bool,
    /// It took over, and which tracks it has is not clear yet.
    is_untold: bool,
    /// Where the publishers before it have ended.
    floor: Option<MediaTime>,
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
    pub fn new(offer: Offer, arrived: u64, now: MediaTime) -> Self {
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
            gop: Gop::default(),
            shift: Duration::ZERO,
            is_fresh: true,
            is_untold: false,
            floor: None,
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
        // Its tracks are others; only their times go on.
        let last = self.last_dts();
        self.floor = self.floor.max(last);
        (self.audio, self.video) = (None, None);
        self.subscriptions.iter_mut().for_each(Subscription::restart);
    }

    /// Frames a joiner should get at once.
    pub fn gop(&self) -> &[Frame] {
        self.gop.frames()
    }

    /// Are there pictures, or may they still come? Encoders send sound first, by some frames.
    pub fn may_have_video(&self, now: MediaTime) -> bool {
        self.video.is_some() || (self.offer.video && self.is_young(now))
    }

    /// What is known of its tracks.
    pub fn formats(&self, now: MediaTime) -> Formats {
        let format = |track: &Option<Track>| track.as_ref().map(|track| track.format.clone());
        let lacks_audio = self.offer.audio && self.audio.is_none();
        let lacks_video = self.offer.video && self.video.is_none();
        let may_grow = (lacks_audio || lacks_video) && self.is_young(now);
        Formats { audio: format(&self.audio), video: format(&self.video), may_grow }
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
        self.delivered_at = now;
        let was_stalled = std::mem::take(&mut self.is_stalled);
        let change = match self.note(&frame, now, wall) {
            Change::None if was_stalled => Change::Changed,
            change => change,
        };
        self.gop.push(&frame);
        Some((frame, change))
    }

    pub fn status(&self) -> PublicationStatus {
        PublicationStatus {
            id: self.offer.publication.clone(),
            endpoint: self.offer.endpoint,
            participant: self.offer.participant.clone(),
            address: self.offer.address.clone(),
            protocol: self.offer.protocol,
            tracks: [&self.audio, &self.video].into_iter().flatten().map(|track| track.meter.status()).collect(),
            peer: self.offer.peer.clone(),
            since: self.since.unwrap_or_default(),
            is_stalled: self.is_stalled,
        }
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
        let change = match (self.since, self.track(frame.kind())) {
            (None, _) => Change::Started,
            (Some(_), Some(track)) if *track.format == *frame.format => Change::None,
            (Some(_), _) => Change::Changed,
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
