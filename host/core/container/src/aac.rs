//! `AudioSpecificConfig` (ISO/IEC 14496-3 §1.6.2.1), read and built.
//!
//! Spectral band replication and parametric stereo are tolerated: the core below them is AAC-LC and is
//! what we decode, at the core's rate.

use bytes::Bytes;
use heliu_model::AacFormat;

use crate::{Discard, Undecodable};

const LC: u8 = 2;
const SBR: u8 = 5;
const PS: u8 = 29;
const ESCAPE: u8 = 31;
const EXPLICIT_RATE: u8 = 15;
const CONFIG_LEN_MAX: usize = 256;

/// Samples per second by `samplingFrequencyIndex`.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// What heliu reads of an `AudioSpecificConfig`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioConfig {
    /// Audio object type of the core: 2 is AAC-LC.
    pub object_type: u8,
    /// Samples per second of the core, above 0.
    pub sample_rate: u32,
    /// Channels of the core; 0 when only the stream itself describes them.
    pub channels: u8,
    /// Spectral band replication is announced; it is not decoded.
    pub has_sbr: bool,
}

impl AudioConfig {
    /// Reads a config.
    ///
    /// # Errors
    /// [`Discard::BadAudioConfig`]: it breaks the grammar.
    pub fn parse(config: &[u8]) -> Result<Self, Discard> {
        if config.len() > CONFIG_LEN_MAX {
            return Err(Discard::BadAudioConfig);
        }
        Self::read(&mut Bits { rest: config, at: 0 }).ok_or(Discard::BadAudioConfig)
    }

    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let announced = object_type(bits)?;
        let sample_rate = sample_rate(bits)?;
        let channels = channels(bits.read(4)?)?;
        let has_sbr = matches!(announced, SBR | PS);
        let object_type = if has_sbr {
            self::sample_rate(bits)?;
            object_type(bits)?
        } else {
            announced
        };
        Some(Self { object_type, sample_rate, channels, has_sbr })
    }
}

/// The format that a config describes. It may still be one that we only forward.
///
/// # Errors
/// [`Discard::BadAudioConfig`]: it breaks the grammar.
pub fn parse_format(config: Bytes) -> Result<AacFormat, Discard> {
    let AudioConfig { sample_rate, channels, .. } = AudioConfig::parse(&config)?;
    Ok(AacFormat { config, sample_rate, channels })
}

/// The format of AAC-LC that we encode, if AAC knows the rate (Hz) and 1 to 6 channels.
#[must_use]
pub fn format(sample_rate: u32, channels: u8) -> Option<AacFormat> {
    let index = u16::try_from(RATES.iter().position(|rate| *rate == sample_rate)?).ok()?;
    if !(1..=6).contains(&channels) {
        return None;
    }
    let bits = u16::from(LC) << 11 | index << 7 | u16::from(channels) << 3;
    Some(AacFormat { config: Bytes::copy_from_slice(&bits.to_be_bytes()), sample_rate, channels })
}

/// Whether our decoder takes sound of this format: an AAC-LC core, 8 to 96 kHz, 1 to 6 channels.
///
/// # Errors
/// It does not; the sound may still be forwarded.
pub fn decodable(format: &AacFormat) -> Result<(), Undecodable> {
    let config = AudioConfig::parse(&format.config).map_err(|_| Undecodable::ObjectType(0))?;
    if config.object_type != LC {
        return Err(Undecodable::ObjectType(config.object_type));
    }
    if !(8_000..=96_000).contains(&config.sample_rate) {
        return Err(Undecodable::SampleRate(config.sample_rate));
    }
    if !(1..=6).contains(&config.channels) {
        return Err(Undecodable::Channels(config.channels));
    }
    Ok(())
}

/// Table 1.19: 7 is 7.1 with eight channels. Behind it stand layouts that RTMP publishers do not send.
fn channels(configuration: u32) -> Option<u8> {
    match configuration {
        7 => Some(8),
        0..=6 => u8::try_from(configuration).ok(),
        _ => None,
    }
}

fn object_type(bits: &mut Bits<'_>) -> Option<u8> {
    let short = u8::try_from(bits.read(5)?).ok()?;
    if short != ESCAPE {
        return Some(short).filter(|object_type| *object_type != 0);
    }
    u8::try_from(32 + bits.read(6)?).ok()
}

fn sample_rate(bits: &mut Bits<'_>) -> Option<u32> {
    let index = u8::try_from(bits.read(4)?).ok()?;
    if index == EXPLICIT_RATE {
        return bits.read(24).filter(|rate| *rate > 0);
    }
    RATES.get(usize::from(index)).copied()
}

struct Bits<'a> {
    rest: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn read(&mut self, count: usize) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some(value << 1 | self.bit()?))
    }

    fn bit(&mut self) -> Option<u32> {
        let byte = self.rest.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(u32::from(bit))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn configs_of_real_encoders_are_read() {
        for (what, config, sample_rate, channels, want) in [
            ("48 kHz stereo", &[0x11, 0x90][..], 48_000, 2, Ok(())),
            ("44.1 kHz mono", &[0x12, 0x08], 44_100, 1, Ok(())),
            ("44.1 kHz stereo with ffmpeg's sync extension", &[0x12, 0x10, 0x56, 0xE5, 0x00], 44_100, 2, Ok(())),
            ("96 kHz 5.1", &[0x10, 0x30], 96_000, 6, Ok(())),
            ("8 kHz mono", &[0x15, 0x88], 8_000, 1, Ok(())),
            ("HE-AAC 24 -> 48 kHz", &[0x2B, 0x11, 0x88, 0x00], 24_000, 2, Ok(())),
            ("explicit 48 000", &[0x17, 0x80, 0x5D, 0xC0, 0x10], 48_000, 2, Ok(())),
            ("explicit 5 Hz", &[0x17, 0x80, 0x00, 0x02, 0x90], 5, 2, Err(Undecodable::SampleRate(5))),
            ("7.35 kHz", &[0x16, 0x10], 7_350, 2, Err(Undecodable::SampleRate(7_350))),
            ("7.1", &[0x11, 0xB8], 48_000, 8, Err(Undecodable::Channels(8))),
            ("described in the stream", &[0x11, 0x80], 48_000, 0, Err(Undecodable::Channels(0))),
            ("main", &[0x09, 0x90], 48_000, 2, Err(Undecodable::ObjectType(1))),
            ("enhanced low delay", &[0xF8, 0xE6, 0x40], 48_000, 2, Err(Undecodable::ObjectType(39))),
        ] {
            let format = parse_format(Bytes::copy_from_slice(config)).unwrap();
            assert_eq!((format.sample_rate, format.channels), (sample_rate, channels), "{what}");
            assert_eq!(decodable(&format), want, "{what}");
        }
    }

    #[test]
    fn malformed_configs_are_discarded() {
        for (what, config) in [
            ("nothing", &[][..]),
            ("one byte", &[0x11]),
            ("object type null", &[0x01, 0x90]),
            ("a reserved rate", &[0x16, 0x90]),
            ("an explicit rate of nothing", &[0x17, 0x80, 0, 0, 0x10]),
            ("a reserved layout", &[0x11, 0xC0]),
            ("HE-AAC that is cut", &[0x2B, 0x11]),
            ("endless", &[0x11; 300]),
        ] {
            assert_eq!(AudioConfig::parse(config), Err(Discard::BadAudioConfig), "{what}");
        }
    }

    #[test]
    fn a_built_config_reads_as_it_was_ordered() {
        assert_eq!(format(48_000, 2).unwrap().config, &[0x11, 0x90][..]);
        for rate in RATES {
            for channels in 1..=6 {
                let built = format(rate, channels).unwrap();
                assert_eq!(parse_format(built.config.clone()), Ok(built));
            }
        }
        assert_eq!((format(47_999, 2), format(48_000, 0), format(48_000, 7)), (None, None, None));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(data in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = parse_format(Bytes::from(data)).map(|format| decodable(&format));
        }
    }
}
