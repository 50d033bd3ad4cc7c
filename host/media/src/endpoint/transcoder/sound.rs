//! Sound from one codec to another.

use std::collections::VecDeque;
use std::time::Duration;

use heliu_codec::{AudioCodec, AudioDecoder, AudioEncoder, AudioEncoderConfig, AudioOutput, Pool, Regroup, Wake};
use heliu_model::{Frame, MediaTime};

/// Frames that wait for the decoder: what a room keeps. Full: the oldest is dropped, and its time is
/// silent.
const WAITING_MAX: usize = 1_500;
/// Frames, and blocks, that a codec is given at a time: fewer than its inbox holds, also where a frame is
/// six blocks.
const AT_A_TIME: usize = 8;
/// While more blocks than these wait for the encoder nothing is decoded.
const BLOCKS_MAX: usize = 64;
const BITRATE_KBPS: u32 = 128;

pub struct Sound {
    waiting: VecDeque<Frame>,
    decoder: AudioDecoder,
    regroup: Regroup,
    blocks: VecDeque<(MediaTime, Vec<f32>)>,
    encoder: AudioEncoder,
    dropped: u64,
}

impl Sound {
    pub fn new(pool: &Pool, codec: AudioCodec, wake: &Wake) -> Result<Self, String> {
        let config = AudioEncoderConfig { codec, bitrate_kbps: BITRATE_KBPS };
        Ok(Self {
            waiting: VecDeque::new(),
            decoder: AudioDecoder::new(pool, wake.clone()),
            regroup: Regroup::new(codec.block_len()),
            blocks: VecDeque::new(),
            encoder: AudioEncoder::new(pool, config, wake.clone()).map_err(|error| error.to_string())?,
            dropped: 0,
        })
    }

    pub fn submit(&mut self, frame: &Frame) {
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back(frame.clone());
        self.feed_decoder();
    }

    pub fn drive(&mut self) -> Result<Vec<Frame>, String> {
        while let Some(output) = self.decoder.poll() {
            match output {
                AudioOutput::Samples { pts, samples } => self.regroup.push(pts, &samples),
                AudioOutput::Dead(reason) => return Err(reason.to_string()),
            }
            self.blocks.extend(std::iter::from_fn(|| self.regroup.poll()));
        }
        self.feed_encoder();
        self.feed_decoder();
        if self.encoder.is_dead() {
            return Err("the sound encoder crashed".to_owned());
        }
        Ok(std::iter::from_fn(|| self.encoder.poll()).collect())
    }

    /// Of the codec threads.
    pub fn busy(&self) -> Duration {
        self.decoder.effort().busy + self.encoder.effort().busy
    }

    /// Frames that came and were of no use.
    pub fn dropped(&self) -> u64 {
        self.dropped + self.decoder.stats().damaged
    }

    fn feed_decoder(&mut self) {
        if self.decoder.is_idle() && self.blocks.len() < BLOCKS_MAX {
            let len = self.waiting.len().min(AT_A_TIME);
            self.waiting.drain(..len).for_each(|frame| self.decoder.submit(frame));
        }
    }

    fn feed_encoder(&mut self) {
        if self.encoder.is_idle() {
            let len = self.blocks.len().min(AT_A_TIME);
            self.blocks.drain(..len).for_each(|(pts, samples)| self.encoder.submit(pts, samples));
        }
    }
}
