//! The last packets of one track, once for all who receive it: forwarded from here, and sent again.
//!
//! All memory is taken when the ring is made; a packet is copied into its slot and allocates nothing.
//! Packets stand in the order in which they came, under an index that counts up for ever, so a reader
//! keeps an index and asks; what it was too slow for is gone.

use crate::Discard;
use crate::view::PAYLOAD_LEN_MAX;

/// What is known of a packet beside its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meta {
    /// The publisher's sequence number, unrolled.
    pub sequence: u64,
    /// The publisher's timestamp, unrolled; differences count, and the low 32 bits are those of the wire.
    pub timestamp: u64,
    /// For pictures: the last packet of one.
    pub marker: bool,
    /// A receiver may begin with this packet ([`crate::starts_keyframe`]).
    pub starts_keyframe: bool,
    /// -dBov, 0 to 127 ([`crate::extension::audio_level`]).
    pub audio_level: Option<u8>,
    /// Quarter turns, 0 to 3 ([`crate::extension::orientation`]).
    pub orientation: Option<u8>,
}

/// The last packets of one track.
#[derive(Debug)]
pub struct Ring {
    slots: Box<[Slot]>,
    payloads: Box<[u8]>,
    end: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    meta: Meta,
    len: usize,
}

impl Ring {
    /// Room for `packets_max` packets (at least one) of [`PAYLOAD_LEN_MAX`] bytes each. Memory that no
    /// packet has come to yet is not touched.
    #[must_use]
    pub fn new(packets_max: usize) -> Self {
        let packets_max = packets_max.max(1);
        Self {
            slots: vec![Slot::default(); packets_max].into(),
            payloads: vec![0; packets_max * PAYLOAD_LEN_MAX].into(),
            end: 0,
        }
    }

    /// Takes a packet in and the oldest out. Returns its index: the first is 0, each next one more.
    ///
    /// # Errors
    /// [`Discard::TooLong`]: more than [`PAYLOAD_LEN_MAX`] bytes, which no [`crate::RtpView`] has.
    pub fn push(&mut self, meta: Meta, payload: &[u8]) -> Result<u64, Discard> {
        if payload.len() > PAYLOAD_LEN_MAX {
            return Err(Discard::TooLong);
        }
        let (index, slot) = (self.end, self.slot(self.end));
        self.slots[slot] = Slot { meta, len: payload.len() };
        let at = slot * PAYLOAD_LEN_MAX;
        self.payloads[at..at + payload.len()].copy_from_slice(payload);
        self.end += 1;
        Ok(index)
    }

    /// The packet of that index if it is still there.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<(&Meta, &[u8])> {
        if !(self.begin()..self.end).contains(&index) {
            return None;
        }
        let slot = self.slot(index);
        let at = slot * PAYLOAD_LEN_MAX;
        Some((&self.slots[slot].meta, &self.payloads[at..at + self.slots[slot].len]))
    }

    /// The index of the oldest packet that is still there; [`Self::end`] if none is.
    #[must_use]
    pub fn begin(&self) -> u64 {
        self.end.saturating_sub(self.slots.len() as u64)
    }

    /// The index that the next packet will have.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    fn slot(&self, index: u64) -> usize {
        (index % self.slots.len() as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_packets_are_there_and_no_others() {
        let mut ring = Ring::new(3);
        assert_eq!((ring.begin(), ring.end(), ring.get(0)), (0, 0, None));
        for n in 0..10_u8 {
            assert_eq!(ring.push(meta(n), &vec![n; usize::from(n)]), Ok(u64::from(n)));
        }
        assert_eq!((ring.begin(), ring.end()), (7, 10));
        for index in 0..12_u8 {
            let want = (7..10).contains(&index).then(|| (meta(index), vec![index; usize::from(index)]));
            let got = ring.get(u64::from(index)).map(|(meta, payload)| (*meta, payload.to_vec()));
            assert_eq!(got, want, "{index}");
        }
        assert_eq!(ring.get(u64::MAX), None);
    }

    #[test]
    fn the_longest_payload_fits_and_a_longer_one_changes_nothing() {
        let mut ring = Ring::new(2);
        ring.push(meta(1), &[1; PAYLOAD_LEN_MAX]).unwrap();
        ring.push(meta(2), &[2; PAYLOAD_LEN_MAX]).unwrap();
        assert_eq!(ring.push(meta(3), &[3; PAYLOAD_LEN_MAX + 1]), Err(Discard::TooLong));
        assert_eq!(ring.get(0), Some((&meta(1), &[1; PAYLOAD_LEN_MAX][..])));
        assert_eq!(ring.get(1), Some((&meta(2), &[2; PAYLOAD_LEN_MAX][..])));
    }

    #[test]
    fn a_ring_for_nothing_holds_one() {
        let mut ring = Ring::new(0);
        ring.push(meta(1), b"one").unwrap();
        ring.push(meta(2), b"two").unwrap();
        assert_eq!((ring.get(0), ring.get(1)), (None, Some((&meta(2), &b"two"[..]))));
    }

    fn meta(n: u8) -> Meta {
        Meta { sequence: u64::from(n), timestamp: 7, marker: n.is_multiple_of(2), ..Meta::default() }
    }
}
