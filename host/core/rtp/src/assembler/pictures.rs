//! H.264: packets are parts of access units, which end at a marker or where the timestamp changes.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use heliu_container::avc::{NAL_PPS, NAL_SPS, ParameterSets, Record, Sps, nal_type};
use heliu_model::{Format, Frame, Kind, MediaTime};

use super::reorder::{Packet, Step};
use crate::decode_times::DecodeTimes;
use crate::h264::{AccessUnit, Depacketizer};
use crate::{Codec, Discard, SenderClock};

/// Frames of one picture track.
#[derive(Debug)]
pub(super) struct Pictures {
    sets: Sets,
    depacketizer: Depacketizer,
    open: Option<Open>,
    begins: Begins,
    /// The last keyframe brought its parameter sets along: one without has lost them.
    has_sets_in_band: bool,
    is_keyframe_wanted: bool,
    times: DecodeTimes,
    ready: VecDeque<Ready>,
}

/// What is known of the parameter sets.
#[derive(Debug)]
enum Sets {
    /// Perhaps one kind, not both.
    Partial {
        sps: Vec<Bytes>,
        pps: Vec<Bytes>,
    },
    Known(ParameterSets),
}

/// The access unit whose packets are coming.
#[derive(Debug, Clone, Copy)]
struct Open {
    timestamp: u64,
    arrival: MediaTime,
    begins: Begins,
}

/// Where the next packet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begins {
    /// Behind the last packet of an access unit.
    Known,
    /// Behind a gap, or at the very beginning: perhaps in the middle of an access unit.
    Unknown,
}

/// A frame that has no times yet.
#[derive(Debug)]
struct Ready {
    format: Arc<Format>,
    timestamp: u64,
    arrival: MediaTime,
    is_key: bool,
    data: Bytes,
}

impl Pictures {
    pub(super) fn new(parameter_sets: &[Bytes]) -> Self {
        let of = |kind| parameter_sets.iter().filter(|nal| nal_type(nal) == kind).cloned().collect();
        let mut pictures = Self {
            sets: Sets::Partial { sps: Vec::new(), pps: Vec::new() },
            depacketizer: Depacketizer::default(),
            open: None,
            begins: Begins::Unknown,
            has_sets_in_band: false,
            is_keyframe_wanted: true,
            times: DecodeTimes::default(),
            ready: VecDeque::new(),
        };
        // Malformed ones are as good as none: the packets may bring others.
        let _ = pictures.take_sets(of(NAL_SPS), of(NAL_PPS));
        pictures
    }

    pub(super) fn is_keyframe_wanted(&self) -> bool {
        self.is_keyframe_wanted
    }

    /// Returns why pictures were dropped: the one that was open before, and the one that this ends.
    pub(super) fn handle(&mut self, step: Step) -> [Option<Discard>; 2] {
        let packet = match step {
            Step::Gap => return [self.lose(), None],
            Step::Packet(packet) => packet,
        };
        let is_next = self.open.is_some_and(|open| open.timestamp != packet.meta.timestamp);
        let before = if is_next { self.end() } else { None };
        self.push(&packet);
        [before, if packet.meta.marker { self.end() } else { None }]
    }

    pub(super) fn poll_frame(&mut self, clock: &mut SenderClock) -> Option<Frame> {
        let Ready { format, timestamp, arrival, is_key, data } = self.ready.pop_front()?;
        let shown = clock.map(Kind::Video, Codec::H264.clock_rate(), timestamp, arrival);
        let (dts, pts) = self.times.next(shown);
        Some(Frame { format, dts, pts, is_key, data })
    }

    fn push(&mut self, packet: &Packet) {
        let begins = std::mem::replace(&mut self.begins, Begins::Known);
        self.open.get_or_insert(Open { timestamp: packet.meta.timestamp, arrival: packet.arrival, begins });
        self.depacketizer.push(&packet.payload);
    }

    /// Behind a gap: what was open is broken, and what follows may refer to what is lost.
    fn lose(&mut self) -> Option<Discard> {
        self.is_keyframe_wanted = true;
        self.begins = Begins::Unknown;
        self.depacketizer.finish();
        self.open.take().map(|_| Discard::Incomplete)
    }

    /// Ends the open access unit.
    fn end(&mut self) -> Option<Discard> {
        let open = self.open.take()?;
        let unit = self.depacketizer.finish();
        let dropped = self.accept(open, unit).err();
        self.is_keyframe_wanted |= dropped.is_some();
        dropped
    }

    fn accept(&mut self, open: Open, unit: AccessUnit) -> Result<(), Discard> {
        if let Some(reason) = unit.broken {
            return Err(reason);
        }
        let has_sets = !unit.sps.is_empty();
        // Also those of a picture that is not shown: the next one may refer to them.
        self.take_sets(unit.sps, unit.pps)?;
        if !unit.has_picture {
            return Ok(());
        }
        let has_beginning = unit.has_beginning && (has_sets || !self.has_sets_in_band);
        if open.begins == Begins::Unknown && !has_beginning {
            return Err(Discard::Incomplete);
        }
        if self.is_keyframe_wanted && !unit.is_key {
            return Err(Discard::NoKeyframe);
        }
        let Sets::Known(sets) = &self.sets else { return Err(Discard::NoParameterSets) };
        let format = sets.format().clone();
        if unit.is_key {
            self.has_sets_in_band = has_sets;
        }
        let Open { timestamp, arrival, .. } = open;
        // Frames are kept, and shared by all who receive them.
        let mut data = unit.data;
        data.shrink_to_fit();
        self.is_keyframe_wanted = false;
        self.ready.push_back(Ready { format, timestamp, arrival, is_key: unit.is_key, data: data.into() });
        Ok(())
    }

    fn take_sets(&mut self, sps: Vec<Bytes>, pps: Vec<Bytes>) -> Result<(), Discard> {
        if sps.is_empty() && pps.is_empty() {
            return Ok(());
        }
        let before = self.sets.format().cloned();
        self.sets.take(sps, pps)?;
        if self.sets.format() != before.as_ref()
            && let Some(depth) = self.sets.reordered_frames()
        {
            self.times.set_depth(depth);
        }
        Ok(())
    }
}

impl Sets {
    /// Follows what came in-band.
    fn take(&mut self, new_sps: Vec<Bytes>, new_pps: Vec<Bytes>) -> Result<(), Discard> {
        match self {
            Self::Known(sets) => sets.merge(&borrowed(&new_sps), &borrowed(&new_pps)),
            Self::Partial { sps, pps } => {
                replace_if_any(sps, new_sps);
                replace_if_any(pps, new_pps);
                if sps.is_empty() || pps.is_empty() {
                    return Ok(());
                }
                let known = known(&std::mem::take(sps), &std::mem::take(pps));
                known.map(|known| *self = Self::Known(known))
            }
        }
        .map_err(|_| Discard::NoParameterSets)
    }

    fn format(&self) -> Option<&Arc<Format>> {
        match self {
            Self::Known(sets) => Some(sets.format()),
            Self::Partial { .. } => None,
        }
    }

    fn reordered_frames(&self) -> Option<u32> {
        match self {
            Self::Known(sets) => Sps::parse(sets.record().sps().first()?).ok()?.reordered_frames,
            Self::Partial { .. } => None,
        }
    }
}

/// Neither is empty. Of several with one id the last counts.
fn known(sps: &[Bytes], pps: &[Bytes]) -> Result<ParameterSets, heliu_container::Discard> {
    let first = Record::new(vec![sps[0].clone()], Vec::new())?;
    ParameterSets::new(first.merged(&borrowed(sps), &borrowed(pps))?)
}

fn replace_if_any(old: &mut Vec<Bytes>, new: Vec<Bytes>) {
    if !new.is_empty() {
        *old = new;
    }
}

fn borrowed(nals: &[Bytes]) -> Vec<&[u8]> {
    nals.iter().map(|nal| &nal[..]).collect()
}
