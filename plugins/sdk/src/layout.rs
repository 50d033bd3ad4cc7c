//! Layout tables as plain functions of the number of inputs.
//!
//! A function says where so many pictures go ([`grid`], [`main_and_column`], or the plugin's own);
//! [`sets`] makes the rows of a table of it. The host applies the table at every join and leave by
//! itself.

pub use crate::bindings::heliu::personality::mixers::{Area, Fit, Primary, Region, Table};
use crate::bindings::heliu::personality::types::Field;

/// Rows for these numbers of inputs. The host takes the smallest that holds all inputs, so numbers
/// that look like the next one can be left out.
#[must_use]
pub fn sets(counts: impl IntoIterator<Item = u32>, layout: impl Fn(u32) -> Vec<Region>) -> Vec<Vec<Region>> {
    counts.into_iter().map(layout).collect()
}

/// A table without a primary: places are taken in order of arrival.
#[must_use]
pub fn table(sets: Vec<Vec<Region>>) -> Table {
    Table { sets, primary_sets: Vec::new(), primary: Primary::First, inputs: None, options: Vec::new() }
}

impl Table {
    /// While a publication of this participant is there, it takes the first place of these rows.
    #[must_use]
    pub fn primary_participant(self, participant: &str, primary_sets: Vec<Vec<Region>>) -> Self {
        Self { primary_sets, primary: Primary::Participant(participant.to_owned()), ..self }
    }

    /// Publications without pictures get a place, too.
    #[must_use]
    pub fn audio_only(mut self) -> Self {
        self.options.push(Field { name: "audio-only".to_owned(), value: "true".to_owned() });
        self
    }
}

/// The whole canvas.
#[must_use]
pub fn full(fit: Fit) -> Vec<Region> {
    vec![place("1", Area { x: 0.0, y: 0.0, w: 1.0, h: 1.0 }, fit)]
}

/// Equal cells, row by row.
#[must_use]
pub fn grid(columns: u8, rows: u8, fit: Fit) -> Vec<Region> {
    let (w, h) = (1.0 / f32::from(columns), 1.0 / f32::from(rows));
    let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    cells
        .zip(1..)
        .map(|((column, row), number)| {
            let area = Area { x: f32::from(column) * w, y: f32::from(row) * h, w, h };
            place(&number.to_string(), area, fit)
        })
        .collect()
}

/// A main picture, letterboxed, over `main_width` of the canvas from the left, and `others` cropped
/// ones beside it from the top, each a `rows`th of the height.
#[must_use]
pub fn main_and_column(main_width: f32, others: u8, rows: u8) -> Vec<Region> {
    let main = place("main", Area { x: 0.0, y: 0.0, w: main_width, h: 1.0 }, Fit::Letterbox);
    let h = 1.0 / f32::from(rows);
    let column = (0..others).map(|row| {
        let area = Area { x: main_width, y: f32::from(row) * h, w: 1.0 - main_width, h };
        place(&(row + 1).to_string(), area, Fit::Crop)
    });
    std::iter::once(main).chain(column).collect()
}

/// One place of a table.
#[must_use]
pub fn place(id: &str, area: Area, fit: Fit) -> Region {
    Region { id: id.to_owned(), area, z: 0, fit, publication: None, options: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_fills_the_canvas_row_by_row() {
        assert_eq!(
            areas(&grid(2, 2, Fit::Crop)),
            ["1 0 0 0.5 0.5", "2 0.5 0 0.5 0.5", "3 0 0.5 0.5 0.5", "4 0.5 0.5 0.5 0.5"]
        );
        assert_eq!(areas(&grid(1, 1, Fit::Crop)), areas(&full(Fit::Crop)));
    }

    #[test]
    fn the_column_stands_beside_the_main_picture() {
        assert_eq!(
            areas(&main_and_column(0.75, 2, 4)),
            ["main 0 0 0.75 1", "1 0.75 0 0.25 0.25", "2 0.75 0.25 0.25 0.25"]
        );
        assert_eq!(areas(&main_and_column(0.75, 0, 4)), ["main 0 0 0.75 1"]);
    }

    #[test]
    fn rows_are_made_for_the_numbers_asked() {
        let sizes: Vec<usize> =
            sets([1, 2, 4], |count| grid(1, u8::try_from(count).unwrap(), Fit::Crop)).iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 2, 4]);
    }

    fn areas(regions: &[Region]) -> Vec<String> {
        let text = |region: &Region| {
            let Area { x, y, w, h } = region.area;
            format!("{} {x} {y} {w} {h}", region.id)
        };
        regions.iter().map(text).collect()
    }
}
