//! Browsers in a room: their datagrams in, the room's packets out.

use std::net::SocketAddr;
use std::time::Instant;

use heliu_model::{EndpointId, LeaveReason, PublicationId};
use heliu_rtc::{CloseReason, Event};

use super::{Hands, RoomShell};
use crate::endpoint::Endpoint;

impl RoomShell {
    /// Takes a datagram of one of its sessions. What it publishes by it waits for
    /// [`RoomShell::flush_packets`].
    pub fn handle_datagram(&mut self, id: EndpointId, datagram: &mut [u8], from: SocketAddr, now: Instant) {
        let room_now = self.clock.now();
        let Self { room, endpoints, unflushed, .. } = self;
        let Some(Endpoint::WebRtc(webrtc)) = endpoints.get_mut(&id) else { return };
        if let Some((publication, packet)) = webrtc.handle_datagram(datagram, from, now, room_now) {
            room.handle_packet(id, publication, &packet);
            if !unflushed.contains(publication) {
                unflushed.push(publication.clone());
            }
        }
        self.advance_session(id);
    }

    /// Hands on the packets that have come.
    pub fn flush_packets(&mut self) {
        let now = self.clock.now();
        for publication in std::mem::take(&mut self.unflushed) {
            let Self { room, endpoints, worker, clock, .. } = self;
            room.flush_packets(&publication, now, &mut Hands::new(endpoints, worker, clock));
        }
    }

    /// Lets a session do what is due.
    pub fn handle_session_timeout(&mut self, id: EndpointId, now: Instant) {
        let room_now = self.clock.now();
        let Some(Endpoint::WebRtc(webrtc)) = self.endpoints.get_mut(&id) else { return };
        if webrtc.handle_timeout(now, room_now) {
            self.advance_session(id);
        }
    }

    /// Ends a session and all it publishes or receives.
    pub fn end_session(&mut self, id: EndpointId, reason: LeaveReason) {
        self.end(id, reason);
    }

    /// A publisher is asked for a keyframe, if it can be; so is who makes its pictures anew.
    pub(super) fn ask_for_keyframe(&mut self, publisher: EndpointId, publication: &PublicationId, now: Instant) {
        self.force_keyframe_of(publication);
        match self.endpoints.get_mut(&publisher) {
            Some(Endpoint::WebRtc(webrtc)) => {
                webrtc.request_keyframes(now);
                self.advance_session(publisher);
            }
            Some(Endpoint::Mixer(mixer)) => mixer.force_keyframe(),
            // The others send one when it is time.
            Some(_) | None => {}
        }
    }

    /// Carries out what a session says until it is silent.
    fn advance_session(&mut self, id: EndpointId) {
        while let Some(Endpoint::WebRtc(webrtc)) = self.endpoints.get_mut(&id) {
            if let Some(frame) = webrtc.poll_frame() {
                let publication = webrtc.publication().clone();
                self.handle_frame(id, &publication, frame);
                continue;
            }
            let Some(event) = webrtc.poll_event() else { break };
            let publication = webrtc.publication().clone();
            self.handle_session_event(id, &publication, event);
        }
        let Self { endpoints, worker, .. } = self;
        if let (Some(Endpoint::WebRtc(webrtc)), Some(rtc)) = (endpoints.get_mut(&id), &worker.rtc) {
            webrtc.send_pending(&mut rtc.slab.borrow_mut());
        }
    }

    fn handle_session_event(&mut self, id: EndpointId, publication: &PublicationId, event: Event) {
        let Some(rtc) = &self.worker.rtc else { return };
        match event {
            Event::Validated(address) => rtc.sessions.borrow_mut().note_address(id, address),
            Event::Forgotten(address) => rtc.sessions.borrow_mut().forget_address(id, address),
            // The session sends there by itself.
            Event::Selected(_) => {}
            Event::Connected => tracing::info!(room = %self.id, endpoint = %id, %publication, "browser connected"),
            Event::KeyframeWanted { .. } => self.room.want_keyframe(publication),
            Event::Retransmit { line, sequence } => self.retransmit(id, publication, line, sequence),
            Event::SenderReport { line, ntp, rtp, .. } => {
                if let Some(Endpoint::WebRtc(webrtc)) = self.endpoints.get_mut(&id) {
                    webrtc.handle_sender_report(line, ntp, rtp);
                }
            }
            Event::Closed(cause) => {
                tracing::info!(room = %self.id, endpoint = %id, %publication, ?cause, "browser gone");
                let is_goodbye = cause == CloseReason::Goodbye;
                self.end(id, if is_goodbye { LeaveReason::Left } else { LeaveReason::Lost });
            }
        }
    }

    fn retransmit(&mut self, id: EndpointId, publication: &PublicationId, line: usize, sequence: u16) {
        let Self { room, endpoints, worker, .. } = self;
        let (Some(Endpoint::WebRtc(webrtc)), Some(rtc)) = (endpoints.get_mut(&id), &worker.rtc) else { return };
        let Some((kind, ring, number)) = webrtc.sent(line, sequence) else { return };
        if let Some((meta, payload)) = room.packet(publication, kind, ring, number) {
            webrtc.send_again(line, meta, payload, &mut rtc.slab.borrow_mut());
        }
    }
}
