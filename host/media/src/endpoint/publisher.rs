//! An RTMP client that sends: its session, and its media put on the room's clock.

use std::rc::Rc;
use std::time::Instant;

use heliu_container::Timeline;
use heliu_container::flv::{FlvFrame, FlvReader};
use heliu_model::{Frame, LeaveReason, MediaTime, PublicationId, Traffic};
use heliu_rtmp::{Media, ServerEvent, ServerSession};

use crate::endpoint::client::{Next, flush};
use crate::queue::SendQueue;

/// Tags in a row that mean nothing: a publisher that sends more of them is broken.
const DISCARDS_MAX: u32 = 2_000;
/// Over which a publisher's rate is held against its grant.
const RATE_WINDOW_MS: i64 = 5_000;

/// An RTMP publisher.
pub struct Publisher {
    session: ServerSession,
    queue: Rc<SendQueue>,
    publication: PublicationId,
    reader: FlvReader,
    timeline: Timeline,
    /// In a row.
    discards: u32,
    received: Traffic,
    discards_total: u64,
    budget: Option<Budget>,
    until: Option<Instant>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Over(LeaveReason),
}

/// What a publisher may send within a window.
struct Budget {
    kbps_max: u32,
    since: MediaTime,
    bytes: u64,
}

/// What comes out of a publisher's bytes.
pub enum Polled {
    /// For the room.
    Frame(Frame),
    /// All is taken out.
    Next(Next),
}

impl Publisher {
    /// Not accepted yet. `until`: its grant ends then.
    pub fn new(
        session: ServerSession,
        queue: Rc<SendQueue>,
        publication: PublicationId,
        bitrate_kbps_max: Option<u32>,
        until: Option<Instant>,
    ) -> Self {
        let budget = bitrate_kbps_max.map(|kbps_max| Budget { kbps_max, since: MediaTime::ZERO, bytes: 0 });
        Self {
            session,
            queue,
            publication,
            reader: FlvReader::new(),
            timeline: Timeline::new(),
            discards: 0,
            received: Traffic::default(),
            discards_total: 0,
            budget,
            until,
            state: State::Open,
        }
    }

    /// Tells the client to send.
    pub fn accept(&mut self) {
        self.session.accept_publish();
        flush(&mut self.session, &self.queue);
    }

    /// Tells the client that the room refused it.
    pub fn refuse(mut self, reason: &str) {
        self.session.refuse_publish(reason);
        flush(&mut self.session, &self.queue);
        self.queue.finish();
    }

    /// Tells the client that it is over.
    pub fn end(self, reason: LeaveReason) {
        self.refuse(reason.as_str());
    }

    /// What it makes.
    pub fn publication(&self) -> &PublicationId {
        &self.publication
    }

    /// What came of it so far, and how much of that meant nothing.
    pub fn received(&self) -> (Traffic, u64) {
        (self.received, self.discards_total)
    }

    /// Has its grant run out?
    pub fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now) || self.queue.is_stuck(now)
    }

    /// Takes what the socket gave.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        if let Err(error) = self.session.handle_bytes(bytes) {
            tracing::info!(publication = %self.publication, cause = %error, "publisher is malformed");
            self.state = State::Over(LeaveReason::Closed);
        }
        flush(&mut self.session, &self.queue);
    }

    /// Takes out what has become of it.
    pub fn poll(&mut self, now: MediaTime) -> Polled {
        while let Some(event) = self.session.poll_event() {
            let item = match event {
                ServerEvent::Media(Media::Audio { timestamp, body }) => self.reader.handle_audio(timestamp, body),
                ServerEvent::Media(Media::Video { timestamp, body }) => self.reader.handle_video(timestamp, body),
                // Codec headers tell the same, and are what decoders believe.
                ServerEvent::Media(Media::Metadata(_)) => continue,
                ServerEvent::Ended => {
                    self.state = State::Over(LeaveReason::Left);
                    continue;
                }
                // One stream per connection: the session refuses these itself.
                ServerEvent::PublishRequested(_) | ServerEvent::PlayRequested(_) => continue,
            };
            match item {
                Ok(Some(item)) if self.may_send(item.data.len(), now) => {
                    self.discards = 0;
                    self.received += Traffic { bytes: item.data.len() as u64, frames: 1, frames_dropped: 0 };
                    return Polled::Frame(self.placed(item, now));
                }
                Ok(_) => {}
                Err(discard) => self.note_discard(&discard.to_string()),
            }
        }
        Polled::Next(match self.state {
            State::Open => Next::Read,
            State::Over(reason) => Next::Close(reason),
        })
    }

    fn placed(&mut self, frame: FlvFrame, now: MediaTime) -> Frame {
        let FlvFrame { format, dts_ms, pts_ms, is_key, data } = frame;
        let mapped = self.timeline.map(format.kind(), dts_ms, pts_ms, now);
        Frame { format, dts: mapped.dts, pts: mapped.pts, is_key, data }
    }

    fn note_discard(&mut self, cause: &str) {
        self.discards += 1;
        self.discards_total += 1;
        tracing::trace!(publication = %self.publication, cause, "tag discarded");
        if self.discards == DISCARDS_MAX {
            tracing::info!(publication = %self.publication, cause, "publisher sends nothing useful");
            self.state = State::Over(LeaveReason::Closed);
        }
    }

    fn may_send(&mut self, len: usize, now: MediaTime) -> bool {
        let Some(budget) = &mut self.budget else { return true };
        if now.since(budget.since).as_millis() as i64 >= RATE_WINDOW_MS {
            budget.since = now;
            budget.bytes = 0;
        }
        budget.bytes += len as u64;
        let bytes_max = u64::from(budget.kbps_max) * RATE_WINDOW_MS as u64 / 8;
        if budget.bytes > bytes_max {
            tracing::info!(publication = %self.publication, "publisher exceeds its rate");
            self.state = State::Over(LeaveReason::Closed);
            return false;
        }
        true
    }
}
