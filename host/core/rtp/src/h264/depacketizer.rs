//! Payloads to access units.
//!
//! Takes the payloads of one access unit after the other, in order and without holes; who calls sees to
//! that. What a sender still gets wrong makes the access unit broken, and a broken one comes to nobody's
//! eyes.

use bytes::Bytes;
use heliu_container::avc::{
    NAL_AUD, NAL_END_OF_SEQUENCE, NAL_END_OF_STREAM, NAL_FILLER, NAL_IDR, NAL_PPS, NAL_SLICE, NAL_SPS, NALS_MAX,
    nal_type,
};

use super::{FU_A, FU_B, FU_END, FU_START, INTERLEAVED, REFERENCE, STAP_A};
use crate::Discard;
use crate::codec::aggregated;

/// Bytes of one access unit.
const LEN_MAX: usize = 4 << 20;
/// Parameter sets of one access unit, of each kind; a repetition counts.
const SETS_MAX: usize = 64;
const LENGTH_LEN: usize = 4;

/// Puts one access unit together.
#[derive(Debug, Default)]
pub(crate) struct Depacketizer {
    unit: AccessUnit,
    nals: usize,
    /// Where in the data the length of a NAL unit stands whose fragments are still coming.
    fragment: Option<usize>,
}

/// What the payloads of one access unit held.
#[derive(Debug, Default)]
pub(crate) struct AccessUnit {
    /// Four-byte length-prefixed NAL units without parameter sets, delimiters and filler.
    pub(crate) data: Vec<u8>,
    /// Sequence parameter sets.
    pub(crate) sps: Vec<Bytes>,
    /// Picture parameter sets.
    pub(crate) pps: Vec<Bytes>,
    /// There is a slice.
    pub(crate) has_picture: bool,
    /// There is a slice of an IDR picture.
    pub(crate) is_key: bool,
    /// Its first slice is that of the picture's first macroblock.
    pub(crate) has_beginning: bool,
    /// Why nobody must see it, if so; the first reason.
    pub(crate) broken: Option<Discard>,
}

impl Depacketizer {
    /// Takes the next payload.
    pub(crate) fn push(&mut self, payload: &[u8]) {
        if let Err(reason) = self.read(payload) {
            self.mark_broken(reason);
        }
    }

    /// The access unit has lost a part.
    pub(crate) fn mark_broken(&mut self, reason: Discard) {
        self.unit.broken.get_or_insert(reason);
    }

    /// Ends the access unit.
    pub(crate) fn finish(&mut self) -> AccessUnit {
        if self.fragment.is_some() {
            self.mark_broken(Discard::Incomplete);
        }
        std::mem::take(self).unit
    }

    fn read(&mut self, payload: &[u8]) -> Result<(), Discard> {
        // A broken one grows no further.
        if self.unit.broken.is_some() {
            return Ok(());
        }
        let kind = nal_type(payload);
        if self.fragment.is_some() && kind != FU_A {
            return Err(Discard::Incomplete);
        }
        match (kind, payload) {
            (_, []) => Ok(()),
            (STAP_A, [_, rest @ ..]) => self.read_aggregation(rest),
            (FU_A, [indicator, header, rest @ ..]) => self.read_fragment(*indicator, *header, rest),
            (FU_A, _) => Err(Discard::BadPayload),
            (FU_B, _) => Err(Discard::Mode),
            (kind, _) if INTERLEAVED.contains(&kind) => Err(Discard::Mode),
            // Unspecified, and for extensions: to be left out (RFC 6184 §5.4).
            (0 | 30 | 31, _) => Ok(()),
            (_, nal) => self.take(nal),
        }
    }

    fn read_aggregation(&mut self, rest: &[u8]) -> Result<(), Discard> {
        let mut len = 0;
        for nal in aggregated(rest) {
            len += 2 + nal.len();
            match nal_type(nal) {
                // An empty one says nothing; what is no NAL unit cannot be in an aggregation.
                0 if nal.is_empty() => {}
                0 | STAP_A.. => return Err(Discard::BadPayload),
                _ => self.take(nal)?,
            }
        }
        if len == rest.len() { Ok(()) } else { Err(Discard::BadPayload) }
    }

    fn read_fragment(&mut self, indicator: u8, header: u8, body: &[u8]) -> Result<(), Discard> {
        let kind = header & 0x1F;
        match (self.fragment, header & FU_START != 0) {
            (None, true) => self.begin_fragment(indicator & REFERENCE | kind)?,
            (None, false) => return Err(Discard::LoneFragment),
            (Some(_), true) => return Err(Discard::Incomplete),
            (Some(at), false) if self.unit.data[at + LENGTH_LEN] & 0x1F != kind => return Err(Discard::LoneFragment),
            (Some(_), false) => {}
        }
        self.append(body)?;
        if header & FU_END != 0 { self.end_fragment() } else { Ok(()) }
    }

    fn begin_fragment(&mut self, header: u8) -> Result<(), Discard> {
        // A fragment of what is no single NAL unit would nest (RFC 6184 §5.8).
        if !(1..STAP_A).contains(&(header & 0x1F)) {
            return Err(Discard::BadPayload);
        }
        self.fragment = Some(self.unit.data.len());
        self.append(&[0, 0, 0, 0, header])
    }

    fn end_fragment(&mut self) -> Result<(), Discard> {
        let Some(at) = self.fragment.take() else { return Ok(()) };
        let nal_at = at + LENGTH_LEN;
        if !is_carried(nal_type(&self.unit.data[nal_at..])) {
            let nal = self.unit.data.split_off(nal_at);
            self.unit.data.truncate(at);
            return self.take(&nal);
        }
        let len = u32::try_from(self.unit.data.len() - nal_at).map_err(|_| Discard::TooLarge)?;
        self.unit.data[at..nal_at].copy_from_slice(&len.to_be_bytes());
        self.count()?;
        self.unit.note(nal_at);
        Ok(())
    }

    /// A whole NAL unit, not empty.
    fn take(&mut self, nal: &[u8]) -> Result<(), Discard> {
        match nal_type(nal) {
            NAL_SPS => keep(&mut self.unit.sps, nal),
            NAL_PPS => keep(&mut self.unit.pps, nal),
            kind if !is_carried(kind) => Ok(()),
            _ => {
                self.count()?;
                let len = u32::try_from(nal.len()).map_err(|_| Discard::TooLarge)?;
                self.append(&len.to_be_bytes())?;
                self.append(nal)?;
                self.unit.note(self.unit.data.len() - nal.len());
                Ok(())
            }
        }
    }

    fn count(&mut self) -> Result<(), Discard> {
        self.nals += 1;
        if self.nals > NALS_MAX { Err(Discard::TooLarge) } else { Ok(()) }
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Discard> {
        if self.unit.data.len() + bytes.len() > LEN_MAX {
            return Err(Discard::TooLarge);
        }
        self.unit.data.extend_from_slice(bytes);
        Ok(())
    }
}

impl AccessUnit {
    /// The NAL unit that stands there in the data, up to its end.
    fn note(&mut self, at: usize) {
        let nal = &self.data[at..];
        let kind = nal_type(nal);
        if !(NAL_SLICE..=NAL_IDR).contains(&kind) {
            return;
        }
        if !self.has_picture {
            // `first_mb_in_slice`, an Exp-Golomb number: 0 is a single set bit.
            self.has_beginning = nal.get(1).is_some_and(|byte| byte & 0x80 != 0);
        }
        self.has_picture = true;
        self.is_key |= kind == NAL_IDR;
    }
}

/// Whether the NAL units of that type are part of a frame's data.
fn is_carried(kind: u8) -> bool {
    !matches!(kind, NAL_SPS | NAL_PPS | NAL_AUD | NAL_END_OF_SEQUENCE | NAL_END_OF_STREAM | NAL_FILLER)
}

fn keep(sets: &mut Vec<Bytes>, nal: &[u8]) -> Result<(), Discard> {
    if sets.len() == SETS_MAX {
        return Err(Discard::TooLarge);
    }
    sets.push(Bytes::copy_from_slice(nal));
    Ok(())
}
