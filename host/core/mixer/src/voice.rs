//! The sound of one input: what waits to be heard, and where in it the mix reads.
//!
//! Blocks are read where the input's time line says. A small distance is closed by reading up to
//! half a percent faster or slower (unheard), a large one by a jump with a short fade. When nothing
//! is there to read the voice fades out, is silent, and fades in again when it is back. Every cut
//! ends in a tail: its next 5 ms, fading, are added to the block that follows.
//!
//! Not here: what is due when (`timeline`), gains and the sum (`sound`).

use heliu_model::MediaTime;

use crate::stats::Stats;

/// 5 ms.
pub(crate) const FADE_FRAMES: usize = 240;
/// One second: the longest delay, and a chunk of the slowest sampling rate.
pub(crate) const FRAMES_MAX: usize = 48_000;

/// Left over behind a block, so that an end is seen before it is reached and can be faded.
const SPARE_FRAMES: usize = 48;
/// Louder is no sound: decoders overshoot by far less.
const SAMPLE_MAX: f32 = 4.0;
/// Time stamps that miss the end of what is there by less are taken for contiguous: they are rounded
/// to milliseconds, and by some encoders to whole frames.
const CONTIGUOUS_NS: i64 = 40_000_000;
/// Longest hole that is filled with silence instead of beginning anew.
const HOLE_NS_MAX: i64 = 500_000_000;
/// So much of such a miss is believed at a time.
const BELIEF: i64 = 32;
/// A distance over this is a jump: 30 ms.
const JUMP_FRAMES: f64 = 1_440.0;
/// A distance below this is left alone, so that an undisturbed voice is copied bit by bit: 1 ms.
const DEAD_FRAMES: f64 = 48.0;
/// A distance is closed within about so much sound: 2 s.
const SETTLE_FRAMES: f64 = 96_000.0;
const BEND_MAX: f64 = 0.005;

/// Bounded by [`FRAMES_MAX`].
#[derive(Debug, Default)]
pub(crate) struct Voice {
    line: Vec<[f32; 2]>,
    /// Presentation time of what will come behind `line`.
    end: MediaTime,
    reader: Reader,
    tail: Vec<[f32; 2]>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Reader {
    /// Nothing was heard yet, so nothing is missed.
    #[default]
    Unheard,
    Silent,
    /// `position`: next frame of `line`, may be before its first. `played`: since the last fade began.
    Playing {
        position: f64,
        played: usize,
    },
}

impl Voice {
    /// Takes interleaved stereo at 48 kHz; an odd sample at the end is ignored.
    pub(crate) fn push(&mut self, pts: MediaTime, samples: &[f32], stats: &mut Stats) {
        let is_cut = self.join(pts, stats);
        let start = self.line.len();
        self.line.extend(samples.chunks_exact(2).map(|frame| [sane(frame[0], stats), sane(frame[1], stats)]));
        if is_cut {
            fade_in(&mut self.line[start..], 0);
        }
        self.end = self.end.plus_frames(self.line.len() - start);
        self.bound(stats);
    }

    /// Fills a block with what is due, `due` being the presentation time of its first frame.
    pub(crate) fn render(&mut self, due: MediaTime, block: &mut [[f32; 2]], stats: &mut Stats) {
        block.fill([0.0; 2]);
        self.find(due, block.len(), stats);
        let played = self.play(due, block);
        if !matches!(self.reader, Reader::Unheard) {
            stats.frames_concealed += (block.len() - played) as u64;
        }
        for (frame, tail) in block.iter_mut().zip(self.tail.drain(..)) {
            *frame = [frame[0] + tail[0], frame[1] + tail[1]];
        }
    }

    /// Ends the voice; what is left is its tail.
    pub(crate) fn into_tail(mut self) -> Vec<[f32; 2]> {
        self.cut();
        self.tail
    }

    /// Does nothing sound, so that a jump in time is unheard?
    pub(crate) fn is_silent(&self) -> bool {
        !matches!(self.reader, Reader::Playing { .. })
    }

    /// How many sample frames wait.
    pub(crate) fn len(&self) -> usize {
        self.line.len()
    }

    /// Makes `pts` the end of what waits. Answers whether what follows does not continue it.
    fn join(&mut self, pts: MediaTime, stats: &mut Stats) -> bool {
        let error = pts.0.saturating_sub(self.end.0);
        if !self.line.is_empty() && error.saturating_abs() <= CONTIGUOUS_NS {
            self.end = MediaTime(self.end.0.saturating_add(error / BELIEF));
            return false;
        }
        if !self.line.is_empty() && (0..=HOLE_NS_MAX).contains(&error) {
            self.fill(error, stats);
        } else {
            self.drop_line(stats);
            self.end = pts;
        }
        true
    }

    /// Silence for what is missing before the next samples.
    fn fill(&mut self, hole_ns: i64, stats: &mut Stats) {
        let heard = match self.reader {
            Reader::Playing { position, .. } => position.max(0.0).ceil() as usize,
            Reader::Unheard | Reader::Silent => 0,
        };
        let end = self.line.len();
        fade_out(&mut self.line[end.saturating_sub(FADE_FRAMES).max(heard.min(end))..]);
        let frames = (hole_ns * 48 / 1_000_000) as usize;
        self.line.resize(end + frames, [0.0; 2]);
        self.end = self.end.plus_frames(frames);
        stats.frames_concealed += frames as u64;
    }

    fn bound(&mut self, stats: &mut Stats) {
        let excess = self.line.len().saturating_sub(FRAMES_MAX);
        if excess > 0 {
            self.cut();
            self.line.drain(..excess);
            stats.frames_dropped += excess as u64;
        }
    }

    fn drop_line(&mut self, stats: &mut Stats) {
        self.cut();
        stats.frames_dropped += self.line.len() as u64;
        self.line.clear();
    }

    /// Stops reading; the next 5 ms become the tail.
    fn cut(&mut self) {
        let Reader::Playing { position, played } = self.reader else { return };
        self.reader = Reader::Silent;
        let mut tail: Vec<[f32; 2]> = (0..FADE_FRAMES).map(|n| self.frame_at(position + n as f64)).collect();
        fade_in(&mut tail, played);
        fade_out(&mut tail);
        self.tail = tail;
    }

    /// Where in `line` the presentation time `due` is.
    fn index(&self, due: MediaTime) -> f64 {
        self.line.len() as f64 - self.end.0.saturating_sub(due.0) as f64 * 48e-6
    }

    /// Starts, or jumps, to where the mix should read, if that is far away and enough is there.
    fn find(&mut self, due: MediaTime, frames: usize, stats: &mut Stats) {
        if let Reader::Playing { position, .. } = self.reader {
            if (self.index(due) - position).abs() <= JUMP_FRAMES {
                return;
            }
            stats.reanchors += 1;
            self.cut();
        }
        let late = (self.index(due).floor().max(0.0) as usize).min(self.line.len());
        stats.frames_dropped += late as u64;
        self.line.drain(..late);
        let position = self.index(due).round();
        let is_near = position > -(frames as f64);
        if is_near && self.readable(position, 1.0) >= frames + SPARE_FRAMES {
            self.reader = Reader::Playing { position, played: 0 };
        }
    }

    /// Reads on; answers how many frames there were.
    fn play(&mut self, due: MediaTime, block: &mut [[f32; 2]]) -> usize {
        let Reader::Playing { position, played } = self.reader else { return 0 };
        let ratio = 1.0 + bend(self.index(due) - position);
        let readable = self.readable(position, ratio);
        let count = readable.min(block.len());
        let mut at = position;
        for frame in &mut block[..count] {
            *frame = self.frame_at(at);
            at += ratio;
        }
        fade_in(&mut block[..count], played);
        if readable < block.len() + SPARE_FRAMES {
            fade_out(&mut block[count.saturating_sub(FADE_FRAMES)..count]);
            self.reader = Reader::Silent;
            self.line.clear();
        } else {
            self.move_to(at, played + count);
        }
        count
    }

    fn move_to(&mut self, position: f64, played: usize) {
        // The frame before the position is needed to interpolate.
        let over = ((position - 1.0).max(0.0) as usize).min(self.line.len());
        self.line.drain(..over);
        self.reader = Reader::Playing { position: position - over as f64, played: played.min(FADE_FRAMES) };
    }

    /// How many frames can be read from there on.
    fn readable(&self, position: f64, ratio: f64) -> usize {
        ((self.line.len() as f64 - 3.0 - position) / ratio).max(0.0) as usize
    }

    /// Between four neighbours by Catmull and Rom; on a frame exactly that frame, outside silence.
    #[inline]
    fn frame_at(&self, position: f64) -> [f32; 2] {
        // `floor` is a call on plain x86-64. At whole numbers below zero this is one less, and `t` one.
        let whole = position as isize - isize::from(position < 0.0);
        self.neighbours(whole).between((position - whole as f64) as f32)
    }

    #[inline]
    fn neighbours(&self, whole: isize) -> Neighbours {
        let inside = usize::try_from(whole - 1).ok().and_then(|first| self.line.get(first..)?.first_chunk());
        let near = |by| usize::try_from(whole + by).ok().and_then(|at| self.line.get(at)).copied().unwrap_or_default();
        Neighbours(inside.copied().unwrap_or_else(|| [near(-1), near(0), near(1), near(2)]))
    }
}

/// The frames around a position: one before, three from it on.
struct Neighbours([[f32; 2]; 4]);

impl Neighbours {
    /// `t`: from the second, 0, to the third, 1.
    #[inline]
    fn between(&self, t: f32) -> [f32; 2] {
        let [a, b, c, d] = self.0;
        std::array::from_fn(|side| {
            let [a, b, c, d] = [a[side], b[side], c[side], d[side]];
            let slope = 0.5 * (c - a);
            let square = a - 2.5 * b + 2.0 * c - 0.5 * d;
            let cube = 0.5 * (d - a) + 1.5 * (b - c);
            ((cube * t + square) * t + slope) * t + b
        })
    }
}

/// How much faster to read so that a distance in frames is closed.
fn bend(distance: f64) -> f64 {
    let beyond = distance - distance.clamp(-DEAD_FRAMES, DEAD_FRAMES);
    (beyond / SETTLE_FRAMES).clamp(-BEND_MAX, BEND_MAX)
}

fn sane(sample: f32, stats: &mut Stats) -> f32 {
    if sample.abs() <= SAMPLE_MAX {
        return sample;
    }
    stats.samples_insane += 1;
    if sample.is_finite() { SAMPLE_MAX.copysign(sample) } else { 0.0 }
}

/// The rest of a fade of which `played` frames are over.
fn fade_in(frames: &mut [[f32; 2]], played: usize) {
    for (n, frame) in frames.iter_mut().enumerate().take(FADE_FRAMES.saturating_sub(played)) {
        let gain = (played + n) as f32 / FADE_FRAMES as f32;
        *frame = frame.map(|sample| sample * gain);
    }
}

fn fade_out(frames: &mut [[f32; 2]]) {
    let len = frames.len();
    for (n, frame) in frames.iter_mut().enumerate() {
        let gain = (len - n - 1) as f32 / len as f32;
        *frame = frame.map(|sample| sample * gain);
    }
}

/// Sample frames as time.
trait PlusFrames {
    fn plus_frames(self, frames: usize) -> Self;
}

impl PlusFrames for MediaTime {
    fn plus_frames(self, frames: usize) -> Self {
        // 62 500 / 3 ns a frame.
        Self(self.0.saturating_add(frames as i64 * 62_500 / 3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    const CHUNK: usize = 1_024;
    const CHUNK_NS: i64 = 64_000_000 / 3;

    #[test]
    fn a_drifting_voice_is_bent_without_a_step() {
        for ppm in [-500, -20, 0, 20, 500] {
            let mut stats = Stats::default();
            let mut voice = Voice::default();
            let mut heard = Vec::new();
            for n in 0..3_000 {
                voice.push(MediaTime(n * CHUNK_NS), &tone(n), &mut stats);
                // 100 ms behind what is there, on a clock that goes a little faster or slower.
                let due = n * CHUNK_NS + n * CHUNK_NS * ppm / 1_000_000 - 100_000_000;
                heard.extend(rendered(&mut voice, due, &mut stats));
            }
            let Reader::Playing { position, .. } = voice.reader else { panic!("{ppm} ppm: silent") };
            let due = MediaTime(3_000 * CHUNK_NS + 3_000 * CHUNK_NS * ppm / 1_000_000 - 100_000_000);
            let distance = voice.index(due) - position;
            assert!(distance.abs() < 100.0, "{ppm} ppm: {distance} frames off");
            let sounding = &heard[48_000..];
            let step = sounding.windows(2).fold(0.0_f32, |step, pair| step.max((pair[1] - pair[0]).abs()));
            let peak = sounding.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
            // A 1 kHz tone of 0.5 climbs by 0.0654 a sample.
            assert!(step < 0.066 && (0.497..0.503).contains(&peak), "{ppm} ppm: steps of {step}, peak {peak}");
            assert_eq!((stats.frames_dropped, stats.reanchors), (0, 0), "{ppm} ppm");
        }
    }

    #[test]
    fn the_label_of_what_waits_follows_the_time_stamps() {
        for (what, stamps, len, end_ms) in [
            ("contiguous", [0, 21, 43, 64], 4 * CHUNK, 85),
            ("rounded roughly", [0, 30, 40, 70], 4 * CHUNK, 85),
            ("a hole of 100 ms", [0, 21, 143, 164], 4 * CHUNK + 4_816, 185),
            ("a jump of an hour", [0, 21, 3_600_000, 3_600_021], 2 * CHUNK, 3_600_042),
            ("an hour back", [3_600_000, 3_600_021, 0, 21], 2 * CHUNK, 42),
        ] {
            let mut voice = Voice::default();
            for stamp in stamps {
                voice.push(MediaTime::from_millis(stamp), &[0.5; 2 * CHUNK], &mut Stats::default());
            }
            assert_eq!((voice.len(), voice.end.as_millis()), (len, end_ms), "{what}");
        }
    }

    #[test]
    fn between_frames_a_parabola_is_followed() {
        let voice = Voice { line: (0..8).map(|n| [(n * n) as f32, 1.0]).collect(), ..Voice::default() };
        for position in [0.0, 1.0, 1.5, 2.25, 4.9, 5.0] {
            let [left, right] = voice.frame_at(position);
            assert!((f64::from(left) - position * position).abs() < 1e-4 || position < 1.0, "{position}: {left}");
            assert_eq!(right, 1.0);
        }
        assert_eq!([voice.frame_at(-3.0), voice.frame_at(99.0)], [[0.0; 2]; 2]);
    }

    #[test]
    fn what_never_spoke_is_not_missed() {
        let mut stats = Stats::default();
        let mut voice = Voice::default();
        assert!(rendered(&mut voice, 0, &mut stats).iter().all(|sample| *sample == 0.0));
        assert_eq!(stats, Stats::default());
    }

    fn rendered(voice: &mut Voice, due: i64, stats: &mut Stats) -> Vec<f32> {
        let mut block = [[0.0; 2]; CHUNK];
        voice.render(MediaTime(due), &mut block, stats);
        block.iter().map(|frame| frame[0]).collect()
    }

    fn tone(chunk: i64) -> Vec<f32> {
        let frames = chunk * CHUNK as i64..(chunk + 1) * CHUNK as i64;
        frames.flat_map(|n| [(0.5 * (TAU * (n % 48) as f64 / 48.0).sin()) as f32; 2]).collect()
    }
}
