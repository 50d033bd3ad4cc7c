//! What a mixer counts.

use std::time::Duration;

/// Since the mixer began, over all inputs, those that left included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Compositions handed out.
    pub pictures: u64,
    /// Picture ticks given up because `poll` came too late for them.
    pub ticks_skipped: u64,
    /// Sound blocks handed out.
    pub blocks: u64,
    /// Sound blocks given up because `poll` came over two seconds too late.
    pub blocks_skipped: u64,
    /// Decoded pictures that were replaced before a tick could show them.
    pub pictures_passed_over: u64,
    /// Decoded pictures that were due before their time because their queue was full.
    pub pictures_hurried: u64,
    /// Sample frames of silence in the place of sound that did not come in time.
    pub frames_concealed: u64,
    /// Sample frames thrown away: too late, too many, or cut by a jump in time.
    pub frames_dropped: u64,
    /// Samples that were no finite number or absurdly loud.
    pub samples_insane: u64,
    /// Jumps of an input's time line, its first anchor not counted.
    pub reanchors: u64,
    /// Pictures and samples of a publication that is no input.
    pub unknown_input: u64,
}

/// One input at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputStats {
    /// Decoded pictures that wait for their tick.
    pub pictures_len: usize,
    /// Sample frames that wait for their block.
    pub frames_len: usize,
    /// How much later than the earliest possible moment the input is mixed; zero before any media.
    pub delay: Duration,
}
