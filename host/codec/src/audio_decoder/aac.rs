//! The AAC library, and what it makes as 48 kHz stereo.

use bytes::Bytes;
use heliu_model::{AacFormat, Frame, MediaTime};
use syom::{DecodeOptions, Decoder};

use super::AudioOutput;
use crate::Undecodable;
use crate::actor::Outlet;
use crate::downmix::{CHANNELS_MAX, stereo};
use crate::resample::Resample;

/// Hz.
const RATE_MIN: u32 = 8_000;
const RATE_MAX: u32 = 96_000;

/// One AAC track.
pub(super) struct AacStream {
    config: Bytes,
    decoder: Decoder,
    /// Made for the first frame, which tells the rate and length that are really coded.
    resample: Option<Resample>,
}

impl AacStream {
    pub(super) fn open(format: &AacFormat) -> Result<Self, Undecodable> {
        heliu_container::aac::decodable(format)?;
        let config = format.config.clone();
        Ok(Self { decoder: decoder(&config)?, config, resample: None })
    }

    /// An error: nothing more comes of this track.
    pub(super) fn decode(&mut self, frame: &Frame, outlet: &mut Outlet<AudioOutput>) -> Result<(), Undecodable> {
        match self.convert(frame)? {
            Some((pts, samples)) if !samples.is_empty() => outlet.send(AudioOutput::Samples { pts, samples }),
            Some(_) => {}
            None => {
                outlet.stats().damaged += 1;
                // A failed decoder stays failed, and its overlap belongs to a frame that is lost.
                (self.decoder, self.resample) = (decoder(&self.config)?, None);
            }
        }
        Ok(())
    }

    /// `Ok(None)`: this frame is damaged.
    fn convert(&mut self, frame: &Frame) -> Result<Option<(MediaTime, Vec<f32>)>, Undecodable> {
        let mut converted = Ok(None);
        let resample = &mut self.resample;
        let result = self.decoder.decode_au(&frame.data, |block| {
            converted = convert(&block, frame.pts, resample);
            Ok(())
        });
        match (result, converted) {
            (Ok(()), converted) => converted,
            (Err(_), _) => Ok(None),
        }
    }
}

fn decoder(config: &[u8]) -> Result<Decoder, Undecodable> {
    Decoder::from_asc(config, DecodeOptions::unbounded()).map_err(|_| Undecodable::Refused)
}

fn convert(
    block: &syom::Frame<'_>,
    pts: MediaTime,
    resample: &mut Option<Resample>,
) -> Result<Option<(MediaTime, Vec<f32>)>, Undecodable> {
    // What is coded may differ from what the configuration announced.
    if !(RATE_MIN..=RATE_MAX).contains(&block.sample_rate) || block.planar.len() > CHANNELS_MAX {
        return Err(Undecodable::Refused);
    }
    if resample.as_ref().is_none_or(|known| known.rate != block.sample_rate || known.block_len != block.samples) {
        *resample = Some(Resample::new(block.sample_rate, block.samples).ok_or(Undecodable::Refused)?);
    }
    let Some(resample) = resample else { return Ok(None) };
    Ok(resample.process(pts, stereo(block.planar, block.meta.labels())))
}
