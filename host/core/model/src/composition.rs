//! What one picture of a mix shows: the mixer's decision, carried out by the codec threads.

use crate::{MediaTime, Picture, Size};

/// A colour in limited-range BT.601 YCbCr, what I420 pictures hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Yuv(pub [u8; 3]);

impl Yuv {
    /// Black.
    pub const BLACK: Self = Self([16, 128, 128]);
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
