//! NAL units cut into payloads, and small ones put together.

use super::{FU_A, FU_END, FU_START, REFERENCE, STAP_A};

const FU_HEADER_LEN: usize = 2;

/// One payload of a packet: up to two bytes of its own, then borrowed ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payload<'a> {
    head: [u8; FU_HEADER_LEN],
    head_len: usize,
    body: &'a [u8],
}

impl Payload<'_> {
    /// Replaces what is in `out`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.head[..self.head_len]);
        out.extend_from_slice(self.body);
    }
}

/// The payloads of one NAL unit, none longer than `len_max` (at least 3): itself, or its fragments, all
/// but the last of equal length so that they leave in one send. None for an empty unit.
pub(crate) fn payloads(nal: &[u8], len_max: usize) -> impl Iterator<Item = Payload<'_>> {
    let (whole, cut) = if nal.len() <= len_max { (nal, &[][..]) } else { (&[][..], nal) };
    let whole = (!whole.is_empty()).then_some(Payload { head: [0; FU_HEADER_LEN], head_len: 0, body: whole });
    whole.into_iter().chain(fragments(cut, len_max - FU_HEADER_LEN))
}

fn fragments(nal: &[u8], len: usize) -> impl Iterator<Item = Payload<'_>> {
    let (header, body) = nal.split_first().map_or((0, &[][..]), |(header, body)| (*header, body));
    let last = body.len().div_ceil(len).saturating_sub(1);
    body.chunks(len).enumerate().map(move |(at, body)| {
        let start = if at == 0 { FU_START } else { 0 };
        let end = if at == last { FU_END } else { 0 };
        Payload { head: [header & REFERENCE | FU_A, start | end | header & 0x1F], head_len: FU_HEADER_LEN, body }
    })
}

/// A STAP-A of these NAL units, if there are any and it is no longer than `len_max`.
pub(crate) fn aggregate(nals: &[&[u8]], len_max: usize) -> Option<Vec<u8>> {
    let len = 1 + nals.iter().map(|nal| 2 + nal.len()).sum::<usize>();
    if nals.is_empty() || len > len_max {
        return None;
    }
    let reference = nals.iter().filter_map(|nal| nal.first()).map(|header| header & REFERENCE).max().unwrap_or(0);
    let mut out = Vec::with_capacity(len);
    out.push(reference | STAP_A);
    for nal in nals {
        out.extend_from_slice(&u16::try_from(nal.len()).ok()?.to_be_bytes());
        out.extend_from_slice(nal);
    }
    Some(out)
}
