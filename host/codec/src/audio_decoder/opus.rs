//! The Opus library, fed with packets whose framing holds.
//!
//! A step in time between two packets is a loss: what is missing is made up by the library, the last of
//! it from what the next packet repeats (RFC 6716 §2.1.7) where it does. After 120 ms that would be
//! silence, and is left to whoever plays.

use heliu_container::opus::Packet;
use heliu_model::{Frame, MediaTime};
use opus::{Channels, Decoder};

use super::AudioOutput;
use crate::Undecodable;
use crate::actor::Outlet;
use crate::resample::RATE;

/// Sample pairs that are made up at most: 120 ms.
const CONCEALED_MAX: u64 = 5_760;
/// It counts a concealed span in these: 2.5 ms.
const CONCEAL_STEP: u64 = 120;

/// One Opus track. Mono is decoded to both sides.
pub(super) struct OpusStream {
    decoder: Decoder,
    /// Where the packet before ended.
    end: Option<MediaTime>,
}

impl OpusStream {
    pub(super) fn open() -> Result<Self, Undecodable> {
        let decoder = Decoder::new(RATE, Channels::Stereo).map_err(|_| Undecodable::Refused)?;
        Ok(Self { decoder, end: None })
    }

    /// A packet that cannot be used counts as damaged, and as lost when the next one comes.
    pub(super) fn decode(&mut self, frame: &Frame, outlet: &mut Outlet<AudioOutput>) {
        let Ok(packet) = Packet::parse(&frame.data) else {
            outlet.stats().damaged += 1;
            return;
        };
        self.conceal(frame, packet, outlet);
        self.end = Some(frame.pts + packet.duration());
        if !self.run(&frame.data, packet.samples().into(), false, frame.pts, outlet) {
            outlet.stats().damaged += 1;
            // It may have stopped halfway.
            let _ = self.decoder.reset_state();
        }
    }

    /// Fills a gap before `next`.
    fn conceal(&mut self, next: &Frame, packet: Packet, outlet: &mut Outlet<AudioOutput>) {
        let Some(end) = self.end else { return };
        let missing = pairs(end, next.pts);
        // Less is the rounding of somebody's clock.
        if missing < u64::from(packet.samples() / 2).max(CONCEAL_STEP) {
            return;
        }
        outlet.stats().concealed += 1;
        self.run(&next.data, missing.min(CONCEALED_MAX) / CONCEAL_STEP * CONCEAL_STEP, true, end, outlet);
    }

    /// Decodes into `pairs` sample pairs that begin at `pts`. `is_missing`: they are those before the
    /// packet. False: the library refused.
    fn run(
        &mut self,
        data: &[u8],
        pairs: u64,
        is_missing: bool,
        pts: MediaTime,
        outlet: &mut Outlet<AudioOutput>,
    ) -> bool {
        let mut samples = vec![0.0; 2 * pairs as usize];
        let Ok(decoded) = self.decoder.decode_float(data, &mut samples, is_missing) else { return false };
        samples.truncate(2 * decoded);
        // One that is no number would stay in a mix's filters for good.
        samples.iter_mut().filter(|sample| !sample.is_finite()).for_each(|sample| *sample = 0.0);
        outlet.send(AudioOutput::Samples { pts, samples });
        true
    }
}

fn pairs(from: MediaTime, to: MediaTime) -> u64 {
    u64::try_from(to.since(from).as_nanos() * u128::from(RATE) / 1_000_000_000).unwrap_or(u64::MAX)
}
