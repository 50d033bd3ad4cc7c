//! White letters on a black strip, eight dots by eight each, and a block.
//!
//! Grey needs only luma, so a strip is one plane; its chroma never changes.

use font8x8::{BASIC_FONTS, UnicodeFonts};
use heliu_model::{Picture, Rect, Size};

const BLACK: u8 = 16;
const WHITE: u8 = 235;
const NO_COLOUR: u8 = 128;
/// Dots of a letter, both ways.
pub(crate) const LETTER: u32 = 8;

/// A strip that is being painted.
pub(crate) struct Strip {
    size: Size,
    y: Vec<u8>,
}

impl Strip {
    /// All black.
    pub(crate) fn new(size: Size) -> Self {
        Self { size, y: vec![BLACK; Picture::plane_lens(size).0] }
    }

    /// Writes a line whose upper left corner is there, each dot `scale` pixels wide and high. What hangs
    /// over the edge is cut.
    pub(crate) fn write(&mut self, text: &str, [left, top]: [u32; 2], scale: u32) {
        for (index, letter) in (0..).zip(text.chars()) {
            let rows = BASIC_FONTS.get(letter).unwrap_or_default();
            for (row, dots) in (0..).zip(rows) {
                for column in (0..LETTER).filter(|column| dots >> column & 1 == 1) {
                    let x = left + (index * LETTER + column) * scale;
                    self.fill(Rect { x, y: top + row * scale, width: scale, height: scale });
                }
            }
        }
    }

    /// Paints a white block. What hangs over the edge is cut.
    pub(crate) fn fill(&mut self, block: Rect) {
        let [width, height] = [self.size.width, self.size.height];
        let [left, right] = [block.x.min(width), (block.x + block.width).min(width)];
        for row in block.y.min(height)..(block.y + block.height).min(height) {
            let start = (row * width) as usize;
            self.y[start + left as usize..start + right as usize].fill(WHITE);
        }
    }

    /// What was painted.
    pub(crate) fn finish(self) -> Picture {
        let chroma = vec![NO_COLOUR; Picture::plane_lens(self.size).1];
        Picture::new(self.size, self.y, chroma.clone(), chroma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_upright_and_cut_at_the_edge() {
        let mut strip = Strip::new(Size { width: 20, height: 10 });
        strip.write("LLL", [2, 1], 1);
        let picture = strip.finish();
        let rows: Vec<String> = picture
            .y()
            .chunks(20)
            .map(|row| row.iter().map(|&luma| if luma == WHITE { '#' } else { '.' }).collect())
            .collect();
        assert_eq!(rows[1], "..####....####....##", "the foot of an L is below, and its stem on the left");
        assert_eq!(rows[7], "..#######.#######.##");
        assert!(rows[9].chars().all(|dot| dot == '.'));
    }
}
