//! What a browser receives: packets of a publication under numbers of its own.
//!
//! Sequence numbers and timestamps begin at random and go on through everything that happens to the
//! publication. What is missing upstream is missing here, so that the browser asks for it.

use heliu_model::{Kind, PublicationId, Traffic};
use heliu_room::PacketDelivery;
use heliu_rtc::{Codec, Direction, MLine, Outgoing};
use heliu_rtp::Meta;

/// The tracks of one viewer.
pub struct Outbound {
    publication: PublicationId,
    tracks: Vec<Track>,
    traffic: Traffic,
}

/// One track on its way out.
pub struct Track {
    /// Which of the session's.
    pub line: usize,
    /// Sound or pictures.
    pub kind: Kind,
    codec: heliu_rtp::Codec,
    ring_id: u64,
    /// What is added to the ring's numbers: the low bits count.
    sequence_offset: u64,
    timestamp_offset: u32,
    /// The ring's number of the first packet sent from it, and of the latest.
    first: u64,
    latest: u64,
}

impl Outbound {
    /// Of the lines that were agreed on.
    pub fn new(publication: PublicationId, lines: &[MLine]) -> Self {
        let tracks = lines.iter().enumerate().filter_map(|(index, line)| Track::new(index, line)).collect();
        Self { publication, tracks, traffic: Traffic::default() }
    }

    /// What it receives.
    pub fn publication(&self) -> &PublicationId {
        &self.publication
    }

    /// What it was sent.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// The track that takes a delivery, made ready for it. `None`: its codec was not agreed on; counted.
    pub fn track(&mut self, delivery: &PacketDelivery<'_>) -> Option<&mut Track> {
        let dropped = delivery.range.end - delivery.range.start;
        let Some(track) = self.tracks.iter_mut().find(|track| track.codec == delivery.codec) else {
            self.traffic.frames_dropped += dropped;
            return None;
        };
        let first = delivery.ring.get(delivery.range.start).map(|(meta, _)| meta.sequence)?;
        if track.ring_id != delivery.ring_id {
            track.enter(delivery.ring_id, first);
        }
        Some(track)
    }

    /// Counts what was sent.
    pub fn note_sent(&mut self, packets: u64, bytes: u64) {
        self.traffic += Traffic { bytes, frames: packets, frames_dropped: 0 };
    }

    /// The track of a line.
    pub fn by_line(&self, line: usize) -> Option<&Track> {
        self.tracks.iter().find(|track| track.line == line)
    }
}

impl Track {
    fn new(index: usize, line: &MLine) -> Option<Self> {
        let codec = match line.codec.filter(|_| line.direction == Direction::Send)? {
            Codec::H264 => heliu_rtp::Codec::H264,
            Codec::Opus => heliu_rtp::Codec::Opus,
            Codec::Vp8 => heliu_rtp::Codec::Vp8,
        };
        let random = getrandom::u64().expect("the system has random numbers");
        Some(Self {
            line: index,
            kind: line.kind,
            codec,
            ring_id: 0,
            // Below half of the numbers, as RFC 3711 §3.3.1 asks for: the first packet may be lost.
            sequence_offset: random >> 49,
            timestamp_offset: random as u32,
            first: 0,
            latest: 0,
        })
    }

    /// What stands in the packet's header.
    pub fn header(&mut self, meta: &Meta) -> Outgoing {
        self.latest = self.latest.max(meta.sequence);
        self.header_again(meta)
    }

    /// The same for one that was sent before.
    pub fn header_again(&self, meta: &Meta) -> Outgoing {
        Outgoing {
            marker: meta.marker,
            sequence: meta.sequence.wrapping_add(self.sequence_offset) as u16,
            timestamp: self.timestamp(meta.timestamp),
            audio_level: meta.audio_level,
            orientation: meta.orientation,
        }
    }

    /// The ring and the number there that a sequence number of ours stands for, if it was sent from there.
    pub fn sent(&self, sequence: u16) -> Option<(u64, u64)> {
        let wanted = sequence.wrapping_sub(self.sequence_offset as u16);
        let back = (self.latest as u16).wrapping_sub(wanted);
        let number = self.latest.checked_sub(u64::from(back))?;
        (number >= self.first).then_some((self.ring_id, number))
    }

    /// The ring's timestamp as it stands in a header.
    pub fn timestamp(&self, timestamp: u64) -> u32 {
        (timestamp as u32).wrapping_add(self.timestamp_offset)
    }

    /// Another ring follows: its first number goes on from our last.
    fn enter(&mut self, ring_id: u64, first: u64) {
        let next = self.latest.wrapping_add(self.sequence_offset).wrapping_add(u64::from(self.ring_id != 0));
        (self.ring_id, self.first, self.latest) = (ring_id, first, first);
        self.sequence_offset = next.wrapping_sub(first);
    }
}

#[cfg(test)]
mod tests {
    use heliu_model::{EndpointId, MediaTime};
    use heliu_room::Sync;
    use heliu_rtc::{ExtensionIds, Feedback};
    use heliu_rtp::Ring;

    use super::*;

    #[test]
    fn numbers_go_on_through_another_ring_and_keep_gaps() {
        let mut outbound = Outbound::new(cam(), &[line()]);
        let mut sent = Vec::new();
        for (ring_id, sequences) in [(1, &[70_000, 70_001, 70_003][..]), (2, &[5, 6][..])] {
            let ring = ring(sequences);
            let delivery = delivery(ring_id, &ring);
            let track = outbound.track(&delivery).unwrap();
            for index in delivery.range.clone() {
                sent.push(track.header(ring.get(index).unwrap().0).sequence);
            }
        }
        let from_first: Vec<u16> = sent.iter().map(|sequence| sequence.wrapping_sub(sent[0])).collect();
        assert_eq!(from_first, [0, 1, 3, 4, 5]);
    }

    #[test]
    fn what_is_asked_for_again_is_found_if_it_was_sent_from_this_ring() {
        let mut outbound = Outbound::new(cam(), &[line()]);
        let (before, ring) = (ring(&[9]), ring(&[100_000, 100_001, 100_002]));
        let mut sent = Vec::new();
        for (ring_id, ring) in [(1, &before), (2, &ring)] {
            let delivery = delivery(ring_id, ring);
            let track = outbound.track(&delivery).unwrap();
            sent.extend(delivery.range.clone().map(|index| track.header(ring.get(index).unwrap().0).sequence));
        }
        let track = outbound.by_line(0).unwrap();
        let found: Vec<_> = sent.iter().map(|sequence| track.sent(*sequence)).collect();
        assert_eq!(found, [None, Some((2, 100_000)), Some((2, 100_001)), Some((2, 100_002))]);
        assert_eq!(track.sent(sent[3].wrapping_add(1)), None, "not sent yet");
    }

    #[test]
    fn another_codec_than_was_agreed_on_is_counted_and_not_sent() {
        let mut outbound = Outbound::new(cam(), &[line()]);
        let ring = ring(&[1, 2]);
        let other = PacketDelivery { codec: heliu_rtp::Codec::Vp8, ..delivery(1, &ring) };
        assert!(outbound.track(&other).is_none());
        assert_eq!(outbound.traffic().frames_dropped, 2);
    }

    fn delivery(ring_id: u64, ring: &Ring) -> PacketDelivery<'_> {
        static CAM: std::sync::OnceLock<PublicationId> = std::sync::OnceLock::new();
        PacketDelivery {
            endpoint: EndpointId(1),
            publication: CAM.get_or_init(cam),
            kind: Kind::Video,
            codec: heliu_rtp::Codec::H264,
            ring_id,
            ring,
            range: ring.begin()..ring.end(),
            sync: Sync { timestamp: 0, at: MediaTime::ZERO },
        }
    }

    fn ring(sequences: &[u64]) -> Ring {
        let mut ring = Ring::new(8);
        for &sequence in sequences {
            ring.push(Meta { sequence, ..Meta::default() }, b"x").unwrap();
        }
        ring
    }

    fn line() -> MLine {
        MLine {
            mid: "0".to_owned(),
            kind: Kind::Video,
            direction: Direction::Send,
            codec: Some(Codec::H264),
            payload_type: 102,
            rtx_payload_type: None,
            clock_rate: 90_000,
            parameters: String::new(),
            extensions: ExtensionIds::default(),
            feedback: Feedback::default(),
            ssrcs: vec![7],
            rtx_ssrcs: Vec::new(),
            rids: Vec::new(),
        }
    }

    fn cam() -> PublicationId {
        "cam".parse().unwrap()
    }
}
