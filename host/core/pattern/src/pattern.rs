//! What a `test:` URL asks for: `test:bars?size=1280x720&rate=25&tone=440&text=hello&kbps=1800&flash=true`.
//!
//! Every key may be left out. One that is not known, or a value out of bounds, is an error that names
//! the key: an operator wrote it.

use heliu_model::{Size, percent_decode};

const SCHEME: &str = "test:";
const NAME: &str = "bars";
const WIDTH: std::ops::RangeInclusive<u32> = 160..=1_920;
const HEIGHT: std::ops::RangeInclusive<u32> = 96..=1_080;
const RATE: std::ops::RangeInclusive<u32> = 1..=60;
const TONE: std::ops::RangeInclusive<u32> = 20..=20_000;
const KBPS: std::ops::RangeInclusive<u32> = 50..=20_000;
const TEXT_LEN_MAX: usize = 20;

/// What is shown and sounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Even, 160x96 to 1920x1080; 1280x720 unless told.
    pub size: Size,
    /// Pictures per second, 1 to 60; 25 unless told.
    pub frame_rate: u32,
    /// Hz, 20 to 20 000; 0: silence; 440 unless told.
    pub tone: u32,
    /// The bars turn white and the tone sounds for the first tenth of each second only.
    pub is_flashing: bool,
    /// Stands below the bars; up to 20 printable ASCII characters, none unless told.
    pub text: String,
    /// For the pictures, 50 to 20 000; unless told 0.08 bits a pixel, 200 to 6 000.
    pub bitrate_kbps: u32,
}

/// Why a text is no such URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Another scheme.
    #[error("only sources of the scheme test: are served")]
    Scheme,
    /// There is one pattern.
    #[error("the only test pattern is test:bars")]
    Name,
    /// No such key.
    #[error("test:bars knows size, rate, tone, flash, text and kbps, not {0:?}")]
    Key(String),
    /// A key twice.
    #[error("{0} stands twice")]
    Twice(&'static str),
    /// Not `WIDTHxHEIGHT`, odd, or out of bounds.
    #[error("size must be WIDTHxHEIGHT, both even, from 160x96 to 1920x1080")]
    Size,
    /// Not a number from 1 to 60.
    #[error("rate must be 1 to 60 pictures a second")]
    Rate,
    /// Not a number from 20 to 20 000, nor 0.
    #[error("tone must be 20 to 20000 Hz, or 0 for silence")]
    Tone,
    /// Neither word.
    #[error("flash must be true or false")]
    Flash,
    /// Too long, or not printable ASCII.
    #[error("text must be up to 20 printable ASCII characters, others than these as %XX")]
    Text,
    /// Not a number from 50 to 20 000.
    #[error("kbps must be 50 to 20000")]
    Kbps,
}

impl Pattern {
    /// Reads a URL.
    ///
    /// # Errors
    /// It is not one, in words that name the key.
    pub fn parse(url: &str) -> Result<Self, PatternError> {
        let rest = url.strip_prefix(SCHEME).ok_or(PatternError::Scheme)?;
        let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
        if name != NAME {
            return Err(PatternError::Name);
        }
        let mut wish = Wish::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            wish.take(key, value)?;
        }
        Ok(wish.pattern())
    }
}

#[derive(Default)]
struct Wish {
    size: Option<Size>,
    rate: Option<u32>,
    tone: Option<u32>,
    flash: Option<bool>,
    text: Option<String>,
    kbps: Option<u32>,
}

impl Wish {
    fn take(&mut self, key: &str, value: &str) -> Result<(), PatternError> {
        match key {
            "size" => put(&mut self.size, "size", size(value).ok_or(PatternError::Size)?),
            "rate" => put(&mut self.rate, "rate", number(value, &RATE).ok_or(PatternError::Rate)?),
            "tone" => put(&mut self.tone, "tone", tone(value).ok_or(PatternError::Tone)?),
            "flash" => put(&mut self.flash, "flash", value.parse().map_err(|_| PatternError::Flash)?),
            "text" => put(&mut self.text, "text", text(value).ok_or(PatternError::Text)?),
            "kbps" => put(&mut self.kbps, "kbps", number(value, &KBPS).ok_or(PatternError::Kbps)?),
            other => Err(PatternError::Key(other.to_owned())),
        }
    }

    fn pattern(self) -> Pattern {
        let size = self.size.unwrap_or(Size { width: 1_280, height: 720 });
        let frame_rate = self.rate.unwrap_or(25);
        Pattern {
            size,
            frame_rate,
            tone: self.tone.unwrap_or(440),
            is_flashing: self.flash.unwrap_or(false),
            text: self.text.unwrap_or_default(),
            bitrate_kbps: self.kbps.unwrap_or_else(|| usual_kbps(size, frame_rate)),
        }
    }
}

fn put<T>(place: &mut Option<T>, key: &'static str, value: T) -> Result<(), PatternError> {
    if place.replace(value).is_some() {
        return Err(PatternError::Twice(key));
    }
    Ok(())
}

fn size(text: &str) -> Option<Size> {
    let (width, height) = text.split_once('x')?;
    let size = Size { width: number(width, &WIDTH)?, height: number(height, &HEIGHT)? };
    (size.width.is_multiple_of(2) && size.height.is_multiple_of(2)).then_some(size)
}

fn tone(text: &str) -> Option<u32> {
    if text == "0" { Some(0) } else { number(text, &TONE) }
}

fn text(raw: &str) -> Option<String> {
    let text = percent_decode(raw)?;
    let is_printable = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    (is_printable && text.len() <= TEXT_LEN_MAX).then_some(text)
}

fn number(text: &str, bounds: &std::ops::RangeInclusive<u32>) -> Option<u32> {
    text.parse().ok().filter(|number| bounds.contains(number))
}

fn usual_kbps(size: Size, frame_rate: u32) -> u32 {
    // At most 1920 * 1080 * 60 * 8, which a u32 holds.
    (size.width * size.height * frame_rate * 8 / 100_000).clamp(200, 6_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_be_left_out() {
        let usual = Pattern::parse("test:bars").unwrap();
        assert_eq!((usual.size, usual.frame_rate), (Size { width: 1_280, height: 720 }, 25));
        assert_eq!((usual.tone, usual.is_flashing, usual.bitrate_kbps), (440, false, 1_843));
        let all = "test:bars?size=640x360&rate=30&tone=1000&flash=true&text=Hi%20%26&kbps=500";
        let want = Pattern {
            size: Size { width: 640, height: 360 },
            frame_rate: 30,
            tone: 1_000,
            is_flashing: true,
            text: "Hi &".to_owned(),
            bitrate_kbps: 500,
        };
        assert_eq!(Pattern::parse(all), Ok(want));
        assert_eq!(Pattern::parse("test:bars?size=1920x1080&rate=60").map(|p| p.bitrate_kbps), Ok(6_000));
    }

    #[test]
    fn mistakes_are_told_by_their_key() {
        for (url, want) in [
            ("rtp://h", PatternError::Scheme),
            ("test:", PatternError::Name),
            ("test:card", PatternError::Name),
            ("test:bars?colour=red", PatternError::Key("colour".to_owned())),
            ("test:bars?rate=25&rate=30", PatternError::Twice("rate")),
            ("test:bars?size=1280", PatternError::Size),
            ("test:bars?size=641x360", PatternError::Size),
            ("test:bars?size=64x48", PatternError::Size),
            ("test:bars?size=1920x1920", PatternError::Size),
            ("test:bars?rate=0", PatternError::Rate),
            ("test:bars?rate=61", PatternError::Rate),
            ("test:bars?rate", PatternError::Rate),
            ("test:bars?tone=19", PatternError::Tone),
            ("test:bars?tone=-1", PatternError::Tone),
            ("test:bars?flash=yes", PatternError::Flash),
            ("test:bars?text=caf%C3%A9", PatternError::Text),
            ("test:bars?text=aaaaaaaaaaaaaaaaaaaaa", PatternError::Text),
            ("test:bars?text=%0a", PatternError::Text),
            ("test:bars?text=%f", PatternError::Text),
            ("test:bars?kbps=20001", PatternError::Kbps),
        ] {
            assert_eq!(Pattern::parse(url), Err(want), "{url}");
        }
    }
}
