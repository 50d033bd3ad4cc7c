//! What the media plane is doing, as a snapshot for people and plugins.

use std::collections::BTreeMap;

use crate::{
    Address, EgressId, EndpointId, Kind, MixerId, Observed, ParticipantId, PublicationId, RoomId, Size, Timestamp,
};

/// Everything, at one moment; at most ten a second are made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    /// Rooms somebody is in.
    pub rooms: BTreeMap<RoomId, RoomStatus>,
    /// Mixers, egresses, addresses: what the reconciler compares.
    pub observed: Observed,
    /// More about mixers that run.
    pub mixers: BTreeMap<MixerId, MixerStatus>,
    /// More about egresses that run.
    pub egresses: BTreeMap<EgressId, EgressStatus>,
}

/// One room.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoomStatus {
    /// In order of arrival.
    pub publications: Vec<PublicationStatus>,
    /// Connections that play.
    pub viewers: u32,
}

/// What is offered to a room.
#[derive(Debug, Clone, PartialEq)]
pub struct PublicationStatus {
    /// Its id.
    pub id: PublicationId,
    /// Who delivers it.
    pub endpoint: EndpointId,
    /// `None`: a mixer's.
    pub participant: Option<ParticipantId>,
    /// Where it came in; `None`: a mixer's.
    pub address: Option<Address>,
    /// `rtmp`, `mixer`, `egress`.
    pub protocol: &'static str,
    /// At most one of each kind.
    pub tracks: Vec<TrackStatus>,
    /// First media.
    pub since: Timestamp,
}

/// One kind of media of a publication.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackStatus {
    /// Sound or pictures.
    pub kind: Kind,
    /// `h264`, `aac`, …
    pub codec: &'static str,
    /// Video, as last seen.
    pub size: Option<Size>,
    /// Sound, Hz.
    pub sample_rate: Option<u32>,
    /// Sound.
    pub channels: Option<u32>,
    /// Video, as last measured.
    pub frame_rate: Option<f32>,
    /// Over the last seconds.
    pub bitrate_kbps: u32,
    /// Frames so far.
    pub frames: u64,
    /// Bytes so far.
    pub bytes: u64,
}

/// A running mixer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MixerStatus {
    /// Who is where: region id and publication, in filling order.
    pub regions: Vec<(String, PublicationId)>,
    /// Inputs that cannot be decoded, each with the reason.
    pub undecodable: Vec<(PublicationId, String)>,
    /// Pictures made.
    pub pictures: u64,
    /// Ticks given up because the encoder was busy.
    pub ticks_dropped: u64,
}

/// A running egress.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EgressStatus {
    /// Bytes sent.
    pub bytes: u64,
    /// Frames sent.
    pub frames: u64,
    /// Frames given up because the target was slow.
    pub frames_dropped: u64,
}
