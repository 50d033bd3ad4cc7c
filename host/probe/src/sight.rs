//! What pictures show: colours at places, runs of the same picture, black, flashes.

use heliu_model::{Picture, Size, Yuv};

use crate::Point;
use crate::report::{ColourReport, Span};

/// Pixels around a place, to each side.
const AROUND: usize = 2;
/// Mean difference of luma above which a picture is another: a thousandth of the range, as ffmpeg's
/// `freezedetect` has it.
const CHANGE: f64 = 0.25;
/// A shorter stand is none.
const FREEZE_MS_MIN: i64 = 500;
/// Luma up to which a pixel is black, and how much of a picture must be: as `blackdetect` has them.
const BLACK_LUMA: u8 = 37;
const BLACK_PART: f64 = 0.98;
/// Mean luma rises by so much from one picture to the next: a flash.
const FLASH_RISE: f64 = 60.0;
/// Steps of a channel that coding makes.
const VARIES: u8 = 24;
/// Runs that are remembered.
const SPANS_MAX: usize = 1_000;

/// Looks at pictures in the order in which they are shown.
#[derive(Debug)]
pub(crate) struct Sight {
    places: Vec<Place>,
    pictures: u64,
    last: Option<Last>,
    still: Runs,
    black: Runs,
    flashes: Vec<i64>,
}

#[derive(Debug)]
struct Place {
    point: Point,
    first: [u8; 3],
    last: [u8; 3],
    least: [u8; 3],
    most: [u8; 3],
}

/// The last picture that differed from the one before it.
#[derive(Debug)]
struct Last {
    picture: Picture,
    luma: f64,
}

/// Stretches of time in which something holds.
#[derive(Debug, Default)]
struct Runs {
    since: Option<i64>,
    found: Vec<Span>,
}

impl Sight {
    pub(crate) fn new(points: &[Point]) -> Self {
        let places =
            points.iter().map(|&point| Place { point, first: [0; 3], last: [0; 3], least: [255; 3], most: [0; 3] });
        Self {
            places: places.collect(),
            pictures: 0,
            last: None,
            still: Runs::default(),
            black: Runs::default(),
            flashes: Vec::new(),
        }
    }

    pub(crate) fn look(&mut self, picture: &Picture, pts_ms: i64) {
        let is_first = self.pictures == 0;
        self.pictures += 1;
        self.places.iter_mut().for_each(|place| place.look(picture, is_first));
        let luma = mean(picture.y());
        let is_another = self.last.as_ref().is_none_or(|last| differs(&last.picture, picture));
        if is_another {
            let rise = self.last.as_ref().map_or(0.0, |last| luma - last.luma);
            if rise >= FLASH_RISE && self.flashes.len() < SPANS_MAX {
                self.flashes.push(pts_ms);
            }
            self.still.end(pts_ms);
            self.still.begin(pts_ms);
            self.last = Some(Last { picture: picture.clone(), luma });
        }
        if is_black(picture) {
            self.black.begin(pts_ms);
        } else {
            self.black.end(pts_ms);
        }
    }

    pub(crate) fn pictures(&self) -> u64 {
        self.pictures
    }

    pub(crate) fn flashes(&self) -> &[i64] {
        &self.flashes
    }

    pub(crate) fn colours(&self) -> Vec<ColourReport> {
        if self.pictures == 0 {
            return Vec::new();
        }
        self.places.iter().map(Place::report).collect()
    }

    /// Closes what still runs at `end_ms`. `step_ms`: how long a usual picture is shown.
    pub(crate) fn freezes(&mut self, end_ms: i64, step_ms: i64) -> Vec<Span> {
        self.still.end(end_ms);
        let least = FREEZE_MS_MIN.max(3 * step_ms);
        self.still.found.iter().copied().filter(|span| span.ms >= least).collect()
    }

    /// Closes what still runs at `end_ms`.
    pub(crate) fn black(&mut self, end_ms: i64) -> Vec<Span> {
        self.black.end(end_ms);
        self.black.found.clone()
    }
}

impl Place {
    fn look(&mut self, picture: &Picture, is_first: bool) {
        let rgb = colour(picture, self.point);
        if is_first {
            self.first = rgb;
        }
        self.last = rgb;
        for (channel, value) in rgb.into_iter().enumerate() {
            self.least[channel] = self.least[channel].min(value);
            self.most[channel] = self.most[channel].max(value);
        }
    }

    fn report(&self) -> ColourReport {
        let hex = |[r, g, b]: [u8; 3]| format!("#{r:02x}{g:02x}{b:02x}");
        let varies = self.least.iter().zip(self.most).any(|(&least, most)| most - least > VARIES);
        let digits = |value: f64| (value * 10_000.0).round() / 10_000.0;
        ColourReport {
            x: digits(self.point.x),
            y: digits(self.point.y),
            first: hex(self.first),
            last: hex(self.last),
            varies,
        }
    }
}

impl Runs {
    fn begin(&mut self, at_ms: i64) {
        self.since.get_or_insert(at_ms);
    }

    fn end(&mut self, at_ms: i64) {
        if let Some(since) = self.since.take()
            && at_ms > since
        {
            self.keep(Span { at_ms: since, ms: at_ms - since });
        }
    }

    /// Most runs of a moving stream last one picture: of those only the longest matter.
    fn keep(&mut self, span: Span) {
        if self.found.len() < SPANS_MAX {
            self.found.push(span);
        } else if let Some(shortest) = self.found.iter().enumerate().min_by_key(|(_, kept)| kept.ms).map(|(at, _)| at)
            && self.found[shortest].ms < span.ms
        {
            self.found.remove(shortest);
            self.found.push(span);
        }
    }
}

/// Mean of the pixels around a place.
fn colour(picture: &Picture, point: Point) -> [u8; 3] {
    let Size { width, height } = picture.size();
    let around = |plane: &[u8], width: usize, height: usize| {
        let at = |fraction: f64, side: usize| ((fraction * side as f64) as usize).min(side - 1);
        let (x, y) = (at(point.x, width), at(point.y, height));
        let columns = x.saturating_sub(AROUND)..(x + AROUND + 1).min(width);
        let rows = y.saturating_sub(AROUND)..(y + AROUND + 1).min(height);
        let pixels = rows.flat_map(|row| plane[row * width..][columns.clone()].iter());
        let (sum, count) = pixels.fold((0_u32, 0_u32), |(sum, count), &value| (sum + u32::from(value), count + 1));
        u8::try_from((sum + count / 2) / count).expect("a mean of bytes")
    };
    let (width, height) = (width as usize, height as usize);
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    Yuv([
        around(picture.y(), width, height),
        around(picture.u(), half_width, half_height),
        around(picture.v(), half_width, half_height),
    ])
    .to_rgb()
}

fn differs(one: &Picture, other: &Picture) -> bool {
    if one.size() != other.size() {
        return true;
    }
    let difference: u64 = one.y().iter().zip(other.y()).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    difference as f64 > CHANGE * one.y().len() as f64
}

fn is_black(picture: &Picture) -> bool {
    let black = picture.y().iter().filter(|&&luma| luma <= BLACK_LUMA).count();
    black as f64 >= BLACK_PART * picture.y().len() as f64
}

fn mean(plane: &[u8]) -> f64 {
    let sum: u64 = plane.iter().copied().map(u64::from).sum();
    sum as f64 / plane.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 32, height: 16 };
    const CENTRE: Point = Point { x: 0.5, y: 0.5 };

    #[test]
    fn runs_of_one_picture_are_freezes_and_gaps_are_too() {
        let mut sight = Sight::new(&[]);
        let moving = |n: i64| filled(if n % 2 == 0 { 100 } else { 110 });
        (0..10).for_each(|n| sight.look(&moving(n), n * 40));
        (10..30).for_each(|n| sight.look(&filled(110), n * 40));
        (30..40).for_each(|n| sight.look(&moving(n), n * 40));
        sight.look(&filled(120), 3_000);
        let want = [Span { at_ms: 360, ms: 840 }, Span { at_ms: 1_560, ms: 1_440 }];
        assert_eq!(sight.freezes(3_040, 40), want);
    }

    #[test]
    fn a_slow_stream_does_not_freeze() {
        let mut sight = Sight::new(&[]);
        (0..5).for_each(|n| sight.look(&filled(100 + 10 * n), i64::from(n) * 1_000));
        assert_eq!(sight.freezes(5_000, 1_000), []);
    }

    #[test]
    fn black_and_flashes_are_seen() {
        let mut sight = Sight::new(&[CENTRE]);
        for (n, luma) in [16, 16, 235, 235, 16, 120, 16, 16].into_iter().enumerate() {
            sight.look(&filled(luma), n as i64 * 100);
        }
        assert_eq!(sight.black(800), [(0, 200), (400, 100), (600, 200)].map(|(at_ms, ms)| Span { at_ms, ms }));
        assert_eq!(sight.flashes(), [200, 500]);
        let colours = sight.colours();
        let [colour] = colours.as_slice() else { panic!("one place: {colours:?}") };
        assert_eq!((colour.first.as_str(), colour.last.as_str(), colour.varies), ("#000000", "#000000", true));
    }

    #[test]
    fn places_at_the_edge_are_inside() {
        let picture = Picture::filled(Size { width: 17, height: 17 }, Yuv::from_rgb([191, 0, 0]).0);
        for point in [Point { x: 0.0, y: 0.0 }, Point { x: 1.0, y: 1.0 }, CENTRE] {
            let [r, g, b] = colour(&picture, point);
            assert!(r.abs_diff(191) <= 2 && g <= 2 && b <= 2, "{r} {g} {b}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut runs = Runs::default();
        for n in 0..5_000 {
            runs.begin(n * 1_000);
            runs.end(n * 1_000 + n);
        }
        assert_eq!(runs.found.len(), SPANS_MAX);
        assert_eq!(runs.found.iter().map(|span| span.ms).min(), Some(4_000));
    }

    fn filled(luma: u8) -> Picture {
        Picture::filled(SIZE, [luma, 128, 128])
    }
}
