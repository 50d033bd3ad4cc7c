//! The framing of one Opus packet (RFC 6716 §3), read before any codec library sees it.
//!
//! Not here: what is in a frame, and how packets travel (RTP's question).

use std::time::Duration;

use heliu_model::OpusFormat;

use crate::Discard;

/// Bytes of one frame (§3.2.1).
const FRAME_LEN_MAX: usize = 1275;
/// 120 ms (§3.2.5), 48 frames of the shortest kind.
const SAMPLES_MAX: u32 = OpusFormat::SAMPLE_RATE * 120 / 1000;
/// All the frames a packet can hold, and as much again for what pads it.
const PACKET_LEN_MAX: usize = 2 * 48 * FRAME_LEN_MAX;

/// Samples of a frame by the low bits of its configuration (§3.1, table 2).
const SILK: [u16; 4] = [480, 960, 1920, 2880];
const HYBRID: [u16; 2] = [480, 960];
const CELT: [u16; 4] = [120, 240, 480, 960];

/// What a packet says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    frames: u8,
    frame_samples: u16,
    is_stereo: bool,
}

impl Packet {
    /// Reads the framing and holds it against all of its rules, R1 to R7 (§3.4).
    ///
    /// # Errors
    /// [`Discard::BadOpusPacket`]: it breaks one of them.
    pub fn parse(data: &[u8]) -> Result<Self, Discard> {
        Self::read(data).ok_or(Discard::BadOpusPacket)
    }

    /// Frames in it, 1 to 48.
    #[must_use]
    pub fn frames(&self) -> u8 {
        self.frames
    }

    /// Samples of each channel at 48 kHz, 120 to 5760.
    #[must_use]
    pub fn samples(&self) -> u32 {
        u32::from(self.frames) * u32::from(self.frame_samples)
    }

    /// How long it sounds, 2.5 to 120 ms.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(u64::from(self.samples()) * 1_000_000_000 / u64::from(OpusFormat::SAMPLE_RATE))
    }

    /// Two channels are coded.
    #[must_use]
    pub fn is_stereo(&self) -> bool {
        self.is_stereo
    }

    fn read(data: &[u8]) -> Option<Self> {
        if data.len() > PACKET_LEN_MAX {
            return None;
        }
        let (&toc, rest) = data.split_first()?;
        let frames = match toc & 3 {
            0 => fits(rest.len()).then_some(1)?,
            1 => (rest.len().is_multiple_of(2) && fits(rest.len() / 2)).then_some(2)?,
            2 => variable(rest, 2).then_some(2)?,
            _ => counted(rest)?,
        };
        let packet = Self { frames, frame_samples: frame_samples(toc >> 3), is_stereo: toc & 4 != 0 };
        (packet.samples() <= SAMPLES_MAX).then_some(packet)
    }
}

fn frame_samples(config: u8) -> u16 {
    match config {
        0..=11 => SILK[usize::from(config & 3)],
        12..=15 => HYBRID[usize::from(config & 1)],
        _ => CELT[usize::from(config & 3)],
    }
}

/// A packet that counts its frames itself (§3.2.5).
fn counted(rest: &[u8]) -> Option<u8> {
    let (&head, rest) = rest.split_first()?;
    let (is_variable, is_padded, frames) = (head & 0x80 != 0, head & 0x40 != 0, head & 0x3F);
    let rest = if is_padded { unpadded(rest)? } else { rest };
    let each = rest.len().checked_div(frames.into())?;
    let is_whole = match is_variable {
        true => variable(rest, frames),
        false => fits(each) && each * usize::from(frames) == rest.len(),
    };
    is_whole.then_some(frames)
}

/// Without what pads the packet, and without the bytes that tell how long that is.
fn unpadded(mut rest: &[u8]) -> Option<&[u8]> {
    let mut padding = 0;
    loop {
        let (&byte, behind) = rest.split_first()?;
        rest = behind;
        if byte < 255 {
            padding += usize::from(byte);
            return rest.get(..rest.len().checked_sub(padding)?);
        }
        padding += 254;
    }
}

/// Do so many frames that tell their lengths, all but the last, fit in exactly?
fn variable(mut rest: &[u8], frames: u8) -> bool {
    let mut told = 0;
    for _ in 1..frames {
        let Some((len, behind)) = frame_len(rest) else { return false };
        told += len;
        rest = behind;
    }
    rest.len().checked_sub(told).is_some_and(fits)
}

/// One length (§3.2.1) and what stands behind it.
fn frame_len(rest: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = rest.split_first()?;
    if first < 252 {
        return Some((first.into(), rest));
    }
    let (&second, rest) = rest.split_first()?;
    Some((usize::from(second) * 4 + usize::from(first), rest))
}

fn fits(frame_len: usize) -> bool {
    frame_len <= FRAME_LEN_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_tell_how_long_they_sound() {
        for (what, data, want) in [
            ("celt, 20 ms", packet(31, 4, &[0; 80]), Some((1, 960, true))),
            ("celt, 2.5 ms, mono", packet(16, 0, &[0; 10]), Some((1, 120, false))),
            ("silk, 60 ms", packet(3, 0, &[0; 10]), Some((1, 2880, false))),
            ("hybrid, 10 ms", packet(14, 0, &[0; 10]), Some((1, 480, false))),
            ("an empty frame: nothing was sent", packet(31, 0, &[]), Some((1, 960, false))),
            ("two of a length", packet(1, 1, &[0; 20]), Some((2, 1920, false))),
            ("two of 60 ms", packet(7, 1, &[0; 20]), Some((2, 5760, false))),
            ("two, the first told", packet(31, 2, &[3, 0, 0, 0, 9, 9]), Some((2, 1920, false))),
            ("a long one first", packet(31, 2, &[&[252, 1][..], &[0; 256]].concat()), Some((2, 1920, false))),
            ("three of a length", packet(31, 3, &[3, 1, 1, 2, 2, 3, 3]), Some((3, 2880, false))),
            ("three of their own", packet(31, 3, &[0x83, 1, 2, 1, 2, 2, 3, 3, 3]), Some((3, 2880, false))),
            ("padded", packet(31, 3, &[0x41, 2, 7, 7, 0, 0]), Some((1, 960, false))),
            ("much padded", packet(31, 3, &[&[0x41, 255, 1][..], &[0; 255]].concat()), Some((1, 960, false))),
            ("48 of the shortest", packet(16, 3, &[48]), Some((48, 5760, false))),
        ] {
            let packet = Packet::parse(&data).ok();
            assert_eq!(packet.map(|packet| (packet.frames, packet.samples(), packet.is_stereo)), want, "{what}");
        }
        assert_eq!(Packet::parse(&[31 << 3]).unwrap().duration(), Duration::from_millis(20));
    }

    #[test]
    fn what_breaks_a_rule_is_dropped() {
        for (what, data) in [
            ("nothing", vec![]),
            ("a frame too long", packet(31, 0, &[0; 1276])),
            ("two of a length, odd", packet(31, 1, &[0; 21])),
            ("two of a length, too long", packet(31, 1, &[0; 2552])),
            ("a length that is missing", packet(31, 2, &[])),
            ("half a length", packet(31, 2, &[252])),
            ("a length beyond the end", packet(31, 2, &[5, 0, 0])),
            ("the last too long", packet(31, 2, &[&[0][..], &[0; 1276]].concat())),
            ("no count", packet(31, 3, &[])),
            ("a count of none", packet(31, 3, &[0])),
            ("49 of the shortest", packet(16, 3, &[49])),
            ("more than 120 ms", packet(31, 3, &[7])),
            ("parts that do not divide", packet(31, 3, &[3, 0, 0, 0, 0])),
            ("no padding where it is told", packet(31, 3, &[0x41])),
            ("padding beyond the end", packet(31, 3, &[0x41, 9, 0])),
            ("padding that never ends", packet(31, 3, &[&[0x41][..], &[255; 40]].concat())),
            ("lengths beyond the end", packet(31, 3, &[0x83, 200, 200, 0])),
            ("absurdly long", packet(31, 3, &vec![255; 200_000])),
        ] {
            assert_eq!(Packet::parse(&data), Err(Discard::BadOpusPacket), "{what}");
        }
    }

    /// `code`: stereo is 4.
    fn packet(config: u8, code: u8, rest: &[u8]) -> Vec<u8> {
        [&[config << 3 | code][..], rest].concat()
    }
}
