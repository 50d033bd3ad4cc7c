//! Names that strangers write: addresses in their three spellings, URLs to push to, segments of a path.

use heliu_model::{Address, RtmpUrl, percent_decode};

const LEN_MAX: usize = 512;
const SEGMENTS_MAX: usize = 8;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (app, stream) = text.split_once('\n').unwrap_or((text, ""));
    let spellings =
        [Address::parse(text), Address::from_path(text), Address::from_rtmp(app, stream).map(|(address, _)| address)];
    spellings.iter().flatten().for_each(check);
    assert!(percent_decode(text).is_none_or(|decoded| decoded.len() <= text.len()), "decoding shortens");
    if let Ok(url) = RtmpUrl::parse(text) {
        let again = RtmpUrl::parse(&format!("{}/{}", url.tc_url(), url.stream()));
        assert_eq!(again, Ok(url), "a URL put together again");
    }
}

fn check(address: &Address) {
    assert_eq!(Address::parse(address.as_str()).as_ref(), Ok(address), "reads back");
    assert_eq!(format!("{}/{}", address.app(), address.name()), address.as_str());
    let segments = address.as_str().split('/').count();
    assert!(address.as_str().len() <= LEN_MAX && (2..=SEGMENTS_MAX).contains(&segments), "{address}");
    assert!(!address.as_str().contains(|c: char| c.is_control() || c == '?' || c == '#'), "{address:?}");
}
