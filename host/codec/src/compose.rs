//! Paints a composition: background, then each picture scaled into its place.
//!
//! A picture that was there at the last tick, with the same crop and size, is not scaled again.
//!
//! Not here: how a plane is scaled (`scale`).

use heliu_model::{Composition, Draw, Picture, Rect, Size, Yuv};

use crate::scale::{Plane, Span, scale};

/// Where a composition is painted: I420 without padding between rows, both sides even.
#[derive(Debug, Clone, Default)]
pub struct Canvas {
    size: Option<Size>,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

/// Paints compositions one after the other and remembers what it scaled for the last one.
#[derive(Debug, Default)]
pub struct Composer {
    canvas: Canvas,
    /// What the last composition drew scaled: no more entries than it had draws.
    scaled: Vec<Scaled>,
}

#[derive(Debug)]
struct Scaled {
    /// Held, so that its memory cannot become another picture's.
    of: Picture,
    crop: Rect,
    result: Picture,
}

/// One composition as a picture of its own.
#[must_use]
pub fn compose(composition: &Composition) -> Picture {
    let mut composer = Composer::default();
    composer.compose(composition);
    let Canvas { y, u, v, .. } = composer.canvas;
    Picture::new(composition.size, y, u, v)
}

impl Composer {
    /// Paints. A draw that breaks the rules of [`Draw`] is left out.
    ///
    /// # Panics
    /// The canvas is not even: a bug of the caller.
    pub fn compose(&mut self, composition: &Composition) -> &Canvas {
        self.canvas.clear(composition.size, composition.background);
        let mut before = std::mem::take(&mut self.scaled);
        for draw in composition.draws.iter().filter(|draw| fits(draw, composition.size)) {
            if is_as_it_is(draw) {
                self.canvas.paint(&draw.picture, [draw.crop.x, draw.crop.y], draw.place);
                continue;
            }
            let known = self.scaled.iter().position(|scaled| scaled.serves(draw));
            let index = known.unwrap_or_else(|| {
                let kept = before.iter().position(|scaled| scaled.serves(draw));
                self.scaled.push(kept.map_or_else(|| Scaled::new(draw), |index| before.swap_remove(index)));
                self.scaled.len() - 1
            });
            self.canvas.paint(&self.scaled[index].result, [0, 0], draw.place);
        }
        &self.canvas
    }
}

impl Scaled {
    fn new(draw: &Draw) -> Self {
        Self { of: draw.picture.clone(), crop: draw.crop, result: scaled(draw) }
    }

    fn serves(&self, draw: &Draw) -> bool {
        let Size { width, height } = self.result.size();
        self.of.is_same(&draw.picture)
            && self.crop == draw.crop
            && width == draw.place.width
            && height == draw.place.height
    }
}

impl Canvas {
    /// What was painted last; nothing before the first composition.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size.unwrap_or(Size { width: 0, height: 0 })
    }

    /// Luma, stride = width.
    #[must_use]
    pub fn y(&self) -> &[u8] {
        &self.y
    }

    /// Blue difference, stride = width / 2.
    #[must_use]
    pub fn u(&self) -> &[u8] {
        &self.u
    }

    /// Red difference, stride = width / 2.
    #[must_use]
    pub fn v(&self) -> &[u8] {
        &self.v
    }

    fn clear(&mut self, size: Size, Yuv(colour): Yuv) {
        assert!(is_even([size.width, size.height]), "an even canvas, not {size:?}");
        let (luma, chroma) = Picture::plane_lens(size);
        for (plane, len, value) in
            [(&mut self.y, luma, colour[0]), (&mut self.u, chroma, colour[1]), (&mut self.v, chroma, colour[2])]
        {
            plane.clear();
            plane.resize(len, value);
        }
        self.size = Some(size);
    }

    /// Copies the part of `picture` that begins at `from` and is as large as `place`.
    fn paint(&mut self, picture: &Picture, from: [u32; 2], place: Rect) {
        let [canvas_width, picture_width] = [self.size().width, picture.size().width];
        for (source, target, halvings) in
            [(picture.y(), &mut self.y, 0), (picture.u(), &mut self.u, 1), (picture.v(), &mut self.v, 1)]
        {
            let at = |edge: u32| (edge >> halvings) as usize;
            let source_stride = (picture_width as usize).div_ceil(1 << halvings);
            let from_rows = source.chunks(source_stride).skip(at(from[1]));
            let to_rows = target.chunks_mut(at(canvas_width)).skip(at(place.y)).take(at(place.height));
            for (to, from_row) in to_rows.zip(from_rows) {
                let [left, start, len] = [at(place.x), at(from[0]), at(place.width)];
                to[left..left + len].copy_from_slice(&from_row[start..start + len]);
            }
        }
    }
}

fn scaled(draw: &Draw) -> Picture {
    let Draw { picture, crop, place } = draw;
    let plane = |samples: &[u8], halvings: u32| {
        let side = |len: u32| (len as usize).div_ceil(1 << halvings);
        let part = |start: u32, len: u32| {
            let unit = f64::from(1 << halvings);
            Span { start: f64::from(start) / unit, len: f64::from(len) / unit }
        };
        let source = Plane { samples, width: side(picture.size().width), height: side(picture.size().height) };
        let (x, y) = (part(crop.x, crop.width), part(crop.y, crop.height));
        scale(source, x, y, side(place.width), side(place.height))
    };
    let size = Size { width: place.width, height: place.height };
    Picture::new(size, plane(picture.y(), 0), plane(picture.u(), 1), plane(picture.v(), 1))
}

/// Does it need no scaling, only copying?
fn is_as_it_is(draw: &Draw) -> bool {
    let Draw { crop, place, .. } = draw;
    crop.width == place.width && crop.height == place.height && is_even([crop.x, crop.y])
}

fn fits(draw: &Draw, canvas: Size) -> bool {
    let Rect { x, y, width, height } = draw.place;
    is_even([x, y, width, height]) && is_inside(draw.place, canvas) && is_inside(draw.crop, draw.picture.size())
}

fn is_inside(rect: Rect, size: Size) -> bool {
    let ends_inside = |start: u32, len: u32, end: u32| len > 0 && start.checked_add(len).is_some_and(|to| to <= end);
    ends_inside(rect.x, rect.width, size.width) && ends_inside(rect.y, rect.height, size.height)
}

fn is_even<const N: usize>(edges: [u32; N]) -> bool {
    edges.iter().all(|edge| edge.is_multiple_of(2))
}

#[cfg(test)]
mod tests {
    use heliu_model::MediaTime;

    use super::*;

    const RED: [u8; 3] = [81, 90, 240];
    const BLUE: [u8; 3] = [41, 240, 110];
    const CANVAS: Size = Size { width: 64, height: 48 };

    #[test]
    fn each_picture_lies_in_its_place_and_the_later_one_above() {
        let odd = Picture::filled(Size { width: 33, height: 21 }, RED);
        let same = Picture::filled(Size { width: 16, height: 16 }, BLUE);
        let painted = compose(&composition(vec![
            draw(&odd, rect(1, 1, 31, 20), rect(0, 0, 32, 24)),
            draw(&same, rect(0, 0, 16, 16), rect(16, 8, 16, 16)),
            draw(&odd, rect(0, 0, 1, 1), rect(62, 46, 2, 2)),
        ]));
        for (what, at, want) in [
            ("scaled", [0, 0], RED),
            ("under nothing", [14, 22], RED),
            ("above", [16, 8], BLUE),
            ("above, last pixel", [30, 22], BLUE),
            ("background", [32, 0], [16, 128, 128]),
            ("the corner", [62, 46], RED),
            ("beside the corner", [60, 46], [16, 128, 128]),
        ] {
            assert_eq!(pixel(&painted, at), want, "{what}");
        }
    }

    #[test]
    fn draws_that_break_the_rules_are_left_out() {
        let picture = Picture::filled(Size { width: 16, height: 16 }, RED);
        for (what, crop, place) in [
            ("odd place", rect(0, 0, 16, 16), rect(1, 0, 16, 16)),
            ("outside the canvas", rect(0, 0, 16, 16), rect(50, 0, 16, 16)),
            ("far outside", rect(0, 0, 16, 16), rect(u32::MAX - 1, 0, 16, 16)),
            ("empty place", rect(0, 0, 16, 16), rect(0, 0, 0, 16)),
            ("outside the picture", rect(1, 0, 16, 16), rect(0, 0, 16, 16)),
            ("empty crop", rect(0, 0, 0, 0), rect(0, 0, 16, 16)),
        ] {
            let painted = compose(&composition(vec![draw(&picture, crop, place)]));
            assert!(painted.y().iter().all(|luma| *luma == 16), "{what}");
        }
    }

    #[test]
    fn an_unchanged_picture_is_scaled_once_and_forgotten_when_it_leaves() {
        let picture = Picture::filled(Size { width: 33, height: 21 }, RED);
        let shown = composition(vec![draw(&picture, rect(0, 0, 33, 21), rect(0, 0, 32, 24))]);
        let mut composer = Composer::default();

        composer.compose(&shown);
        let first = composer.scaled[0].result.clone();
        composer.compose(&shown);
        assert!(composer.scaled[0].result.is_same(&first), "kept");

        let moved = composition(vec![
            draw(&picture, rect(0, 0, 33, 21), rect(2, 2, 32, 24)),
            draw(&picture, rect(0, 0, 33, 21), rect(32, 0, 32, 24)),
        ]);
        composer.compose(&moved);
        assert!(composer.scaled.len() == 1 && composer.scaled[0].result.is_same(&first), "wherever it is");

        composer.compose(&composition(vec![draw(&picture, rect(0, 0, 30, 21), rect(0, 0, 32, 24))]));
        assert!(!composer.scaled[0].result.is_same(&first), "another crop is another picture");
        composer.compose(&composition(Vec::new()));
        assert!(composer.scaled.is_empty(), "forgotten");
    }

    fn composition(draws: Vec<Draw>) -> Composition {
        Composition { size: CANVAS, background: Yuv::BLACK, draws, pts: MediaTime::ZERO }
    }

    fn draw(picture: &Picture, crop: Rect, place: Rect) -> Draw {
        Draw { picture: picture.clone(), crop, place }
    }

    fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
        Rect { x, y, width, height }
    }

    fn pixel(picture: &Picture, [x, y]: [usize; 2]) -> [u8; 3] {
        let chroma = y / 2 * 32 + x / 2;
        [picture.y()[y * 64 + x], picture.u()[chroma], picture.v()[chroma]]
    }
}
