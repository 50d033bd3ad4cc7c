//! Whatever sends or receives media in a room. One file per kind; the room treats them alike.

mod announced;
mod client;
mod egress;
mod flv_viewer;
mod mixer;
mod player;
mod publisher;
mod push;
mod relay;
mod source;
mod transcoder;
mod webrtc;
mod wire;

use std::time::Instant;

use heliu_model::{Address, LeaveReason, Players, Status, Totals};
use heliu_room::Delivery;

pub use client::{Next, attach_client};
pub use egress::run_egress;
pub use flv_viewer::{FlvViewer, attach_viewer};
pub use mixer::{MixerEndpoint, drive_mixer};
pub use player::Player;
pub use publisher::{Polled, Publisher};
pub use push::Push;
pub use relay::{RelayIn, RelayOut, Relayed, attach_relayed};
pub use source::{Ended, SourceEndpoint, Sourced, attach_source};
pub use transcoder::{Transcoder, drive_transcoder};
pub use webrtc::{WebRtc, attach_session, call_session};
pub use wire::Shared;

/// One media attachment of a room.
pub enum Endpoint {
    /// An RTMP client that sends.
    Publisher(Box<Publisher>),
    /// An RTMP client that receives.
    Player(Box<Player>),
    /// Somebody who receives FLV over HTTP.
    FlvViewer(Box<FlvViewer>),
    /// Many tracks to one.
    Mixer(Box<MixerEndpoint>),
    /// Our RTMP client that sends elsewhere.
    Push(Box<Push>),
    /// This room's end of a way into another room of this host.
    RelayOut(RelayOut),
    /// The other room's end.
    RelayIn(RelayIn),
    /// Made here: the built-in pattern.
    Source(Box<SourceEndpoint>),
    /// A browser that sends or receives.
    WebRtc(Box<WebRtc>),
    /// One track in another form, for this room's receivers.
    Transcoder(Box<Transcoder>),
}

impl Endpoint {
    /// Takes a frame it subscribed to.
    pub fn deliver(&mut self, delivery: Delivery<'_>, shared: &mut Shared) {
        match self {
            Self::Player(player) => player.deliver(delivery, shared),
            Self::FlvViewer(viewer) => viewer.deliver(delivery, shared),
            Self::Mixer(mixer) => mixer.handle_frame(delivery.publication, delivery.frame),
            Self::Push(push) => push.deliver(delivery, shared),
            Self::RelayOut(relay) => relay.deliver(delivery.frame),
            Self::Transcoder(transcoder) => transcoder.deliver(delivery.frame),
            // A browser receives packets.
            Self::Publisher(_) | Self::RelayIn(_) | Self::Source(_) | Self::WebRtc(_) => {}
        }
    }

    /// Lets sound go that has waited long enough for a picture. True: some waits still.
    pub fn release_sound(&self, now: Instant) -> bool {
        match self {
            Self::Player(player) => player.release_sound(now),
            Self::FlvViewer(viewer) => viewer.release_sound(now),
            Self::Push(push) => push.release_sound(now),
            Self::Publisher(_)
            | Self::Mixer(_)
            | Self::RelayOut(_)
            | Self::RelayIn(_)
            | Self::Source(_)
            | Self::WebRtc(_)
            | Self::Transcoder(_) => false,
        }
    }

    /// Is over: another took its place, what it received has ended, or the host ends it.
    pub fn end(self, reason: LeaveReason) {
        match self {
            Self::Publisher(publisher) => publisher.end(reason),
            Self::Player(player) => player.end(),
            Self::FlvViewer(viewer) => viewer.end(),
            Self::Push(push) => push.end(),
            Self::RelayIn(relay) => relay.end(reason),
            Self::Source(source) => source.end(Ended::Left(reason)),
            // Their tasks see that they are gone; a browser has been told.
            Self::Mixer(_) | Self::RelayOut(_) | Self::WebRtc(_) | Self::Transcoder(_) => {}
        }
    }

    /// Is over: what it waited for did not come.
    pub fn not_found(self) {
        match self {
            Self::Player(player) => player.not_found(),
            other => other.end(LeaveReason::Closed),
        }
    }

    /// Must it be cut: its queue is stuck, or its grant has run out?
    pub fn is_over(&self, now: Instant) -> bool {
        match self {
            Self::Publisher(publisher) => publisher.is_over(now),
            Self::Player(player) => player.is_over(now),
            Self::FlvViewer(viewer) => viewer.is_over(now),
            Self::Push(push) => push.is_over(now),
            Self::Source(source) => source.is_over(now),
            Self::WebRtc(webrtc) => webrtc.is_over(now),
            Self::Mixer(_) | Self::RelayOut(_) | Self::RelayIn(_) | Self::Transcoder(_) => false,
        }
    }

    /// Is it a player that came by this name?
    pub fn plays(&self, address: &Address) -> bool {
        match self {
            Self::Player(player) => player.address() == address,
            Self::FlvViewer(viewer) => viewer.address() == address,
            Self::WebRtc(webrtc) => webrtc.played() == Some(address),
            Self::Publisher(_)
            | Self::Mixer(_)
            | Self::Push(_)
            | Self::RelayOut(_)
            | Self::RelayIn(_)
            | Self::Source(_)
            | Self::Transcoder(_) => false,
        }
    }

    /// Adds what it has done so far.
    pub fn add_totals(&self, totals: &mut Totals) {
        match self {
            Self::Publisher(publisher) => {
                let (received, discards) = publisher.received();
                totals.received += received;
                totals.discards += discards;
            }
            Self::Player(player) => totals.played += player.traffic(),
            Self::FlvViewer(viewer) => totals.played += viewer.traffic(),
            Self::Push(push) => totals.pushed += push.traffic(),
            Self::RelayOut(relay) => totals.relayed += relay.traffic(),
            Self::Mixer(mixer) => mixer.add_totals(totals),
            Self::Transcoder(transcoder) => transcoder.add_totals(totals),
            Self::Source(source) => totals.sources += source.status(),
            Self::WebRtc(webrtc) => webrtc.add_totals(totals),
            Self::RelayIn(_) => {}
        }
    }

    /// If it is a player: by which name it came, and its share of all who did.
    pub fn player(&self) -> Option<(&Address, Players)> {
        let (address, waiting, traffic) = match self {
            Self::Player(player) => (player.address(), player.waiting_bytes(), player.traffic()),
            Self::FlvViewer(viewer) => (viewer.address(), viewer.waiting_bytes(), viewer.traffic()),
            Self::WebRtc(webrtc) => (webrtc.played()?, 0, webrtc.sent_traffic()),
            Self::Publisher(_)
            | Self::Mixer(_)
            | Self::Push(_)
            | Self::RelayOut(_)
            | Self::RelayIn(_)
            | Self::Source(_)
            | Self::Transcoder(_) => return None,
        };
        Some((address, Players { count: 1, queue_bytes: waiting, queue_bytes_longest: waiting, traffic }))
    }

    /// Adds itself to a snapshot.
    pub fn add_status(&self, status: &mut Status) {
        match self {
            Self::Mixer(mixer) => {
                status.mixers.insert(mixer.id().clone(), mixer.status());
            }
            Self::Push(push) => {
                status.egresses.insert(push.id().clone(), push.status());
            }
            Self::RelayOut(relay) => {
                status.egresses.insert(relay.id().clone(), relay.status());
            }
            Self::Publisher(_)
            | Self::Player(_)
            | Self::FlvViewer(_)
            | Self::RelayIn(_)
            | Self::Source(_)
            | Self::WebRtc(_)
            | Self::Transcoder(_) => {}
        }
    }
}
