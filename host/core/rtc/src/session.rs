//! One WebRTC session, the answering side: datagrams in, datagrams out, packets in, packets out.
//!
//! The parent of its parts: it tells datagrams apart, lets nobody's past who was not checked, and drives
//! what is due. Rules about one part live in that part.
//!
//! Not here: sockets and clocks, what the packets are for, which of them is sent again.

mod event;
mod incoming;
mod keyframe_wish;
mod outbox;
mod outgoing;
mod recognition;
mod sending;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heliu_rtp::is_rtcp;
use heliu_rtp::rtcp::{self, ReportBlock, Rtcp};

pub use event::{CloseReason, Event};
pub use incoming::Incoming;
pub use outgoing::Outgoing;

use crate::agreement::Agreement;
use crate::discard::{Discard, Discards};
use crate::dtls::{Certificate, Dtls, Keys, Outcome};
use crate::ice::{Agent, Credentials};
use crate::srtp::{Inbound, Outbound};
use event::Events;
use incoming::Reception;
use outbox::Outbox;
use sending::Sending;

/// What sessions of one server have in common.
#[derive(Debug, Clone)]
pub struct Config {
    /// Ours.
    pub certificate: Arc<Certificate>,
    /// Without a check for as long the peer is gone.
    pub consent: Duration,
    /// From the answer to the keys.
    pub connect_max: Duration,
    /// The canonical name in RTCP, which is also the answer's.
    pub cname: String,
}

/// Counters of one session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Media packets that were opened and belong to a line, retransmissions too.
    pub packets_received: u64,
    /// Their payload.
    pub payload_bytes_received: u64,
    /// Media packets that were sealed, retransmissions too.
    pub packets_sent: u64,
    /// Their payload.
    pub payload_bytes_sent: u64,
    /// Of the packets received: those that came again.
    pub retransmissions_received: u64,
    /// Of the packets sent: those that went again.
    pub retransmissions_sent: u64,
    /// Packets asked of the peer again.
    pub nacks_sent: u64,
    /// Keyframes asked of the peer.
    pub plis_sent: u64,
    /// Keyframes the peer asked for.
    pub plis_received: u64,
    /// Packets the peer asked for again.
    pub nacks_received: u64,
    /// What was dropped.
    pub discards: Discards,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    ice: Agent,
    dtls: Dtls,
    phase: Phase,
    reception: Reception,
    sending: Sending,
    events: Events,
    outbox: Outbox,
    stats: Stats,
}

#[derive(Debug)]
enum Phase {
    Connecting { deadline: Instant },
    Connected(Box<Transport>),
    Closed,
}

/// Keys of both directions.
#[derive(Debug)]
struct Transport {
    inbound: Inbound,
    outbound: Outbound,
}

impl Session {
    /// Waits for the peer that was answered.
    #[must_use]
    pub fn new(config: Arc<Config>, agreement: Agreement, now: Instant) -> Self {
        let Agreement { lines, local, remote, remote_fingerprint, dtls } = agreement;
        Self {
            ice: Agent::new(local, remote, config.consent),
            dtls: Dtls::new(dtls, config.certificate.clone(), remote_fingerprint),
            phase: Phase::Connecting { deadline: now + config.connect_max },
            sending: Sending::new(&lines, now),
            reception: Reception::new(lines),
            events: Events::default(),
            outbox: Outbox::default(),
            stats: Stats::default(),
            config,
        }
    }

    /// By which datagrams of strangers' addresses find this session: see [`crate::local_ufrag`]. Two
    /// while an ICE restart is under way.
    pub fn ufrags(&self) -> impl Iterator<Item = &str> {
        self.ice.ufrags()
    }

    /// Takes one datagram; a media packet of a line is handed on, opened in its place.
    pub fn handle_datagram<'a>(
        &mut self,
        datagram: &'a mut [u8],
        from: SocketAddr,
        now: Instant,
    ) -> Option<Incoming<'a>> {
        let is_media = matches!(datagram.first(), Some(128..=191));
        let heard = match datagram.first() {
            _ if matches!(self.phase, Phase::Closed) => Err(Discard::Closed),
            Some(0..=3) => self.handle_stun(datagram, from, now).map(|()| None),
            Some(20..=63 | 128..=191) if !self.ice.is_valid(from) => Err(Discard::Unvalidated),
            Some(20..=63) => self.handle_dtls(datagram, now).map(|()| None),
            Some(128..=191) if is_rtcp(datagram) => self.handle_rtcp(datagram, now).map(|()| None),
            Some(128..=191) => self.handle_rtp(datagram, now).map(Some),
            _ => Err(Discard::Unknown),
        };
        // A publisher that sends media and no checks is there: ffmpeg's muxer sends none once it is connected.
        if heard.is_ok() && is_media {
            self.ice.note_sealed(from, now);
        }
        heard.unwrap_or_else(|reason| {
            self.stats.discards.count(reason);
            None
        })
    }

    /// Appends the next datagram that is no media to `out`; where it goes.
    pub fn poll_datagram(&mut self, out: &mut Vec<u8>) -> Option<SocketAddr> {
        self.outbox.poll(out)
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.poll()
    }

    /// When [`Self::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let due = match &self.phase {
            Phase::Closed => [None; 3],
            Phase::Connecting { deadline } => [Some(*deadline), self.ice.poll_timeout(), self.dtls.poll_timeout()],
            Phase::Connected(_) => {
                [self.ice.poll_timeout(), self.reception.poll_timeout(), self.sending.poll_timeout()]
            }
        };
        due.into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(address) = self.ice.poll_expired(now) {
            self.tell(Event::Forgotten(address));
            if self.ice.path().is_none() {
                self.end(CloseReason::Consent);
            }
        }
        match &self.phase {
            Phase::Connecting { deadline } if *deadline <= now => self.end(CloseReason::Late),
            Phase::Connecting { .. } => {
                let outcome = self.dtls.handle_timeout(now);
                self.handle_outcome(outcome, now);
                self.send_dtls();
            }
            Phase::Connected(_) => self.send_rtcp(now),
            Phase::Closed => {}
        }
    }

    /// Where media goes, once there is somewhere and keys to seal it.
    #[must_use]
    pub fn destination(&self) -> Option<SocketAddr> {
        matches!(self.phase, Phase::Connected(_)).then(|| self.ice.path())?
    }

    /// Appends one media packet to `out`, sealed for [`Self::destination`]. It is padded to `pad_to` bytes
    /// if that is at most 255 more; allocates nothing but room in `out`. False: it is not sent, and `out`
    /// is as before: not connected, no line that sends, or this sequence number was sealed before.
    pub fn seal(
        &mut self,
        line: usize,
        packet: &Outgoing,
        payload: &[u8],
        out: &mut Vec<u8>,
        pad_to: Option<usize>,
    ) -> bool {
        let (Phase::Connected(transport), Some(sender)) = (&self.phase, self.sending.line_mut(line)) else {
            return false;
        };
        let is_sealed = sender.seal(&transport.outbound, packet, payload, out, pad_to);
        self.stats.packets_sent += u64::from(is_sealed);
        self.stats.payload_bytes_sent += if is_sealed { payload.len() as u64 } else { 0 };
        is_sealed
    }

    /// Appends a packet that was sent before, under the line's second SSRC (RFC 4588). False: it is not
    /// sent: the peer does not take retransmissions on this line, or it is not connected.
    pub fn seal_retransmission(&mut self, line: usize, packet: &Outgoing, payload: &[u8], out: &mut Vec<u8>) -> bool {
        let (Phase::Connected(transport), Some(sender)) = (&self.phase, self.sending.line_mut(line)) else {
            return false;
        };
        let is_sealed = sender.seal_retransmission(&transport.outbound, packet, payload, out);
        self.stats.packets_sent += u64::from(is_sealed);
        self.stats.retransmissions_sent += u64::from(is_sealed);
        self.stats.payload_bytes_sent += if is_sealed { payload.len() as u64 } else { 0 };
        is_sealed
    }

    /// What a line's timestamps mean: at this moment of our clock they show `timestamp`. Sender reports
    /// say so; without it there are none. Lines that belong together have moments on the same clock.
    pub fn set_clock(&mut self, line: usize, at: Instant, timestamp: u32) {
        if let Some(sender) = self.sending.line_mut(line) {
            sender.set_clock(at, timestamp);
        }
    }

    /// Asks the peer for a keyframe on a line that receives: soon, and once for all who ask.
    pub fn request_keyframe(&mut self, line: usize, now: Instant) {
        self.reception.request_keyframe(line);
        self.send_rtcp(now);
    }

    /// A keyframe came: who still waits for one needs not ask.
    pub fn note_keyframe(&mut self, line: usize) {
        self.reception.note_keyframe(line);
    }

    /// Begins ICE anew (RFC 8445 §9). Media flows where it did until the peer nominates another pair.
    pub fn restart_ice(&mut self, local: Credentials, remote: Credentials) {
        self.ice.restart(local, remote);
    }

    /// Says goodbye; the rest of [`Self::poll_datagram`] is to be sent still.
    pub fn close(&mut self, now: Instant) {
        self.dtls.close(now);
        self.send_dtls();
        self.phase = Phase::Closed;
    }

    /// Has ended, by either side or by itself.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// From a packet to its answer, as the peer's reports tell. Only where we send.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.sending.round_trip()
    }

    /// What the peer said last that it received on a line.
    #[must_use]
    pub fn remote_report(&self, line: usize) -> Option<&ReportBlock> {
        self.sending.line(line)?.told()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    fn handle_stun(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) -> Result<(), Discard> {
        let mut reply = Vec::new();
        let heard = self.ice.handle_datagram(datagram, from, now, &mut reply)?;
        self.post(from, reply);
        let forgotten = heard.forgotten.map(Event::Forgotten);
        let told = [forgotten, heard.validated.map(Event::Validated), heard.selected.map(Event::Selected)];
        told.into_iter().flatten().for_each(|event| self.tell(event));
        if self.ice.path().is_some() {
            self.dtls.start(now);
            self.send_dtls();
        }
        Ok(())
    }

    fn handle_dtls(&mut self, datagram: &[u8], now: Instant) -> Result<(), Discard> {
        let outcome = self.dtls.handle_datagram(datagram, now);
        // Also after an error: what the peer did wrong is told to it.
        self.send_dtls();
        self.handle_outcome(outcome?, now);
        Ok(())
    }

    fn handle_outcome(&mut self, outcome: Outcome, now: Instant) {
        match outcome {
            Outcome::Nothing => {}
            Outcome::Connected(keys) => self.connect(&keys, now),
            Outcome::Closed => self.end(CloseReason::Goodbye),
            Outcome::Failed(failure) => self.end(CloseReason::Handshake(failure)),
        }
    }

    fn connect(&mut self, keys: &Keys, now: Instant) {
        let transport = Transport { inbound: Inbound::new(&keys.inbound), outbound: Outbound::new(&keys.outbound) };
        self.phase = Phase::Connected(Box::new(transport));
        self.tell(Event::Connected);
        self.send_rtcp(now);
    }

    fn handle_rtp<'a>(&mut self, datagram: &'a mut [u8], now: Instant) -> Result<Incoming<'a>, Discard> {
        let Phase::Connected(transport) = &mut self.phase else { return Err(Discard::SrtpEarly) };
        let packet = transport.inbound.open_rtp(datagram)?;
        let incoming = self.reception.handle_packet(packet, now)?;
        self.stats.packets_received += 1;
        self.stats.payload_bytes_received += incoming.view.payload().len() as u64;
        self.stats.retransmissions_received += u64::from(incoming.is_retransmission);
        Ok(incoming)
    }

    fn handle_rtcp(&mut self, datagram: &mut [u8], now: Instant) -> Result<(), Discard> {
        let Phase::Connected(transport) = &mut self.phase else { return Err(Discard::SrtpEarly) };
        let compound = transport.inbound.open_rtcp(datagram)?;
        for packet in rtcp::parse(compound) {
            self.handle_report(&packet.map_err(|_| Discard::RtcpMalformed)?, now);
        }
        Ok(())
    }

    fn handle_report(&mut self, packet: &Rtcp<'_>, now: Instant) {
        match *packet {
            Rtcp::SenderReport { ssrc, ntp, rtp, blocks, .. } => {
                if let Some(line) = self.reception.handle_sender_report(ssrc, ntp, now) {
                    self.tell(Event::SenderReport { line, ssrc, ntp, rtp });
                }
                blocks.for_each(|block| self.sending.handle_block(&block, now));
            }
            Rtcp::ReceiverReport { blocks, .. } => blocks.for_each(|block| self.sending.handle_block(&block, now)),
            Rtcp::Nack { media_ssrc, lost, .. } => {
                self.sending.handle_nack(media_ssrc, lost, &mut self.events, &mut self.stats);
            }
            Rtcp::Pli { media_ssrc, .. } => self.handle_pli(media_ssrc, now),
            Rtcp::Fir { entries, .. } => entries.for_each(|(ssrc, _)| self.handle_pli(ssrc, now)),
            Rtcp::Description | Rtcp::Bye { .. } | Rtcp::Remb { .. } | Rtcp::Twcc { .. } | Rtcp::Other { .. } => {}
        }
    }

    fn handle_pli(&mut self, ssrc: u32, now: Instant) {
        self.sending.handle_pli(ssrc, now, &mut self.events, &mut self.stats);
    }

    /// All that is due.
    fn send_rtcp(&mut self, now: Instant) {
        let mut compound = Vec::new();
        loop {
            let (Phase::Connected(transport), Some(to)) = (&mut self.phase, self.ice.path()) else { return };
            let is_due = self.sending.poll_report(now, &self.config.cname, &mut compound)
                || self.reception.poll_feedback(now, &self.config.cname, &mut self.stats, &mut compound);
            if !is_due {
                return;
            }
            if transport.outbound.seal_rtcp(&mut compound, 0) {
                self.post(to, std::mem::take(&mut compound));
            }
        }
    }

    fn send_dtls(&mut self) {
        while let Some(datagram) = self.dtls.poll_transmit() {
            if let Some(to) = self.ice.path() {
                self.post(to, datagram.to_vec());
            }
        }
    }

    fn post(&mut self, to: SocketAddr, datagram: Vec<u8>) {
        self.outbox.push(to, datagram).unwrap_or_else(|reason| self.stats.discards.count(reason));
    }

    fn tell(&mut self, event: Event) {
        self.events.push(event).unwrap_or_else(|reason| self.stats.discards.count(reason));
    }

    fn end(&mut self, reason: CloseReason) {
        if !matches!(self.phase, Phase::Closed) {
            self.phase = Phase::Closed;
            self.tell(Event::Closed(reason));
        }
    }
}
