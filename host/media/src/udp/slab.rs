//! Datagrams on their way out: written one after the other into one buffer, sent in runs.
//!
//! A run is datagrams of one length to one address, the last of which may be shorter: that is what the
//! kernel takes apart by itself (UDP generic segmentation offload), for the price of one system call.

use std::net::SocketAddr;
use std::ops::Range;

/// What the kernel takes in one call: 64 datagrams, and the length field of one IP packet.
const SEGMENTS_MAX: usize = 40;
const RUN_BYTES_MAX: usize = 60_000;

/// Datagrams that wait until the turn is over.
#[derive(Debug, Default)]
pub struct Slab {
    bytes: Vec<u8>,
    runs: Vec<Run>,
}

/// Datagrams that leave together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Where to.
    pub to: SocketAddr,
    /// Length of each but the last, which may be shorter.
    pub segment: usize,
    /// How many.
    pub count: usize,
    /// Where in the slab.
    pub range: Range<usize>,
    /// The last one was shorter: none may follow.
    is_closed: bool,
}

impl Slab {
    /// Lets `write` append one datagram; what it appends nothing to is none.
    pub fn add(&mut self, to: SocketAddr, write: impl FnOnce(&mut Vec<u8>)) {
        let begin = self.bytes.len();
        write(&mut self.bytes);
        let range = begin..self.bytes.len();
        if range.is_empty() {
            return;
        }
        match self.runs.last_mut() {
            Some(run) if run.takes(to, range.len()) => run.extend(range),
            _ => self.runs.push(Run { to, segment: range.len(), count: 1, range, is_closed: false }),
        }
    }

    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Hands out every run, in order, and is empty then. Its memory is kept.
    pub fn drain(&mut self, mut send: impl FnMut(&Run, &[u8])) {
        for run in &self.runs {
            send(run, &self.bytes[run.range.clone()]);
        }
        self.runs.clear();
        self.bytes.clear();
    }
}

impl Run {
    fn takes(&self, to: SocketAddr, len: usize) -> bool {
        !self.is_closed
            && self.to == to
            && len <= self.segment
            && self.count < SEGMENTS_MAX
            && self.range.len() + len <= RUN_BYTES_MAX
    }

    fn extend(&mut self, by: Range<usize>) {
        self.is_closed = by.len() < self.segment;
        self.count += 1;
        self.range.end = by.end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_of_one_length_to_one_address_leave_together() {
        let (a, b) = (([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 2).into());
        let mut slab = Slab::default();
        for (to, len) in [(a, 3), (a, 3), (a, 2), (a, 3), (b, 3), (a, 3), (a, 4), (a, 0)] {
            slab.add(to, |bytes| bytes.resize(bytes.len() + len, 7));
        }

        let want = [(a, 3, 3, 8), (a, 3, 1, 3), (b, 3, 1, 3), (a, 3, 1, 3), (a, 4, 1, 4)];
        assert_eq!(drained(&mut slab), want);
        assert!(slab.is_empty());
        assert_eq!(drained(&mut slab), []);
    }

    #[test]
    fn a_run_ends_where_the_kernel_would_not_take_it() {
        let to = ([127, 0, 0, 1], 1).into();
        let mut slab = Slab::default();
        for _ in 0..=SEGMENTS_MAX {
            slab.add(to, |bytes| bytes.push(0));
        }
        let long = RUN_BYTES_MAX / 2 + 1;
        for _ in 0..2 {
            slab.add(to, |bytes| bytes.resize(bytes.len() + long, 0));
        }
        let counts: Vec<_> = drained(&mut slab).iter().map(|run| run.2).collect();
        assert_eq!(counts, [SEGMENTS_MAX, 1, 1, 1]);
    }

    fn drained(slab: &mut Slab) -> Vec<(SocketAddr, usize, usize, usize)> {
        let mut runs = Vec::new();
        slab.drain(|run, bytes| runs.push((run.to, run.segment, run.count, bytes.len())));
        runs
    }
}
