//! `AudioSpecificConfig`. What our decoder takes is within its bounds, and the plain config of the same
//! rate and channels means the same.

use bytes::Bytes;
use heliu_container::aac::{decodable, format, parse_format};

pub fn run(data: &[u8]) {
    let Ok(read) = parse_format(Bytes::copy_from_slice(data)) else { return };
    assert!(read.sample_rate > 0 && read.channels <= 8, "{read:?}");
    if decodable(&read).is_err() {
        return;
    }
    assert!((8_000..=96_000).contains(&read.sample_rate) && (1..=6).contains(&read.channels), "{read:?}");
    if let Some(plain) = format(read.sample_rate, read.channels) {
        assert_eq!(parse_format(plain.config.clone()), Ok(plain.clone()));
        assert_eq!((plain.sample_rate, plain.channels), (read.sample_rate, read.channels));
    }
}
