//! Frames to packets, once for all who get the track.
//!
//! Packets go into the track's [`Ring`], numbered from the first frame on, with timestamps that are the
//! room's time in the codec's units. Who sends them adds a random offset of its own to both, which keeps
//! the times of two tracks comparable: [`rtp_timestamp`] of one moment belongs into its sender reports.

use std::ops::Range;
use std::sync::Arc;

use heliu_container::avc::{
    LengthSize, NAL_AUD, NAL_END_OF_SEQUENCE, NAL_END_OF_STREAM, NAL_FILLER, NAL_PPS, NAL_SEI, NAL_SPS, Record,
    nal_type, nals,
};
use heliu_model::{Format, Frame, MediaTime};

use crate::h264::{aggregate, payloads};
use crate::{Codec, Discard, Discards, Meta, Ring};

/// Bytes of a payload of pictures: with all headers of RTP, SRTP, UDP and IP below what every way
/// carries.
const PAYLOAD_LEN: usize = 1200;
/// The timestamp of the room's start: frames from before it have one too, and the low 32 bits do not
/// change by it.
const TIMESTAMP_ZERO: i64 = 1 << 50;
const SEQUENCE_FIRST: u64 = 1 << 16;
const NANOS: i128 = 1_000_000_000;

/// Makes the packets of one track.
#[derive(Debug)]
pub struct Packetizer {
    sequence: u64,
    sets: Option<Sets>,
    scratch: Vec<u8>,
    discards: Discards,
}

/// The parameter sets of a format.
#[derive(Debug)]
struct Sets {
    format: Arc<Format>,
    record: Record,
}

/// The room's time in units of `clock_rate` Hz, far above zero. Its low 32 bits are what stands on the
/// wire, up to the offset of who sends it.
#[must_use]
pub fn rtp_timestamp(clock_rate: u32, time: MediaTime) -> u64 {
    let units = (i128::from(time.0) * i128::from(clock_rate)).div_euclid(NANOS);
    i64::try_from(units).unwrap_or(0).wrapping_add(TIMESTAMP_ZERO).cast_unsigned()
}

impl Default for Packetizer {
    fn default() -> Self {
        Self { sequence: SEQUENCE_FIRST, sets: None, scratch: Vec::new(), discards: Discards::default() }
    }
}

impl Packetizer {
    /// Before the first frame.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cuts a frame into packets at the end of `ring` and returns their indices; none for a codec
    /// without a payload format here, and for a frame that is malformed (counted).
    ///
    /// A keyframe begins with its parameter sets as one STAP-A. The last packet of a picture has the
    /// marker, its timestamp is the frame's `pts`. Delimiters, filler and SEI stay behind.
    pub fn packetize(&mut self, frame: &Frame, ring: &mut Ring) -> Range<u64> {
        let start = ring.end();
        let written = match &*frame.format {
            Format::H264(_) => self.packetize_h264(frame, ring),
            Format::Opus(_) => self.packetize_opus(frame, ring),
            Format::Aac(_) => Ok(()),
        };
        if let Err(reason) = written {
            self.discards.count(reason);
        }
        start..ring.end()
    }

    /// What was dropped, by reason.
    #[must_use]
    pub fn discards(&self) -> &Discards {
        &self.discards
    }

    fn packetize_opus(&mut self, frame: &Frame, ring: &mut Ring) -> Result<(), Discard> {
        let timestamp = rtp_timestamp(Codec::Opus.clock_rate(), frame.pts);
        // The marker begins a talkspurt after silence that was not sent (RFC 7587 §4.2): ours has none.
        let meta = Meta { sequence: self.sequence, timestamp, starts_keyframe: true, ..Meta::default() };
        ring.push(meta, &frame.data)?;
        self.sequence += 1;
        Ok(())
    }

    fn packetize_h264(&mut self, frame: &Frame, ring: &mut Ring) -> Result<(), Discard> {
        // Before anything is written: half a picture is worse than none.
        let mut units = Vec::new();
        for nal in nals(&frame.data, LengthSize::Four) {
            let nal = nal.map_err(|_| Discard::BadPayload)?;
            units.extend(is_sent(nal_type(nal), frame.is_key).then_some(nal));
        }
        let sets = if frame.is_key && !units.is_empty() { self.parameter_sets(&frame.format)? } else { Vec::new() };
        let timestamp = rtp_timestamp(Codec::H264.clock_rate(), frame.pts);
        let mut pictures = Pictures { ring, timestamp, sequence: &mut self.sequence, scratch: &mut self.scratch };
        pictures.write(&sets, &units, frame.is_key)
    }

    /// The payloads with the parameter sets of the format.
    fn parameter_sets(&mut self, format: &Arc<Format>) -> Result<Vec<Vec<u8>>, Discard> {
        if !self.sets.as_ref().is_some_and(|sets| Arc::ptr_eq(&sets.format, format)) {
            let Format::H264(h264) = &**format else { return Ok(Vec::new()) };
            let record = Record::parse(&h264.record).map_err(|_| Discard::NoParameterSets)?;
            self.sets = Some(Sets { format: format.clone(), record });
        }
        Ok(self.sets.as_ref().map(Sets::payloads).unwrap_or_default())
    }
}

impl Sets {
    /// One STAP-A, or each by itself if they are too long for that.
    fn payloads(&self) -> Vec<Vec<u8>> {
        let nals: Vec<&[u8]> = self.record.sps().iter().chain(self.record.pps()).map(|nal| &nal[..]).collect();
        if let Some(all) = aggregate(&nals, PAYLOAD_LEN) {
            return vec![all];
        }
        let mut out = Vec::new();
        for payload in nals.iter().flat_map(|nal| payloads(nal, PAYLOAD_LEN)) {
            let mut bytes = Vec::new();
            payload.write(&mut bytes);
            out.push(bytes);
        }
        out
    }
}

/// The packets of one picture on their way into the ring.
struct Pictures<'a> {
    ring: &'a mut Ring,
    timestamp: u64,
    sequence: &'a mut u64,
    scratch: &'a mut Vec<u8>,
}

impl Pictures<'_> {
    fn write(&mut self, sets: &[Vec<u8>], nals: &[&[u8]], is_key: bool) -> Result<(), Discard> {
        let mut starts_keyframe = is_key;
        for set in sets {
            self.push(set, false, std::mem::take(&mut starts_keyframe))?;
        }
        let mut rest = nals.iter().flat_map(|nal| payloads(nal, PAYLOAD_LEN)).peekable();
        while let Some(payload) = rest.next() {
            let mut scratch = std::mem::take(self.scratch);
            payload.write(&mut scratch);
            let pushed = self.push(&scratch, rest.peek().is_none(), std::mem::take(&mut starts_keyframe));
            *self.scratch = scratch;
            pushed?;
        }
        Ok(())
    }

    fn push(&mut self, payload: &[u8], marker: bool, starts_keyframe: bool) -> Result<(), Discard> {
        let meta = Meta {
            sequence: *self.sequence,
            timestamp: self.timestamp,
            marker,
            starts_keyframe,
            audio_level: None,
            orientation: None,
        };
        self.ring.push(meta, payload)?;
        *self.sequence += 1;
        Ok(())
    }
}

/// What a receiver needs; a keyframe's parameter sets come from its format.
fn is_sent(kind: u8, is_key: bool) -> bool {
    match kind {
        NAL_SPS | NAL_PPS => !is_key,
        NAL_AUD | NAL_SEI | NAL_FILLER | NAL_END_OF_SEQUENCE | NAL_END_OF_STREAM => false,
        // Not types of a NAL unit, but of packets.
        0 | 24.. => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests;
