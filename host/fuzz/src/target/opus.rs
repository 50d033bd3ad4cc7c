//! A browser's sound into our decoder: for each packet a time after the one before, in quarters of a
//! millisecond, and a sized packet. Nothing crashes, what comes out is sound, and as much of it as the
//! framing says.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use heliu_codec::{AudioDecoder, AudioOutput, Stats};
use heliu_container::opus::Packet;
use heliu_model::{Format, Frame, MediaTime, OpusFormat};

use crate::bench::Bench;
use crate::script::Script;

const PACKETS_MAX: usize = 24;
/// 120 ms of pairs: a packet at most, and a concealed gap.
const SAMPLES_MAX: usize = 2 * 5_760;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let format = Arc::new(Format::Opus(OpusFormat { channels: script.byte() }));
    let mut bench = Bench::take();
    let mut decoder = AudioDecoder::new(&bench.pool, Arc::new(|| {}));
    let mut pts = MediaTime::ZERO;
    for _ in 0..PACKETS_MAX {
        if script.is_empty() {
            break;
        }
        pts = pts + Duration::from_micros(250) * u32::from(script.short());
        let data = Bytes::copy_from_slice(script.sized());
        let before = decoder.stats();
        decoder.submit(Frame { format: Arc::clone(&format), dts: pts, pts, is_key: true, data: data.clone() });
        bench.settle();
        let blocks: Vec<_> = std::iter::from_fn(|| decoder.poll()).map(samples).collect();
        check(&data, pts, &blocks, before, decoder.stats());
    }
}

fn samples(output: AudioOutput) -> (MediaTime, Vec<f32>) {
    match output {
        AudioOutput::Samples { pts, samples } => (pts, samples),
        AudioOutput::Dead(reason) => panic!("{reason}"),
    }
}

fn check(data: &[u8], pts: MediaTime, blocks: &[(MediaTime, Vec<f32>)], before: Stats, after: Stats) {
    for (_, samples) in blocks {
        assert!(samples.len().is_multiple_of(2) && samples.len() <= SAMPLES_MAX, "{}", samples.len());
        assert!(samples.iter().all(|sample| sample.is_finite()), "a sample is a number");
    }
    assert!(blocks.len() <= 2, "the gap and the packet");
    assert!(after.damaged - before.damaged <= 1 && after.concealed - before.concealed <= 1);
    let Ok(packet) = Packet::parse(data) else {
        assert_eq!((blocks.len(), after.damaged), (0, before.damaged + 1));
        return;
    };
    if after.damaged == before.damaged {
        let (at, samples) = blocks.last().expect("a packet that is not damaged is heard");
        assert_eq!((*at, samples.len()), (pts, 2 * packet.samples() as usize));
    }
}
