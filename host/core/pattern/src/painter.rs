//! What a pattern shows at one moment: bars above, and below them a black strip with the text, a
//! running clock and a block that crosses the picture in four seconds.
//!
//! Only the strip is painted for each picture; the bars are one shared picture.

use heliu_model::{Composition, Draw, MediaTime, Picture, Rect, Size, Yuv};

use crate::bars::bars;
use crate::clock_face::clock_face;
use crate::lettering::{LETTER, Strip};
use crate::{FLASH_MS, Pattern};

/// Of the height.
const STRIP_PART: u32 = 4;
/// Text, clock, block.
const LINES: u32 = 3;
/// How long the block takes from left to right.
const CROSSING_MS: i64 = 4_000;
/// Of the width.
const BLOCK_PART: u32 = 16;
const WHITE: [u8; 3] = [235, 128, 128];

/// Paints one pattern.
#[derive(Debug)]
pub(crate) struct Painter {
    size: Size,
    strip: Size,
    text: String,
    bars: Picture,
    flash: Option<Picture>,
}

impl Painter {
    pub(crate) fn new(pattern: &Pattern) -> Self {
        let Size { width, height } = pattern.size;
        let strip = Size { width, height: (height / STRIP_PART) & !1 };
        let upper = Size { width, height: height - strip.height };
        Self {
            size: pattern.size,
            strip,
            text: pattern.text.clone(),
            bars: bars(upper),
            flash: pattern.is_flashing.then(|| Picture::filled(upper, WHITE)),
        }
    }

    /// The picture of that moment.
    pub(crate) fn paint(&self, pts: MediaTime) -> Composition {
        let is_flash = pts.as_millis().rem_euclid(1_000) < FLASH_MS;
        let upper = self.flash.as_ref().filter(|_| is_flash).unwrap_or(&self.bars);
        let draws = vec![draw(upper.clone(), 0), draw(self.strip(pts), upper.size().height)];
        Composition { size: self.size, background: Yuv::BLACK, draws, pts }
    }

    fn strip(&self, pts: MediaTime) -> Picture {
        let mut strip = Strip::new(self.strip);
        let line = self.strip.height / LINES;
        let clock = clock_face(pts);
        strip.write(&self.text, [0, 0], self.scale(&self.text));
        strip.write(&clock, [0, line], self.scale(&clock));
        let width = self.strip.width / BLOCK_PART;
        let way = i64::from(self.strip.width - width);
        let x = u32::try_from(pts.as_millis().rem_euclid(CROSSING_MS) * way / CROSSING_MS).expect("below the width");
        strip.fill(Rect { x, y: 2 * line, width, height: line });
        strip.finish()
    }

    /// The largest letters with which a text stays in its line.
    fn scale(&self, text: &str) -> u32 {
        let letters = u32::try_from(text.len()).expect("a line is short").max(1);
        (self.strip.height / LINES / LETTER).min(self.strip.width / (letters * LETTER)).max(1)
    }
}

fn draw(picture: Picture, y: u32) -> Draw {
    let Size { width, height } = picture.size();
    Draw { picture, crop: Rect { x: 0, y: 0, width, height }, place: Rect { x: 0, y, width, height } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_pictures_of_a_second_are_alike_and_the_same_moment_always_is() {
        let pattern = Pattern::parse("test:bars?size=160x96&rate=60").unwrap();
        let [painter, other] = [Painter::new(&pattern), Painter::new(&pattern)];
        let strip =
            |painter: &Painter, n: i64| painter.paint(MediaTime(n * 1_000_000_000 / 60)).draws[1].picture.y().to_vec();
        for n in 0..60 {
            assert_ne!(strip(&painter, n), strip(&painter, n + 1), "picture {n}");
            assert_eq!(strip(&painter, n), strip(&other, n), "picture {n}");
        }
    }

    #[test]
    fn the_whole_picture_is_covered() {
        for size in ["160x96", "1280x720", "1920x1080", "162x98"] {
            let pattern = Pattern::parse(&format!("test:bars?size={size}")).unwrap();
            let composition = Painter::new(&pattern).paint(MediaTime::ZERO);
            let [upper, lower] = [0, 1].map(|at| composition.draws[at].place);
            assert_eq!((upper.y, lower.y, lower.y + lower.height), (0, upper.height, pattern.size.height), "{size}");
            assert!(upper.height % 2 == 0 && upper.width == pattern.size.width, "{size}");
        }
    }

    #[test]
    fn it_flashes_for_a_tenth_of_each_second_if_it_is_asked_to() {
        for (url, ms, want) in [
            ("test:bars?flash=true", 0, true),
            ("test:bars?flash=true", 99, true),
            ("test:bars?flash=true", 100, false),
            ("test:bars?flash=true", 7_000, true),
            ("test:bars", 0, false),
        ] {
            let painter = Painter::new(&Pattern::parse(url).unwrap());
            let composition = painter.paint(MediaTime::from_millis(ms));
            let last = *composition.draws[0].picture.y().last().unwrap();
            assert_eq!(last == WHITE[0], want, "{url} at {ms}");
        }
    }
}
