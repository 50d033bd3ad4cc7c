//! How much time of the codec threads the work takes, by kind.
//!
//! Counted where a turn ends, with one atomic addition each: metrics read the sums of all codecs, gone
//! ones included, and whoever holds a codec reads its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::pool::Class;

/// What a codec thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// H.264 to a picture.
    VideoDecode,
    /// Pictures scaled and painted into one.
    Compose,
    /// A picture to H.264.
    VideoEncode,
    /// AAC or Opus to samples, resampled.
    AudioDecode,
    /// Samples to AAC or Opus.
    AudioEncode,
}

impl Work {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::VideoDecode, Self::Compose, Self::VideoEncode, Self::AudioDecode, Self::AudioEncode];

    /// For metrics labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VideoDecode => "video-decode",
            Self::Compose => "compose",
            Self::VideoEncode => "video-encode",
            Self::AudioDecode => "audio-decode",
            Self::AudioEncode => "audio-encode",
        }
    }
}

impl Work {
    pub(crate) fn class(self) -> Class {
        match self {
            Self::AudioDecode | Self::AudioEncode => Class::Sound,
            Self::VideoDecode | Self::Compose | Self::VideoEncode => Class::Pictures,
        }
    }
}

/// Work that was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// Pictures, access units or blocks of sound.
    pub turns: u64,
    /// On a codec thread, waiting for the processor included.
    pub busy: Duration,
}

impl Effort {
    /// On average; zero before the first.
    #[must_use]
    pub fn per_turn(&self) -> Duration {
        u32::try_from(self.turns).ok().and_then(|turns| self.busy.checked_div(turns)).unwrap_or_default()
    }

    pub(crate) fn add(&mut self, busy: Duration) {
        self.turns += 1;
        self.busy += busy;
    }
}

/// The sums of one pool.
#[derive(Debug, Default)]
pub(crate) struct Ledger([Entry; Work::ALL.len()]);

#[derive(Debug, Default)]
struct Entry {
    turns: AtomicU64,
    busy_ns: AtomicU64,
}

impl Ledger {
    pub(crate) fn add(&self, work: Work, busy: Duration) {
        let entry = &self.0[work as usize];
        entry.turns.fetch_add(1, Ordering::Relaxed);
        entry.busy_ns.fetch_add(u64::try_from(busy.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> [(Work, Effort); Work::ALL.len()] {
        Work::ALL.map(|work| {
            let entry = &self.0[work as usize];
            let busy = Duration::from_nanos(entry.busy_ns.load(Ordering::Relaxed));
            (work, Effort { turns: entry.turns.load(Ordering::Relaxed), busy })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_work_has_its_own_sum() {
        let ledger = Ledger::default();
        ledger.add(Work::Compose, Duration::from_micros(3));
        ledger.add(Work::Compose, Duration::from_micros(5));
        ledger.add(Work::AudioEncode, Duration::from_micros(1));
        let read: Vec<_> = ledger.read().into_iter().filter(|(_, effort)| effort.turns > 0).collect();
        let effort = |turns, micros| Effort { turns, busy: Duration::from_micros(micros) };
        assert_eq!(read, [(Work::Compose, effort(2, 8)), (Work::AudioEncode, effort(1, 1))]);
        assert_eq!((read[0].1.per_turn(), Effort::default().per_turn()), (Duration::from_micros(4), Duration::ZERO));
    }
}
