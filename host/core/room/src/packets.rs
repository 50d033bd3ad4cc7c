//! The packets view of a publication: a ring per track that all its receivers share.
//!
//! A track is born as packets, or made into packets from its frames while somebody receives them so. Both
//! ways its timestamps run on the room's clock and its sequence numbers go on, also through another
//! publisher's takeover; what is missing between them is missing for everybody, until it comes late. Each
//! receiver reads the ring with a cursor of its own, so that one who joins catches up from the last
//! keyframe without a burst that its socket would not hold.

use std::ops::Range;

use heliu_model::{EndpointId, Format, Frame, Kind, MediaTime, PublicationId};
use heliu_rtp::{Codec, Meta, Packetizer, Ring, rtp_timestamp};

/// Ten seconds of pictures at 2.5 Mbps, or a megabyte and a half of a keyframe with what follows it.
const VIDEO_PACKETS: usize = 2_048;
/// Five seconds of sound.
const AUDIO_PACKETS: usize = 256;
/// Far from zero: what comes late has a smaller number than what came first.
const SEQUENCE_FIRST: u64 = 1 << 20;
/// What a receiver that catches up gets at a time beside what is due: a socket's buffer holds it.
const CATCH_UP: u64 = 48;

/// Packets for one endpoint.
#[derive(Debug, Clone)]
pub struct PacketDelivery<'a> {
    /// Who gets them.
    pub endpoint: EndpointId,
    /// Of what.
    pub publication: &'a PublicationId,
    /// Sound or pictures.
    pub kind: Kind,
    /// What they carry.
    pub codec: Codec,
    /// Which ring it is: sequence numbers of two rings have nothing to do with each other.
    pub ring_id: u64,
    /// Shared by all who get them.
    pub ring: &'a Ring,
    /// Which of the ring. All are there.
    pub range: Range<u64>,
    /// A recent timestamp and its moment.
    pub sync: Sync,
}

/// A timestamp of a track and the moment on the room's clock that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sync {
    /// In units of the codec's clock.
    pub timestamp: u64,
    /// Its moment.
    pub at: MediaTime,
}

/// A packet as its publisher's session received it.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// What it carries.
    pub codec: Codec,
    /// Sequence and timestamp as the publisher counts.
    pub meta: Meta,
    /// Without header and padding.
    pub payload: &'a [u8],
    /// The moment its timestamp stands for, on the room's clock.
    pub at: MediaTime,
}

/// One track as packets.
#[derive(Debug)]
pub struct PacketTrack {
    codec: Codec,
    ring_id: u64,
    ring: Ring,
    /// Where the last keyframe begins.
    keyframe: Option<u64>,
    /// Up to here all receivers that are up to date have got everything.
    flushed: u64,
    source: Source,
    sync: Sync,
}

#[derive(Debug)]
enum Source {
    /// Packets.
    Packets(Option<Shift>),
    /// Frames.
    Frames(Packetizer),
}

/// What is added to a publisher's numbers so that they go on from those before it.
#[derive(Debug, Clone, Copy)]
struct Shift {
    sequence: u64,
    timestamp: u64,
}

/// How far one receiver has read one track.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cursor {
    next: Option<u64>,
}

impl PacketTrack {
    /// Of a track that is born as packets.
    pub fn born(codec: Codec, ring_id: u64) -> Self {
        Self::new(codec, ring_id, Source::Packets(None))
    }

    /// Of a track whose frames follow. `None`: frames of that format do not become packets.
    pub fn made(frame: &Frame, ring_id: u64) -> Option<Self> {
        Some(Self::new(codec_of(&frame.format)?, ring_id, Source::Frames(Packetizer::new())))
    }

    fn new(codec: Codec, ring_id: u64, source: Source) -> Self {
        let packets_max = match codec.kind() {
            Kind::Audio => AUDIO_PACKETS,
            Kind::Video => VIDEO_PACKETS,
        };
        let ring = Ring::new(packets_max);
        Self { codec, ring_id, ring, keyframe: None, flushed: 0, source, sync: Sync::default() }
    }

    /// What it carries.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Is it made from frames?
    pub fn is_made(&self) -> bool {
        matches!(self.source, Source::Frames(_))
    }

    /// Is it made from frames of that codec?
    pub fn is_of(&self, format: &Format) -> bool {
        codec_of(format) == Some(self.codec)
    }

    /// Another publisher's packets follow.
    pub fn restart(&mut self) {
        self.keyframe = None;
        if let Source::Packets(shift) = &mut self.source {
            *shift = None;
        }
    }

    /// Takes a packet in.
    pub fn push(&mut self, packet: &Packet<'_>) {
        let Source::Packets(shift) = &mut self.source else { return };
        let shift = *shift.get_or_insert_with(|| {
            let last = self.ring.end().checked_sub(1).and_then(|index| self.ring.get(index));
            let sequence = last.map_or(SEQUENCE_FIRST, |(meta, _)| meta.sequence + 1);
            let timestamp = rtp_timestamp(self.codec.clock_rate(), packet.at).max(self.sync.timestamp + 1);
            Shift {
                sequence: sequence.wrapping_sub(packet.meta.sequence),
                timestamp: timestamp.wrapping_sub(packet.meta.timestamp),
            }
        });
        let sequence = packet.meta.sequence.wrapping_add(shift.sequence);
        let timestamp = packet.meta.timestamp.wrapping_add(shift.timestamp);
        let meta = Meta { sequence, timestamp, ..packet.meta };
        self.sync = Sync { timestamp, at: packet.at };
        // A payload that is longer than any datagram does not exist.
        let Ok(index) = self.ring.push(meta, packet.payload) else { return };
        self.note_keyframe(index, meta);
    }

    /// Takes a frame in.
    pub fn push_frame(&mut self, frame: &Frame) {
        let Source::Frames(packetizer) = &mut self.source else { return };
        let range = packetizer.packetize(frame, &mut self.ring);
        for index in range {
            let Some((meta, _)) = self.ring.get(index) else { continue };
            let meta = *meta;
            self.sync = Sync { timestamp: meta.timestamp, at: frame.pts };
            self.note_keyframe(index, meta);
        }
    }

    /// A packet that is still there, by its sequence number.
    pub fn find(&self, ring_id: u64, sequence: u64) -> Option<(&Meta, &[u8])> {
        let mut latest_first = (self.ring.begin()..self.ring.end()).rev().filter_map(|index| self.ring.get(index));
        latest_first.find(|(meta, _)| meta.sequence == sequence).filter(|_| ring_id == self.ring_id)
    }

    /// Everybody has been offered what there is.
    pub fn note_flushed(&mut self) {
        self.flushed = self.ring.end();
    }

    /// What waits to be flushed.
    pub fn has_pending(&self) -> bool {
        self.flushed < self.ring.end()
    }

    /// What one receiver gets of it at this time; empty: nothing yet.
    pub fn read(&self, cursor: &mut Cursor) -> Range<u64> {
        let next = cursor.next.filter(|next| *next >= self.ring.begin()).or_else(|| self.entry());
        let Some(next) = next else {
            cursor.next = None;
            return 0..0;
        };
        let due = self.ring.end() - self.flushed;
        let end = self.ring.end().min(next + due + CATCH_UP);
        cursor.next = Some(end);
        next..end
    }

    /// One delivery of it.
    pub fn delivery<'a>(
        &'a self,
        endpoint: EndpointId,
        publication: &'a PublicationId,
        range: Range<u64>,
    ) -> PacketDelivery<'a> {
        let Self { codec, ring_id, ring, sync, .. } = self;
        let kind = codec.kind();
        PacketDelivery { endpoint, publication, kind, codec: *codec, ring_id: *ring_id, ring, range, sync: *sync }
    }

    /// Where one begins who has read nothing.
    fn entry(&self) -> Option<u64> {
        match self.codec.kind() {
            Kind::Audio => Some(self.flushed.max(self.ring.begin())),
            Kind::Video => self.keyframe.filter(|index| *index >= self.ring.begin()),
        }
    }

    fn note_keyframe(&mut self, index: u64, meta: Meta) {
        let known = self.keyframe.and_then(|known| self.ring.get(known));
        // Its parameter sets and its first slice both say that they begin it.
        let continues = known.is_some_and(|(known, _)| known.timestamp == meta.timestamp);
        if meta.starts_keyframe && !continues {
            self.keyframe = Some(index);
        }
    }
}

fn codec_of(format: &Format) -> Option<Codec> {
    match format {
        Format::H264(_) => Some(Codec::H264),
        Format::Opus(_) => Some(Codec::Opus),
        Format::Aac(_) => None,
    }
}

#[cfg(test)]
mod tests;
