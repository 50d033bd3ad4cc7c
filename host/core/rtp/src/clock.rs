//! From the timestamps of one publisher's tracks to the room's time (architecture §3, *Time*).
//!
//! Each track is anchored where its first packet arrives and keeps the publisher's own spacing. Two
//! things move it afterwards, both slowly:
//!
//! - the earliest arrivals of the last seconds, so that a publisher whose clock runs fast or slow stays
//!   beside the room's;
//! - sender reports, so that pictures are shown with their sound. The sound is never moved for that: an
//!   ear hears what an eye does not see.
//!
//! A publisher's wall clock is believed only as far as it relates two of its own tracks.
//!
//! Not here: what comes late. Frames keep the time at which they belong, however late they are.

mod earliest;
mod track;

use heliu_model::{Kind, MediaTime};

use track::Track;

/// A track that was silent for so long does not say where the other one belongs.
const REFERENCE_AGE_NS_MAX: i64 = 5_000_000_000;
/// Tracks of one publisher that are further apart than this are not brought together: one of the
/// reports is wrong.
const APART_NS_MAX: i64 = 2_000_000_000;

/// Maps the timestamps of one publisher, at most one track of each kind.
#[derive(Debug, Default)]
pub struct SenderClock {
    audio: Option<Track>,
    video: Option<Track>,
    stats: ClockStats,
}

/// What a publisher's clock did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockStats {
    /// How often a track's timestamps jumped, or drifted from its arrivals as no clock does, so that it
    /// was anchored anew.
    pub jumps: u64,
    /// Sender reports that relate no timestamp of the track, or put sound and pictures too far apart.
    pub reports_ignored: u64,
}

impl SenderClock {
    /// Before the first packet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// When the media of an unrolled timestamp belongs. `arrival`: when its first packet came. Every
    /// picture and sound should pass here once, also when it is only forwarded; a late one does no harm.
    ///
    /// `clock_rate`: units per second, taken from the first packet of the track; 0 counts as 1.
    pub fn map(&mut self, kind: Kind, clock_rate: u32, timestamp: u64, arrival: MediaTime) -> MediaTime {
        let goal = self.goal(kind, arrival);
        let (track, stats) = self.track(kind);
        let track = track.get_or_insert_with(|| Track::new(clock_rate));
        track.map(timestamp, arrival, goal, &mut stats.jumps)
    }

    /// Takes a sender report of the track: its NTP time and the timestamp of the same moment, as on the
    /// wire. Reports before the first packet are of no use and ignored.
    pub fn handle_sender_report(&mut self, kind: Kind, ntp: u64, rtp: u32) {
        let (track, stats) = self.track(kind);
        let is_taken = track.as_mut().is_some_and(|track| track.handle_report(ntp, rtp));
        stats.reports_ignored += u64::from(!is_taken);
        if let Some(apart) = self.apart()
            && apart.saturating_abs() > APART_NS_MAX
        {
            self.stats.reports_ignored += 1;
            self.track(kind).0.iter_mut().for_each(Track::forget_report);
        }
    }

    /// The unrolled timestamp that the track has at this time: what a sender report to somebody who gets
    /// its packets says. `None` before its first packet.
    #[must_use]
    pub fn timestamp_at(&self, kind: Kind, time: MediaTime) -> Option<u64> {
        let track = match kind {
            Kind::Audio => &self.audio,
            Kind::Video => &self.video,
        };
        track.as_ref().map(|track| track.timestamp_at(time))
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> ClockStats {
        self.stats
    }

    /// Where a track has to go, relative to where it is; `None`: its own arrivals tell.
    fn goal(&self, kind: Kind, now: MediaTime) -> Option<i64> {
        let audio = self.audio.as_ref()?;
        let is_fresh = now.0.saturating_sub(audio.last_arrival().0) <= REFERENCE_AGE_NS_MAX;
        if kind == Kind::Audio || !is_fresh { None } else { self.apart() }
    }

    /// By how much pictures must be moved to be with their sound.
    fn apart(&self) -> Option<i64> {
        Some(self.audio.as_ref()?.wall_offset()?.saturating_sub(self.video.as_ref()?.wall_offset()?))
    }

    fn track(&mut self, kind: Kind) -> (&mut Option<Track>, &mut ClockStats) {
        match kind {
            Kind::Audio => (&mut self.audio, &mut self.stats),
            Kind::Video => (&mut self.video, &mut self.stats),
        }
    }
}

#[cfg(test)]
mod tests;
