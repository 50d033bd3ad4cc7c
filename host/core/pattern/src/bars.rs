//! Eight vertical bars at 75 %, from left to right as EBU Tech 3325 names them: white, yellow, cyan,
//! green, magenta, red, blue, black.

use heliu_model::{Picture, Size, Yuv};

/// Red, green and blue of the bars from left to right.
pub const BARS: [[u8; 3]; 8] =
    [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191], [0, 0, 0]];

/// The bars over a picture of any even size.
pub(crate) fn bars(size: Size) -> Picture {
    let [width, height] = [size.width as usize, size.height as usize];
    let colours = BARS.map(|rgb| Yuv::from_rgb(rgb).0);
    let plane = |channel: usize, width: usize, height: usize| {
        let row: Vec<u8> = (0..width).map(|x| colours[x * BARS.len() / width][channel]).collect();
        row.repeat(height)
    };
    let half = |side: usize| side.div_ceil(2);
    Picture::new(
        size,
        plane(0, width, height),
        plane(1, half(width), half(height)),
        plane(2, half(width), half(height)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bar_has_its_colour_in_its_middle() {
        let size = Size { width: 320, height: 90 };
        let picture = bars(size);
        for (bar, rgb) in BARS.into_iter().enumerate() {
            let x = bar * 40 + 20;
            let got = [picture.y()[45 * 320 + x], picture.u()[22 * 160 + x / 2], picture.v()[22 * 160 + x / 2]];
            assert_eq!(Yuv(got), Yuv::from_rgb(rgb), "bar {bar}");
        }
    }
}
