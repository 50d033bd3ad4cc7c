//! What one picture of a mix shows: the mixer's decision, carried out by the codec threads.

use crate::{MediaTime, Picture, Size};

/// A colour in limited-range BT.601 YCbCr, what I420 pictures hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Yuv(pub [u8; 3]);

impl Yuv {
    /// Black.
    pub const BLACK: Self = Self([16, 128, 128]);

    /// From red, green and blue (ITU-R BT.601-7 §2.5.3).
    #[must_use]
    pub fn from_rgb(rgb: [u8; 3]) -> Self {
        let [r, g, b] = rgb.map(|channel| f32::from(channel) / 255.0);
        Self([
            to_byte(16.0 + 65.481 * r + 128.553 * g + 24.966 * b),
            to_byte(128.0 - 37.797 * r - 74.203 * g + 112.0 * b),
            to_byte(128.0 + 112.0 * r - 93.786 * g - 18.214 * b),
        ])
    }

    /// To red, green and blue; what lies outside their cube is clipped.
    #[must_use]
    pub fn to_rgb(self) -> [u8; 3] {
        let [y, u, v] = self.0.map(f32::from);
        let (y, u, v) = (1.164_384 * (y - 16.0), u - 128.0, v - 128.0);
        [to_byte(y + 1.596_027 * v), to_byte(y - 0.391_762 * u - 0.812_968 * v), to_byte(y + 2.017_232 * u)]
    }
}

fn to_byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// Whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// One picture in one place.
#[derive(Debug, Clone)]
pub struct Draw {
    /// What is shown; never empty.
    pub picture: Picture,
    /// Which part of it, inside the picture and not empty.
    pub crop: Rect,
    /// Where it lands, scaled; inside the canvas, all four numbers even.
    pub place: Rect,
}

/// One picture of a mix: background, then each draw over what is there.
#[derive(Debug, Clone)]
pub struct Composition {
    /// Canvas; both even.
    pub size: Size,
    /// Where nothing is drawn.
    pub background: Yuv,
    /// In painting order.
    pub draws: Vec<Draw>,
    /// When it is shown.
    pub pts: MediaTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_back_from_limited_range() {
        for (rgb, want) in [
            ([0, 0, 0], [16, 128, 128]),
            ([255, 255, 255], [235, 128, 128]),
            ([255, 0, 0], [81, 90, 240]),
            ([0, 255, 0], [145, 54, 34]),
            ([0, 0, 255], [41, 240, 110]),
            ([191, 0, 191], [84, 184, 198]),
        ] {
            let yuv = Yuv::from_rgb(rgb);
            assert_eq!(yuv, Yuv(want), "{rgb:?}");
            let back = yuv.to_rgb();
            assert!(rgb.iter().zip(back).all(|(&a, b)| a.abs_diff(b) <= 2), "{rgb:?} came back as {back:?}");
        }
        assert_eq!(Yuv([0, 0, 0]).to_rgb()[0], 0, "clipped");
    }
}
