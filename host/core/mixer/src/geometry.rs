//! Fractions to pixels, and how a picture meets its place.
//!
//! Edges become pixels, not widths, so neighbours meet; and they are even, so they meet in the
//! chroma planes, too. Not here: who is shown in a place.

use heliu_model::{Area, Fit, Rect, Size};

/// Largest edge of a canvas in pixels; beyond it no H.264 level reaches.
const EDGE_MAX: u32 = 1 << 14;

/// The canvas for a wished size: even, at least 2 by 2.
pub(crate) fn canvas(wish: Size) -> Size {
    let even = |edge: u32| edge.clamp(2, EDGE_MAX).next_multiple_of(2);
    Size { width: even(wish.width), height: even(wish.height) }
}

/// The pixels of an area, inside the canvas; `None` if nothing is left of it.
pub(crate) fn place(area: Area, canvas: Size) -> Option<Rect> {
    let (x, width) = span(area.x, area.w, canvas.width)?;
    let (y, height) = span(area.y, area.h, canvas.height)?;
    Some(Rect { x, y, width, height })
}

/// Which part of a picture is shown, and where inside the region.
pub(crate) fn meet(fit: Fit, picture: Size, region: Rect) -> (Rect, Rect) {
    let whole = Rect { x: 0, y: 0, width: picture.width, height: picture.height };
    match fit {
        Fit::Stretch => (whole, region),
        Fit::Crop => (crop(whole, region), region),
        Fit::Letterbox => (whole, letterbox(picture, region)),
    }
}

/// One axis of an area: where it begins and how long it is.
fn span(start: f32, length: f32, canvas: u32) -> Option<(u32, u32)> {
    // 1/64 of a pixel forgives what f32 loses of thirds and twelfths.
    let edge = |at: f64| ((at * f64::from(canvas) + 1.0 / 64.0) as u32).min(canvas) & !1;
    let from = edge(f64::from(start));
    let to = edge(f64::from(start) + f64::from(length));
    (to > from).then(|| (from, to - from))
}

/// The largest middle part of `whole` with the shape of `region`.
fn crop(whole: Rect, region: Rect) -> Rect {
    match shorten(whole.width, whole.height, region.width, region.height) {
        Some(width) => Rect { x: margin(whole.width, width), width, ..whole },
        None => match shorten(whole.height, whole.width, region.height, region.width) {
            Some(height) => Rect { y: margin(whole.height, height), height, ..whole },
            None => whole,
        },
    }
}

/// The largest middle part of `region` with the shape of the picture.
fn letterbox(picture: Size, region: Rect) -> Rect {
    match shorten(region.width, region.height, picture.width, picture.height) {
        Some(width) => Rect { x: region.x + margin(region.width, width), width, ..region },
        None => match shorten(region.height, region.width, picture.height, picture.width) {
            Some(height) => Rect { y: region.y + margin(region.height, height), height, ..region },
            None => region,
        },
    }
}

/// How long `long` becomes, even, so that `long : other` is as `want_long : want_other`; `None` if it
/// need not become shorter.
fn shorten(long: u32, other: u32, want_long: u32, want_other: u32) -> Option<u32> {
    let wanted = f64::from(other) * f64::from(want_long) / f64::from(want_other);
    let even = ((wanted / 2.0).round() as u32).max(1).saturating_mul(2);
    (even < long).then_some(even)
}

/// What stays on the first side, even.
fn margin(long: u32, short: u32) -> u32 {
    ((long - short) / 2) & !1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canvas_is_even() {
        for (wish, want) in [((1280, 720), (1280, 720)), ((1, 721), (2, 722)), ((0, u32::MAX), (2, EDGE_MAX))] {
            assert_eq!(canvas(size(wish)), size(want), "{wish:?}");
        }
    }

    #[test]
    fn edges_become_even_pixels() {
        let third = 1.0 / 3.0;
        for (what, area, canvas, want) in [
            ("all", [0.0, 0.0, 1.0, 1.0], (1280, 720), Some([0, 0, 1280, 720])),
            ("first third of 1280", [0.0, 0.0, third, 1.0], (1280, 720), Some([0, 0, 426, 720])),
            ("second third of 1280", [third, 0.0, third, 1.0], (1280, 720), Some([426, 0, 426, 720])),
            ("last third of 1280", [2.0 * third, 0.0, third, 1.0], (1280, 720), Some([852, 0, 428, 720])),
            ("three quarters", [0.75, 0.25, 0.25, 0.25], (1280, 720), Some([960, 180, 320, 180])),
            ("out of the canvas", [0.5, -0.5, 3.0, 1.0], (100, 100), Some([50, 0, 50, 50])),
            ("too thin", [0.5, 0.0, 0.001, 1.0], (100, 100), None),
            ("negative", [0.5, 0.0, -0.25, 1.0], (100, 100), None),
            ("no number", [f32::NAN, 0.0, 1.0, 1.0], (100, 100), None),
            ("infinite", [0.0, 0.0, f32::INFINITY, 1.0], (100, 100), Some([0, 0, 100, 100])),
        ] {
            let [x, y, w, h] = area;
            assert_eq!(place(Area { x, y, w, h }, size(canvas)), want.map(rect), "{what}");
        }
    }

    #[test]
    fn columns_meet_without_seams() {
        for columns in 1..=12_u32 {
            for width in (4 * columns..2000).step_by(2) {
                let w = 1.0 / columns as f32;
                let mut edge = 0;
                for column in 0..columns {
                    let area = Area { x: column as f32 * w, y: 0.0, w, h: 1.0 };
                    let rect = place(area, Size { width, height: 2 }).filter(|rect| rect.x == edge);
                    edge += rect.unwrap_or_else(|| panic!("column {column} of {columns} in {width}")).width;
                }
                assert_eq!(edge, width, "{columns} columns");
            }
        }
    }

    #[test]
    fn a_picture_meets_its_region() {
        let region = rect([100, 50, 400, 300]);
        for (what, fit, picture, crop, place) in [
            ("stretched", Fit::Stretch, (7, 5), [0, 0, 7, 5], [100, 50, 400, 300]),
            ("16:9 cropped to 4:3", Fit::Crop, (1280, 720), [160, 0, 960, 720], [100, 50, 400, 300]),
            ("9:16 cropped to 4:3", Fit::Crop, (720, 1280), [0, 370, 720, 540], [100, 50, 400, 300]),
            ("4:3 cropped to 4:3", Fit::Crop, (640, 480), [0, 0, 640, 480], [100, 50, 400, 300]),
            ("odd, nearly 4:3", Fit::Crop, (641, 481), [0, 0, 641, 480], [100, 50, 400, 300]),
            ("one pixel", Fit::Crop, (1, 1), [0, 0, 1, 1], [100, 50, 400, 300]),
            ("a line", Fit::Crop, (1, 900), [0, 448, 1, 2], [100, 50, 400, 300]),
            ("16:9 in 4:3", Fit::Letterbox, (1280, 720), [0, 0, 1280, 720], [100, 86, 400, 226]),
            ("9:16 in 4:3", Fit::Letterbox, (720, 1280), [0, 0, 720, 1280], [216, 50, 168, 300]),
            ("4:3 in 4:3", Fit::Letterbox, (640, 480), [0, 0, 640, 480], [100, 50, 400, 300]),
            ("a line in 4:3", Fit::Letterbox, (1, 900), [0, 0, 1, 900], [298, 50, 2, 300]),
        ] {
            assert_eq!(meet(fit, size(picture), region), (rect(crop), rect(place)), "{what}");
        }
    }

    fn size((width, height): (u32, u32)) -> Size {
        Size { width, height }
    }

    fn rect([x, y, width, height]: [u32; 4]) -> Rect {
        Rect { x, y, width, height }
    }
}
