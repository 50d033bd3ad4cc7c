//! The sound of a mix: every voice at its gain, added up and limited.
//!
//! Blocks of equal length follow each other without a gap, silent if nobody speaks. What the limiter
//! looks ahead, the voices are read ahead, so sound and pictures of one moment leave at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use heliu_model::{MediaTime, PublicationId};

use crate::feed::Feed;
use crate::input::Input;
use crate::limiter::{LOOK_AHEAD_FRAMES, Limiter};
use crate::stats::Stats;

/// Sample frames of a block: one AAC frame.
pub const BLOCK_FRAMES: usize = 1024;

/// Three blocks last 64 ms: 1024 / 48 000 s each.
pub(crate) const BLOCKS_IN_64_MS: u32 = 3;

const LOOK_AHEAD: Duration = Duration::from_nanos(LOOK_AHEAD_FRAMES as u64 * 62_500 / 3);
const GAIN_MAX: f32 = 4.0;

/// Who is heard how loud, and the state between two blocks.
#[derive(Debug)]
pub(crate) struct Sound {
    /// `None`: all but mixers'.
    gains: Option<BTreeMap<PublicationId, f32>>,
    limiter: Limiter,
    /// What is left of voices that ended.
    tail: Vec<[f32; 2]>,
}

impl Sound {
    pub(crate) fn new(wish: &heliu_model::Sound) -> Self {
        Self { gains: gains(wish), limiter: Limiter::default(), tail: Vec::new() }
    }

    /// Takes another wish, without a break.
    pub(crate) fn update(&mut self, wish: &heliu_model::Sound) {
        self.gains = gains(wish);
    }

    /// Has it sound, and is it heard at all?
    pub(crate) fn is_heard(&self, input: &Input) -> bool {
        input.has_audio && self.gain(input) > 0.0
    }

    /// Fades out what a voice would have said next.
    pub(crate) fn add_tail(&mut self, tail: &[[f32; 2]], gain: f32) {
        self.tail.resize(self.tail.len().max(tail.len()), [0.0; 2]);
        add(&mut self.tail, tail, gain, gain);
    }

    /// The block at `at`, interleaved.
    pub(crate) fn render(&mut self, at: MediaTime, feeds: &mut [Feed], stats: &mut Stats) -> Vec<f32> {
        let mut sum = [[0.0; 2]; BLOCK_FRAMES];
        let mut block = [[0.0; 2]; BLOCK_FRAMES];
        for feed in feeds {
            let gain = self.gain(&feed.input);
            feed.render(at, LOOK_AHEAD, &mut block, stats);
            let before = feed.gain.replace(gain).unwrap_or(gain);
            add(&mut sum, &block, before, gain);
        }
        add(&mut sum, &self.tail, 1.0, 1.0);
        self.tail.clear();
        self.limiter.process(&mut sum);
        sum.as_flattened().to_vec()
    }

    fn gain(&self, input: &Input) -> f32 {
        match &self.gains {
            Some(gains) => gains.get(&input.publication).copied().unwrap_or(0.0),
            None => f32::from(u8::from(!input.is_mixed)),
        }
    }
}

fn gains(wish: &heliu_model::Sound) -> Option<BTreeMap<PublicationId, f32>> {
    let voices = wish.voices.as_ref()?;
    Some(voices.iter().map(|voice| (voice.publication.clone(), sane(voice.gain))).collect())
}

fn sane(gain: f32) -> f32 {
    if gain > 0.0 { gain.min(GAIN_MAX) } else { 0.0 }
}

/// Adds a voice whose gain moves from one value to another over the block, so that no step is heard.
fn add(sum: &mut [[f32; 2]], voice: &[[f32; 2]], from: f32, to: f32) {
    if from == 0.0 && to == 0.0 {
        return;
    }
    let step = (to - from) / voice.len().max(1) as f32;
    for (n, (sum, voice)) in sum.iter_mut().zip(voice).enumerate() {
        let gain = if from == to { to } else { from + step * n as f32 };
        *sum = [sum[0] + voice[0] * gain, sum[1] + voice[1] * gain];
    }
}
