//! One endpoint's receipt of a publication.

use std::ops::Range;
use std::time::Duration;

use heliu_model::{EndpointId, Frame, Kind, MediaTime, PublicationId};

use crate::accepts::{Accepts, Needs};
use crate::packets::{Cursor, PacketTrack};

/// How long who joins waits for a rendition to begin before it starts without.
const RENDITION_MAY_COME: Duration = Duration::from_secs(1);

/// How long an endpoint stays with a publication that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Not at all.
    No,
    /// So long.
    For(Duration),
    /// Until it unsubscribes.
    Forever,
}

/// As what an endpoint receives tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Access units and sound frames.
    Frames,
    /// RTP packets.
    Packets,
}

/// What an endpoint wants to receive.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Who receives.
    pub endpoint: EndpointId,
    /// What.
    pub publication: PublicationId,
    /// Sound is wanted.
    pub audio: bool,
    /// Pictures are wanted.
    pub video: bool,
    /// In which form; where a track has another, a rendition is made.
    pub accepts: Accepts,
    /// Sound may come before the first picture. Players start both together.
    pub is_sound_early: bool,
    /// While it has not come yet.
    pub wait: Patience,
    /// When it has gone.
    pub hold: Patience,
    /// Counts as a viewer.
    pub is_viewer: bool,
    /// As what.
    pub view: View,
}

/// A wish and how far it is.
#[derive(Debug)]
pub struct Subscription {
    pub wish: Wish,
    /// Which renditions stand in for the tracks.
    pub needs: Needs,
    state: State,
    /// Where its sound has come to: another source of it may overlap.
    heard: Option<MediaTime>,
    audio: Cursor,
    video: Cursor,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// The publication is not there; patience ends then.
    Absent { until: Option<MediaTime> },
    /// Waits for what it needs to be there.
    Held { until: Option<MediaTime> },
    /// Waits for a keyframe.
    Closed,
    /// Pictures flow.
    Open,
}

impl Subscription {
    pub fn absent(wish: Wish, now: MediaTime) -> Self {
        let until = deadline(wish.wait, now);
        Self { state: State::Absent { until }, ..Self::present(wish) }
    }

    pub fn present(wish: Wish) -> Self {
        let state = State::first(wish.view);
        let (audio, video) = (Cursor::default(), Cursor::default());
        Self { wish, needs: Needs::default(), state, heard: None, audio, video }
    }

    /// The publication, or another publisher of it, has come, or pictures are another rendition's from
    /// here on: they begin with the next keyframe.
    pub fn restart(&mut self) {
        self.state = State::first(self.wish.view);
        (self.audio, self.video) = (Cursor::default(), Cursor::default());
    }

    /// Takes what it needs from other sources than before.
    pub fn follow(&mut self, needs: Needs) {
        if needs.video != self.needs.video {
            self.restart();
        }
        self.needs = needs;
    }

    /// The publication has gone. False: so does this.
    pub fn suspend(&mut self, now: MediaTime) -> bool {
        self.state = State::Absent { until: deadline(self.wish.hold, now) };
        self.wish.hold != Patience::No
    }

    /// When patience ends.
    pub fn deadline(&self) -> Option<MediaTime> {
        match self.state {
            State::Absent { until } => until,
            State::Held { .. } | State::Closed | State::Open => None,
        }
    }

    /// Is it held, and holds it no longer? Then it begins with what is kept. `is_ready`: is there what
    /// these needs ask for?
    pub fn takes_up(&mut self, is_ready: impl FnOnce(Needs) -> bool, now: MediaTime) -> bool {
        let State::Held { until } = &mut self.state else { return false };
        let until = *until.get_or_insert(now + RENDITION_MAY_COME);
        let takes_up = until <= now || is_ready(self.needs);
        if takes_up {
            self.state = State::Closed;
        }
        takes_up
    }

    /// Does it wait for pictures that it could not begin with?
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// What of a track's packets is this one's. `has_video`: as for frames.
    pub fn read(&mut self, track: &PacketTrack, has_video: bool) -> Range<u64> {
        let kind = track.codec().kind();
        let waits_for_video = self.wish.video && has_video;
        match (self.state, kind) {
            (State::Absent { .. } | State::Held { .. }, _) => return 0..0,
            (_, Kind::Video) if !self.wish.video => return 0..0,
            (_, Kind::Audio) if !self.wish.audio => return 0..0,
            (State::Closed, Kind::Audio) if waits_for_video && !self.wish.is_sound_early => return 0..0,
            (State::Closed | State::Open, _) => {}
        }
        let cursor = match kind {
            Kind::Audio => &mut self.audio,
            Kind::Video => &mut self.video,
        };
        let range = track.read(cursor);
        if !range.is_empty() && kind == Kind::Video {
            self.state = State::Open;
        }
        range
    }

    /// Decides on one frame of a source it needs. `has_video`: the publication has pictures, or they may
    /// still come.
    pub fn admits(&mut self, frame: &Frame, has_video: bool) -> bool {
        match (self.state, frame.kind()) {
            (State::Absent { .. } | State::Held { .. }, _) => false,
            (_, Kind::Video) if !self.wish.video => false,
            (State::Closed, Kind::Video) if frame.is_key => {
                self.state = State::Open;
                true
            }
            (State::Closed, Kind::Video) => false,
            (State::Open, Kind::Video) => true,
            (_, Kind::Audio) if !self.wish.audio => false,
            (State::Closed, Kind::Audio) if !self.wish.is_sound_early && self.wish.video && has_video => false,
            (State::Closed | State::Open, Kind::Audio) => {
                let goes_on = self.heard.is_none_or(|heard| heard < frame.dts);
                self.heard = self.heard.max(Some(frame.dts));
                goes_on
            }
        }
    }
}

impl State {
    /// Who receives packets is not held: it reads on from where each track is.
    fn first(view: View) -> Self {
        match view {
            View::Frames => Self::Held { until: None },
            View::Packets => Self::Closed,
        }
    }
}

fn deadline(patience: Patience, now: MediaTime) -> Option<MediaTime> {
    match patience {
        Patience::No => Some(now),
        Patience::For(span) => Some(now + span),
        Patience::Forever => None,
    }
}
