//! How long is looked, and where.

use std::str::FromStr;
use std::time::Duration;

/// What a caller decides.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much of the stream is looked at, by its own timestamps: up to [`Options::SECONDS_MAX`].
    pub span: Duration,
    /// Where colours are measured, beside the grid of nine that always is; at most
    /// [`Options::POINTS_MAX`] count.
    pub points: Vec<Point>,
}

/// A place in a picture as fractions of its width and height, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// A text that is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a place is two fractions from 0 to 1: 0.5,0.25")]
pub struct OptionsError;

impl Options {
    /// Bounds what is remembered of a stream.
    pub const SECONDS_MAX: u64 = 600;
    /// Bounds what is measured in a picture.
    pub const POINTS_MAX: usize = 64;
    /// Unless told.
    pub const SECONDS: u64 = 5;

    /// The grid, then the places that were asked for.
    pub(crate) fn places(&self) -> Vec<Point> {
        let thirds = [1.0 / 6.0, 0.5, 5.0 / 6.0];
        let grid = thirds.iter().flat_map(|&y| thirds.iter().map(move |&x| Point { x, y }));
        grid.chain(self.points.iter().copied()).take(Self::POINTS_MAX).collect()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { span: Duration::from_secs(Self::SECONDS), points: Vec::new() }
    }
}

impl FromStr for Point {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        let (x, y) = text.split_once(',').ok_or(OptionsError)?;
        let fraction = |text: &str| text.trim().parse().ok().filter(|value| (0.0..=1.0).contains(value));
        match (fraction(x), fraction(y)) {
            (Some(x), Some(y)) => Ok(Self { x, y }),
            _ => Err(OptionsError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_fractions() {
        for (text, want) in [
            ("0.5,0.25", Ok(Point { x: 0.5, y: 0.25 })),
            ("0, 1", Ok(Point { x: 0.0, y: 1.0 })),
            ("0.5", Err(OptionsError)),
            ("1.1,0", Err(OptionsError)),
            ("-0.1,0", Err(OptionsError)),
            ("NaN,0", Err(OptionsError)),
            ("", Err(OptionsError)),
        ] {
            assert_eq!(text.parse(), want, "{text}");
        }
        let many = Options { points: vec![Point { x: 0.0, y: 0.0 }; 100], ..Options::default() };
        assert_eq!(many.places().len(), Options::POINTS_MAX);
    }
}
