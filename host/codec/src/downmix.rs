//! Any layout of one to six channels as stereo.
//!
//! After ITU-R BS.775-3 table 2: centre and surrounds 3 dB down, one rear centre 6 dB down on each
//! side, no low-frequency effects; a single channel to both sides at full level. Nothing is scaled
//! back: sums over full scale are the limiter's business.

use syom::Channel;

const MINUS_3_DB: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Most channels that are taken.
pub(crate) const CHANNELS_MAX: usize = 6;

/// Mixes planes of equal length, labelled in their order, into interleaved stereo.
pub(crate) fn stereo(planes: &[&[f32]], labels: impl Iterator<Item = Channel>) -> Vec<f32> {
    let mut out = vec![0.0; 2 * planes.first().map_or(0, |plane| plane.len())];
    let labels = labels.chain(std::iter::repeat(Channel::Other));
    for (plane, label) in planes.iter().zip(labels) {
        let [left, right] = if planes.len() == 1 { [1.0, 1.0] } else { gains(label) };
        for (out, sample) in out.chunks_exact_mut(2).zip(*plane) {
            out[0] += left * sample;
            out[1] += right * sample;
        }
    }
    out
}

fn gains(label: Channel) -> [f32; 2] {
    match label {
        Channel::FrontLeft => [1.0, 0.0],
        Channel::FrontRight => [0.0, 1.0],
        Channel::FrontCenter => [MINUS_3_DB, MINUS_3_DB],
        Channel::BackLeft | Channel::SideLeft => [MINUS_3_DB, 0.0],
        Channel::BackRight | Channel::SideRight => [0.0, MINUS_3_DB],
        Channel::Lfe => [0.0, 0.0],
        // Rear centre, and what a stream does not name.
        _ => [0.5, 0.5],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layout_reaches_the_sides_it_belongs_to() {
        use Channel::{BackCenter, BackLeft, BackRight, FrontCenter, FrontLeft, FrontRight, Lfe};
        for (what, channels, want) in [
            ("mono", vec![(FrontCenter, 1.0)], [1.0, 1.0]),
            ("stereo", vec![(FrontLeft, 0.25), (FrontRight, 0.5)], [0.25, 0.5]),
            ("centre", vec![(FrontLeft, 0.0), (FrontRight, 0.0), (FrontCenter, 1.0)], [0.707, 0.707]),
            (
                "rear centre",
                vec![(FrontLeft, 0.0), (FrontRight, 0.0), (FrontCenter, 0.0), (BackCenter, 1.0)],
                [0.5, 0.5],
            ),
            ("surrounds", vec![(FrontLeft, 0.1), (BackLeft, 1.0), (BackRight, 0.5)], [0.807, 0.354]),
            ("bass is left out", vec![(FrontLeft, 0.0), (Lfe, 1.0)], [0.0, 0.0]),
        ] {
            let planes: Vec<[f32; 1]> = channels.iter().map(|(_, sample)| [*sample]).collect();
            let planes: Vec<&[f32]> = planes.iter().map(|plane| &plane[..]).collect();
            let out = stereo(&planes, channels.iter().map(|(label, _)| *label));
            for (got, want) in out.iter().zip(want) {
                assert!((got - want).abs() < 0.001, "{what}: {out:?}");
            }
        }
    }
}
