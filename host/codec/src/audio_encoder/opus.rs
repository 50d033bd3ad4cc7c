//! The Opus library behind its encoder.

use bytes::Bytes;
use heliu_model::{Format, OpusFormat};
use opus::{Application, Bitrate, Channels, Encoder};

use super::clipped;
use crate::resample::RATE;

/// Bytes of one frame (RFC 6716 §3.2.1) and the byte before it.
const PACKET_LEN_MAX: usize = 1276;

/// Opus, stereo, 20 ms a packet.
pub(super) struct OpusEncoder {
    encoder: Encoder,
    /// Sample pairs it looks ahead.
    delay_len: usize,
}

impl OpusEncoder {
    /// And what it makes. `None`: the library does not take this bitrate.
    pub(super) fn open(bitrate_kbps: u32) -> Option<(Self, Format)> {
        let mut encoder = Encoder::new(RATE, Channels::Stereo, Application::Audio).ok()?;
        encoder.set_bitrate(Bitrate::Bits(i32::try_from(bitrate_kbps * 1000).ok()?)).ok()?;
        let delay_len = usize::try_from(encoder.get_lookahead().ok()?).ok()?;
        Some((Self { encoder, delay_len }, Format::Opus(OpusFormat { channels: 2 })))
    }

    /// A packet decodes to the samples so many before those it was made from: 6.5 ms.
    pub(super) fn delay_len(&self) -> usize {
        self.delay_len
    }

    /// `None`: the library failed; the next block starts anew.
    pub(super) fn encode(&mut self, samples: &[f32]) -> Option<Bytes> {
        let samples: Vec<f32> = samples.iter().map(clipped).collect();
        let coded = self.encoder.encode_vec_float(&samples, PACKET_LEN_MAX);
        if coded.is_err() {
            let _ = self.encoder.reset_state();
        }
        coded.ok().map(Bytes::from)
    }
}
