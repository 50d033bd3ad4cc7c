//! Who is where in the picture, by number of pictures. The host applies it at every join and leave.

use heliu_sdk::layout::{self, Fit, Region, Table};

/// Sizes at which the grid changes; 16 pictures is the most that is shown.
const GRIDS: [u32; 6] = [1, 2, 4, 6, 9, 16];

/// Main picture and at most eight beside it.
const WITH_MAIN: std::ops::RangeInclusive<u32> = 1..=9;

/// An equal grid; while the main endpoint shows a picture, that one large and a column beside it.
pub fn table(main_endpoint: Option<&str>) -> Table {
    let table = layout::table(layout::sets(GRIDS, grid));
    match main_endpoint {
        Some(main) => table.primary_participant(main, layout::sets(WITH_MAIN, with_main)),
        None => table,
    }
}

fn grid(pictures: u32) -> Vec<Region> {
    let (columns, rows) = match pictures {
        1 => (1, 1),
        2 => (2, 1),
        3..=4 => (2, 2),
        5..=6 => (3, 2),
        7..=9 => (3, 3),
        _ => (4, 4),
    };
    layout::grid(columns, rows, Fit::Crop)
}

fn with_main(pictures: u32) -> Vec<Region> {
    match u8::try_from(pictures - 1).unwrap_or(u8::MAX).min(8) {
        0 => layout::full(Fit::Letterbox),
        others => layout::main_and_column(0.75, others, others.max(4)),
    }
}

#[cfg(test)]
mod tests {
    use heliu_sdk::layout::{Area, Primary};

    use super::*;

    #[test]
    fn without_a_main_endpoint_all_are_equal() {
        let table = table(None);
        for (pictures, places, last) in [
            (1, 1, area(0.0, 0.0, 1.0, 1.0)),
            (2, 2, area(0.5, 0.0, 0.5, 1.0)),
            (3, 4, area(0.5, 0.5, 0.5, 0.5)),
            (4, 4, area(0.5, 0.5, 0.5, 0.5)),
            (5, 6, area(2.0 / 3.0, 0.5, 1.0 / 3.0, 0.5)),
            (9, 9, area(2.0 / 3.0, 2.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0)),
            (10, 16, area(0.75, 0.75, 0.25, 0.25)),
            (17, 16, area(0.75, 0.75, 0.25, 0.25)),
        ] {
            let set = set_for(&table.sets, pictures);
            assert_eq!((set.len(), set[places - 1].area), (places, last), "{pictures}");
            assert!(set.iter().all(|region| region.fit == Fit::Crop), "{pictures}");
        }
        assert!(table.primary_sets.is_empty());
    }

    #[test]
    fn the_main_endpoint_is_large_and_uncut() {
        let table = table(Some("111"));
        assert_eq!(table.primary, Primary::Participant("111".to_owned()));
        for (pictures, main, last) in [
            (1, area(0.0, 0.0, 1.0, 1.0), area(0.0, 0.0, 1.0, 1.0)),
            (2, area(0.0, 0.0, 0.75, 1.0), area(0.75, 0.0, 0.25, 0.25)),
            (5, area(0.0, 0.0, 0.75, 1.0), area(0.75, 0.75, 0.25, 0.25)),
            (6, area(0.0, 0.0, 0.75, 1.0), area(0.75, 4.0 * 0.2, 0.25, 0.2)),
            (9, area(0.0, 0.0, 0.75, 1.0), area(0.75, 0.875, 0.25, 0.125)),
            (12, area(0.0, 0.0, 0.75, 1.0), area(0.75, 0.875, 0.25, 0.125)),
        ] {
            let set = set_for(&table.primary_sets, pictures);
            assert_eq!((set[0].area, set[set.len() - 1].area), (main, last), "{pictures}");
            assert_eq!(set[0].fit, Fit::Letterbox, "{pictures}");
            assert!(set[1..].iter().all(|region| region.fit == Fit::Crop), "{pictures}");
        }
    }

    /// As the contract says: the smallest that holds all, else the largest.
    fn set_for(sets: &[Vec<Region>], pictures: usize) -> &[Region] {
        sets.iter().find(|set| set.len() >= pictures).unwrap_or(&sets[sets.len() - 1])
    }

    fn area(x: f32, y: f32, w: f32, h: f32) -> Area {
        Area { x, y, w, h }
    }
}
