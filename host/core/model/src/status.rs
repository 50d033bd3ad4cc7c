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
    /// What went through since the start, ended connections included.
    pub totals: Totals,
    /// Sessions of browsers, also those that have not connected.
    pub sessions: u32,
}

/// One room.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoomStatus {
    /// In order of arrival.
    pub publications: Vec<PublicationStatus>,
    /// Connections that play.
    pub viewers: u32,
    /// The same by the name they came by.
    pub players: BTreeMap<Address, Players>,
    /// More about publications that are made by this host's own sources.
    pub sources: BTreeMap<PublicationId, SourceStatus>,
}

/// What a source of this host could not make in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceStatus {
    /// Pictures given up because the encoder was busy.
    pub pictures_dropped: u64,
    /// Pictures and blocks of sound left out because their time had passed.
    pub ticks_skipped: u64,
}

/// All connections that play by one name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Players {
    /// How many.
    pub count: u32,
    /// Bytes that wait to be sent, all together.
    pub queue_bytes: u64,
    /// Bytes that wait in the longest of the queues.
    pub queue_bytes_longest: u64,
    /// What they got and what was kept from them.
    pub traffic: Traffic,
}

/// What went through a connection, or through all of a kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes of media, or of all that was written.
    pub bytes: u64,
    /// Frames.
    pub frames: u64,
    /// Frames given up because the receiver was slow.
    pub frames_dropped: u64,
}

/// Sums since the start; they only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// From clients that publish.
    pub received: Traffic,
    /// To players.
    pub played: Traffic,
    /// To other servers.
    pub pushed: Traffic,
    /// Into other rooms of this host.
    pub relayed: Traffic,
    /// Pieces of media that meant nothing and were dropped.
    pub discards: u64,
    /// Connections cut because they did not read, sent too much, or their grant ran out.
    pub cut: u64,
    /// Made into other forms.
    pub transcoded: Transcoded,
    /// Mixed pictures.
    pub pictures: u64,
    /// Pictures of a mix that were given up because the encoder was busy.
    pub ticks_dropped: u64,
    /// Pictures of a mix that were given up because their time had passed.
    pub ticks_skipped: u64,
    /// Of all sources of this host.
    pub sources: SourceStatus,
    /// Of all UDP sockets.
    pub datagrams: Datagrams,
}

/// What went through UDP sockets: a frame is a datagram there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Datagrams {
    /// From anybody.
    pub received: Traffic,
    /// Dropped: the system had no room for them.
    pub sent: Traffic,
    /// Of those received: nobody's.
    pub strays: u64,
}

/// What transcoders have done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Transcoded {
    /// Frames made.
    pub frames: u64,
    /// Frames, or pictures, given up: damaged, or too many.
    pub frames_dropped: u64,
    /// Microseconds of the codec threads.
    pub busy_us: u64,
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
    /// `rtmp`, `mixer`, `egress`, `source`.
    pub protocol: &'static str,
    /// At most one of each kind.
    pub tracks: Vec<TrackStatus>,
    /// Where its client is, without port; `None`: of this host.
    pub peer: Option<String>,
    /// First media.
    pub since: Timestamp,
    /// Nothing has come for two seconds.
    pub is_stalled: bool,
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
    /// Video: between the last two key pictures.
    pub keyframe_ms: Option<u32>,
    /// Frames so far.
    pub frames: u64,
    /// Bytes so far.
    pub bytes: u64,
    /// What it is made into for those who cannot use it as it is.
    pub renditions: Vec<RenditionStatus>,
}

/// A track in another form than it was born with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenditionStatus {
    /// `aac`, `opus`, `without-b-pictures`.
    pub name: &'static str,
    /// Who receives it.
    pub consumers: u32,
    /// Why none is made, in words.
    pub failed: Option<String>,
    /// Once the first frame was made.
    pub codec: Option<&'static str>,
    /// Over the last seconds.
    pub bitrate_kbps: u32,
    /// Frames so far.
    pub frames: u64,
}

/// A running mixer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MixerStatus {
    /// Who is where: region id and publication, in filling order.
    pub regions: Vec<(String, PublicationId)>,
    /// Inputs that cannot be decoded, each with the reason.
    pub undecodable: Vec<(PublicationId, String)>,
    /// What is mixed, in no special order.
    pub inputs: Vec<InputStatus>,
    /// Pictures made.
    pub pictures: u64,
    /// Ticks given up because the encoder was busy.
    pub ticks_dropped: u64,
    /// Ticks given up because their time had passed.
    pub ticks_skipped: u64,
    /// Time of a codec thread per mixed picture, scaling and painting included; zero before the first.
    pub encode_us: u32,
}

/// What is mixed of one publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputStatus {
    /// Which.
    pub publication: PublicationId,
    /// Pictures that wait for their tick.
    pub pictures_waiting: u32,
    /// How much later than it came the input is mixed.
    pub delay_ms: u32,
    /// Frames its decoders gave up: too many at once, damaged, or before a keyframe.
    pub frames_dropped: u64,
    /// Time of a codec thread per picture; `None`: no picture is decoded.
    pub decode_us: Option<u32>,
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
    /// Bytes that wait to be sent to another server.
    pub queue_bytes: u64,
    /// Frames that wait on their way into another room of this host.
    pub frames_waiting: u32,
}

impl std::ops::AddAssign for Players {
    fn add_assign(&mut self, more: Self) {
        self.count += more.count;
        self.queue_bytes += more.queue_bytes;
        self.queue_bytes_longest = self.queue_bytes_longest.max(more.queue_bytes_longest);
        self.traffic += more.traffic;
    }
}

impl std::ops::AddAssign for Traffic {
    fn add_assign(&mut self, more: Self) {
        self.bytes += more.bytes;
        self.frames += more.frames;
        self.frames_dropped += more.frames_dropped;
    }
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, more: Self) {
        self.received += more.received;
        self.played += more.played;
        self.pushed += more.pushed;
        self.relayed += more.relayed;
        self.discards += more.discards;
        self.cut += more.cut;
        self.transcoded.frames += more.transcoded.frames;
        self.transcoded.frames_dropped += more.transcoded.frames_dropped;
        self.transcoded.busy_us += more.transcoded.busy_us;
        self.pictures += more.pictures;
        self.ticks_dropped += more.ticks_dropped;
        self.ticks_skipped += more.ticks_skipped;
        self.sources += more.sources;
        self.datagrams += more.datagrams;
    }
}

impl std::ops::AddAssign for Datagrams {
    fn add_assign(&mut self, more: Self) {
        self.received += more.received;
        self.sent += more.sent;
        self.strays += more.strays;
    }
}

impl std::ops::AddAssign for SourceStatus {
    fn add_assign(&mut self, more: Self) {
        self.pictures_dropped += more.pictures_dropped;
        self.ticks_skipped += more.ticks_skipped;
    }
}
