//! Opus: a packet is a frame (RFC 7587 §4.2).

use std::collections::VecDeque;
use std::sync::Arc;

use heliu_model::{Format, Frame, Kind, OpusFormat};

use super::reorder::{Packet, Step};
use crate::decode_times::DecodeTimes;
use crate::{Codec, Discard, SenderClock};

/// Frames of one sound track.
#[derive(Debug)]
pub(super) struct Sounds {
    format: Arc<Format>,
    times: DecodeTimes,
    ready: VecDeque<Packet>,
}

impl Sounds {
    pub(super) fn new(channels: u8) -> Self {
        let format = Arc::new(Format::Opus(OpusFormat { channels: channels.clamp(1, 2) }));
        Self { format, times: DecodeTimes::default(), ready: VecDeque::new() }
    }

    /// Returns why a packet was dropped.
    pub(super) fn handle(&mut self, step: Step) -> Option<Discard> {
        match step {
            Step::Packet(packet) if packet.payload.is_empty() => Some(Discard::BadPayload),
            Step::Packet(packet) => {
                self.ready.push_back(packet);
                None
            }
            Step::Gap => None,
        }
    }

    pub(super) fn poll_frame(&mut self, clock: &mut SenderClock) -> Option<Frame> {
        let Packet { meta, payload, arrival } = self.ready.pop_front()?;
        let shown = clock.map(Kind::Audio, Codec::Opus.clock_rate(), meta.timestamp, arrival);
        let (dts, _) = self.times.next(shown);
        Some(Frame { format: self.format.clone(), dts, pts: dts, is_key: true, data: payload })
    }
}
