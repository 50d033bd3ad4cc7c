//! The AAC library behind its encoder.

use bytes::Bytes;
use heliu_model::Format;
use syom::{EncodeOptions, Encoder};

use super::{AudioCodec, planes};
use crate::resample::RATE;

/// AAC-LC, stereo.
pub(super) struct AacEncoder {
    encoder: Encoder,
    options: EncodeOptions,
}

impl AacEncoder {
    /// And what it makes. `None`: the library does not take this bitrate.
    pub(super) fn open(bitrate_kbps: u32) -> Option<(Self, Format)> {
        let options = EncodeOptions::raw().with_bitrate_bps(bitrate_kbps * 1000);
        let encoder = Encoder::new(RATE, 2, &options).ok()?;
        let format = Format::Aac(heliu_container::aac::format(RATE, 2)?);
        Some((Self { encoder, options }, format))
    }

    /// A frame decodes to the samples one frame before those it was made from: the transform overlaps.
    pub(super) const fn delay_len() -> usize {
        AudioCodec::Aac.block_len()
    }

    /// `None`: the library failed; the next block starts anew.
    pub(super) fn encode(&mut self, samples: &[f32]) -> Option<Bytes> {
        let [left, right] = planes(samples);
        let mut coded = None;
        let result = self.encoder.feed(&[&left, &right], |frame| {
            coded = Some(Bytes::copy_from_slice(frame.payload));
            Ok(())
        });
        let coded = coded.filter(|_| result.is_ok());
        if coded.is_none() {
            self.restart();
        }
        coded
    }

    /// A failed encoder stays failed until it is reset.
    fn restart(&mut self) {
        if self.encoder.reset().is_err()
            && let Ok(encoder) = Encoder::new(RATE, 2, &self.options)
        {
            self.encoder = encoder;
        }
    }
}
