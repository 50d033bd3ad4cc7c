//! A browser in its room: a session, and the tracks that it publishes or receives.
//!
//! The session knows keys, paths and reports; the room knows who gets what. Here is only how the one's
//! packets become the other's.

mod attach;
mod inbound;
mod outbound;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heliu_model::{Address, Frame, Kind, MediaTime, PublicationId, Totals, Traffic};
use heliu_room::{Packet, PacketDelivery};
use heliu_rtc::{Agreement, Config, Credentials, Direction, Event, Session};
use heliu_rtp::Meta;

use tokio::sync::OwnedSemaphorePermit;

use crate::clock::RoomClock;
use crate::udp::Slab;

pub use attach::{attach_session, call_session};
use inbound::Inbound;
use outbound::Outbound;

/// Between two keyframes that are asked of a publisher: each costs as much as ten pictures.
const KEYFRAME_EVERY: Duration = Duration::from_millis(500);

/// A browser's end in the room.
pub struct WebRtc {
    session: Session,
    /// Others begin ICE anew.
    remote: Credentials,
    /// Of the first line that was taken.
    mid: String,
    address: Address,
    side: Side,
    until: Option<Instant>,
    /// Among all who publish or play.
    _place: OwnedSemaphorePermit,
    /// When a keyframe was asked for last.
    asked_at: Option<Instant>,
    /// A keyframe is to be asked for as soon as that may be.
    is_asked: bool,
}

/// Which way media flows.
enum Side {
    Publisher(Box<Inbound>),
    Viewer(Outbound),
}

impl WebRtc {
    /// Before its first datagram. `until`: its grant ends then.
    fn new(
        config: Arc<Config>,
        agreement: Agreement,
        side: Side,
        address: Address,
        now: Instant,
        until: Option<Instant>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let taken = agreement.lines.iter().find(|line| line.direction != Direction::Refused);
        let (mid, remote) = (taken.map(|line| line.mid.clone()).unwrap_or_default(), agreement.remote.clone());
        let session = Session::new(config, agreement, now);
        Self { session, remote, mid, address, side, until, _place: place, asked_at: None, is_asked: false }
    }

    /// By which name it came, if to play.
    pub fn played(&self) -> Option<&Address> {
        match self.side {
            Side::Publisher(_) => None,
            Side::Viewer(_) => Some(&self.address),
        }
    }

    /// What it makes, or receives.
    pub fn publication(&self) -> &PublicationId {
        match &self.side {
            Side::Publisher(inbound) => inbound.publication(),
            Side::Viewer(outbound) => outbound.publication(),
        }
    }

    /// Has its grant run out?
    pub fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// What it was sent.
    pub fn sent_traffic(&self) -> Traffic {
        match &self.side {
            Side::Publisher(_) => Traffic::default(),
            Side::Viewer(outbound) => outbound.traffic(),
        }
    }

    /// Adds what it has done so far.
    pub fn add_totals(&self, totals: &mut Totals) {
        match &self.side {
            Side::Publisher(inbound) => {
                let (received, discards) = inbound.received();
                totals.received += received;
                totals.discards += discards + self.session.stats().discards.total();
            }
            Side::Viewer(outbound) => {
                totals.played += outbound.traffic();
                totals.discards += self.session.stats().discards.total();
            }
        }
    }

    /// Takes a datagram. The answer: a packet it publishes, and under what.
    pub fn handle_datagram<'a>(
        &'a mut self,
        datagram: &'a mut [u8],
        from: SocketAddr,
        now: Instant,
        room_now: MediaTime,
    ) -> Option<(&'a PublicationId, Packet<'a>)> {
        let incoming = self.session.handle_datagram(datagram, from, now)?;
        let Side::Publisher(inbound) = &mut self.side else { return None };
        let packet = inbound.handle_packet(incoming, room_now)?;
        self.is_asked |= inbound.is_keyframe_wanted();
        Some((inbound.publication(), packet))
    }

    /// Does what is due. False: nothing was.
    pub fn handle_timeout(&mut self, now: Instant, room_now: MediaTime) -> bool {
        let is_session_due = self.session.poll_timeout().is_some_and(|due| due <= now);
        if is_session_due {
            self.session.handle_timeout(now);
        }
        if let Side::Publisher(inbound) = &mut self.side {
            inbound.handle_timeout(room_now);
            self.is_asked |= inbound.is_keyframe_wanted();
        }
        let is_asking = self.ask_for_keyframes(now);
        is_session_due || is_asking || matches!(&self.side, Side::Publisher(inbound) if inbound.has_frames())
    }

    /// Somebody needs a keyframe of what it publishes.
    pub fn request_keyframes(&mut self, now: Instant) {
        self.is_asked = true;
        self.ask_for_keyframes(now);
    }

    /// What its peer says about the clock of a line.
    pub fn handle_sender_report(&mut self, line: usize, ntp: u64, rtp: u32) {
        if let Side::Publisher(inbound) = &mut self.side {
            inbound.handle_sender_report(line, ntp, rtp);
        }
    }

    /// The next frame of what it publishes.
    pub fn poll_frame(&mut self) -> Option<Frame> {
        match &mut self.side {
            Side::Publisher(inbound) => inbound.poll_frame(),
            Side::Viewer(_) => None,
        }
    }

    /// What the session says next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.session.poll_event()
    }

    /// Sends it packets of the room.
    pub fn deliver(&mut self, delivery: &PacketDelivery<'_>, clock: RoomClock, slab: &mut Slab) {
        let Self { session, side: Side::Viewer(outbound), .. } = self else { return };
        let Some(to) = session.destination() else { return };
        let Some(track) = outbound.track(delivery) else { return };
        let (mut packets, mut bytes) = (0, 0);
        for index in delivery.range.clone() {
            let Some((meta, payload)) = delivery.ring.get(index) else { continue };
            let header = track.header(meta);
            slab.add(to, |out| _ = session.seal(track.line, &header, payload, out, None));
            packets += 1;
            bytes += payload.len() as u64;
        }
        session.set_clock(track.line, clock.instant(delivery.sync.at), track.timestamp(delivery.sync.timestamp));
        outbound.note_sent(packets, bytes);
    }

    /// The packet of a sequence number that was sent on a line: its kind, its ring and its number there.
    pub fn sent(&self, line: usize, sequence: u16) -> Option<(Kind, u64, u64)> {
        let Side::Viewer(outbound) = &self.side else { return None };
        let track = outbound.by_line(line)?;
        let (ring, number) = track.sent(sequence)?;
        Some((track.kind, ring, number))
    }

    /// Sends a packet once more.
    pub fn send_again(&mut self, line: usize, meta: &Meta, payload: &[u8], slab: &mut Slab) {
        let Self { session, side: Side::Viewer(outbound), .. } = self else { return };
        let (Some(to), Some(track)) = (session.destination(), outbound.by_line(line)) else { return };
        let header = track.header_again(meta);
        slab.add(to, |out| _ = session.seal_retransmission(line, &header, payload, out));
    }

    /// Hands what the session has to say to the network.
    pub fn send_pending(&mut self, slab: &mut Slab) {
        let mut datagram = Vec::new();
        while let Some(to) = self.session.poll_datagram(&mut datagram) {
            slab.add(to, |out| out.append(&mut datagram));
        }
    }

    /// Tells the browser that it is over.
    pub fn say_goodbye(&mut self, now: Instant, slab: &mut Slab) {
        self.session.close(now);
        self.send_pending(slab);
    }

    fn ask_for_keyframes(&mut self, now: Instant) -> bool {
        let Side::Publisher(inbound) = &self.side else { return false };
        let is_early = self.asked_at.is_some_and(|at| now.duration_since(at) < KEYFRAME_EVERY);
        if !self.is_asked || is_early {
            return false;
        }
        (self.is_asked, self.asked_at) = (false, Some(now));
        inbound.video_lines().for_each(|line| self.session.request_keyframe(line, now));
        true
    }
}
