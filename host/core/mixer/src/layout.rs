//! Who is where: a layout applied to the inputs that are there.
//!
//! A pure function of the two, so a join, a leave and a new layout are one and the same thing. Not
//! here: pixels (`geometry`), and when an input is there (`feed`).

use heliu_model::{Layout, ParticipantId, Primary, PublicationId, Region, Table};

/// An input that is there. What has neither pictures nor a placeholder counts as `is_audio_only`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Present<'a> {
    pub(crate) publication: &'a PublicationId,
    pub(crate) participant: Option<&'a ParticipantId>,
    pub(crate) is_audio_only: bool,
    pub(crate) is_mixed: bool,
}

/// Regions with their publications, in filling order. `present` is in order of arrival.
pub(crate) fn apply<'a>(layout: &'a Layout, present: &[Present<'a>]) -> Vec<(&'a Region, &'a PublicationId)> {
    match layout {
        Layout::Table(table) => fill(table, &line(table, present)),
        Layout::Regions(regions) => fixed(regions, present),
    }
}

fn fixed<'a>(regions: &'a [Region], present: &[Present<'a>]) -> Vec<(&'a Region, &'a PublicationId)> {
    let is_there = |id: &PublicationId| present.iter().any(|input| input.publication == id);
    let with_publication = regions.iter().filter_map(|region| Some((region, region.publication.as_ref()?)));
    with_publication.filter(|(_, publication)| is_there(publication)).collect()
}

/// The inputs a table cares for, in its order.
fn line<'a>(table: &Table, present: &[Present<'a>]) -> Vec<Present<'a>> {
    let may_stand = |input: &&Present<'a>| table.audio_only || !input.is_audio_only;
    let Some(inputs) = &table.inputs else {
        return present.iter().filter(may_stand).filter(|input| !input.is_mixed).copied().collect();
    };
    let mut line: Vec<Present<'a>> = Vec::new();
    for id in inputs {
        let is_in_line = line.iter().any(|input| input.publication == id);
        let input = present.iter().filter(may_stand).find(|input| input.publication == id);
        line.extend(input.filter(|_| !is_in_line));
    }
    line
}

fn fill<'a>(table: &'a Table, line: &[Present<'a>]) -> Vec<(&'a Region, &'a PublicationId)> {
    let primary = line.iter().position(|input| is_primary(&table.primary, input));
    let sets = match primary {
        Some(_) if !table.primary_sets.is_empty() => &table.primary_sets,
        Some(_) | None => &table.sets,
    };
    let others = line.iter().enumerate().filter(|(at, _)| Some(*at) != primary).map(|(_, input)| input);
    let line = primary.map(|at| &line[at]).into_iter().chain(others);
    let regions = choose(sets, line.clone().count()).unwrap_or_default();
    regions.iter().zip(line.map(|input| input.publication)).collect()
}

fn is_primary(primary: &Primary, input: &Present<'_>) -> bool {
    match primary {
        Primary::First => true,
        Primary::Publication(publication) => input.publication == publication,
        Primary::Participant(participant) => input.participant == Some(participant),
    }
}

/// The smallest set for so many inputs, else the largest.
fn choose(sets: &[Vec<Region>], inputs: usize) -> Option<&[Region]> {
    let holds_all = sets.iter().filter(|set| set.len() >= inputs).min_by_key(|set| set.len());
    // `max_by_key` takes the last of equals, the first is meant.
    holds_all.or_else(|| sets.iter().rev().max_by_key(|set| set.len())).map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use heliu_model::{Area, Fit};

    #[test]
    fn the_smallest_set_that_holds_all_is_filled_in_order() {
        let layout = Layout::Table(Table { sets: vec![set("four", 4), set("one", 1), set("two", 2)], ..table() });
        for (inputs, want) in [
            ("", ""),
            ("a", "one0=a"),
            ("a b", "two0=a two1=b"),
            ("a b c", "four0=a four1=b four2=c"),
            ("a b c d", "four0=a four1=b four2=c four3=d"),
            ("a b c d e", "four0=a four1=b four2=c four3=d"),
        ] {
            assert_eq!(applied(&layout, inputs), want, "{inputs}");
        }
    }

    #[test]
    fn the_primary_takes_the_first_region_of_its_own_sets_while_it_is_there() {
        for (what, primary, inputs, want) in [
            ("a publication", Primary::Publication(id("b")), "a b c", "p0=b p1=a p2=c"),
            ("an absent publication", Primary::Publication(id("x")), "a b c", "s0=a s1=b s2=c"),
            ("a participant", Primary::Participant("of c".parse().unwrap()), "a b c", "p0=c p1=a p2=b"),
            ("the first", Primary::First, "a b c", "p0=a p1=b p2=c"),
            ("the first of nobody", Primary::First, "", ""),
            ("more than there is room for", Primary::Publication(id("d")), "a b c d", "p0=d p1=a p2=b"),
            ("an audio-only one is not there", Primary::Publication(id("~b")), "a ~b", "s0=a"),
        ] {
            let table = Table { sets: vec![set("s", 3)], primary_sets: vec![set("p", 3)], primary, ..table() };
            assert_eq!(applied(&Layout::Table(table), inputs), want, "{what}");
        }
    }

    #[test]
    fn without_primary_sets_the_primary_is_first_in_the_others() {
        let primary = Primary::Publication(id("b"));
        let table = Table { sets: vec![set("s", 3)], primary, ..table() };
        assert_eq!(applied(&Layout::Table(table), "a b c"), "s0=b s1=a s2=c");
    }

    #[test]
    fn a_table_may_name_its_inputs_or_let_sound_in() {
        for (what, inputs, audio_only, present, want) in [
            ("all but mixers'", None, false, "a *m ~s b", "s0=a s1=b"),
            ("with audio-only ones", None, true, "a *m ~s b", "s0=a s1=~s s2=b"),
            ("in the list's order", Some("b x a b"), false, "a *m ~s b c", "s0=b s1=a"),
            ("a mixer's by name", Some("*m a"), false, "a *m", "s0=*m s1=a"),
            ("an audio-only one by name has no place", Some("~s a"), false, "a ~s", "s0=a"),
        ] {
            let inputs = inputs.map(|names: &str| names.split(' ').map(id).collect());
            let table = Table { sets: vec![set("s", 4)], inputs, audio_only, ..table() };
            assert_eq!(applied(&Layout::Table(table), present), want, "{what}");
        }
    }

    #[test]
    fn fixed_regions_wait_for_their_publications() {
        let mut regions = set("r", 3);
        regions[0].publication = Some(id("b"));
        regions[2].publication = Some(id("a"));
        let layout = Layout::Regions(regions);
        for (inputs, want) in [("", ""), ("a c", "r2=a"), ("a b", "r0=b r2=a")] {
            assert_eq!(applied(&layout, inputs), want, "{inputs}");
        }
    }

    /// `~name`: audio-only. `*name`: a mixer's.
    fn applied(layout: &Layout, inputs: &str) -> String {
        let names: Vec<(PublicationId, ParticipantId)> =
            inputs.split_whitespace().map(|name| (id(name), format!("of {name}").parse().unwrap())).collect();
        let present: Vec<Present<'_>> = names
            .iter()
            .map(|(publication, participant)| Present {
                publication,
                participant: Some(participant),
                is_audio_only: publication.as_str().starts_with('~'),
                is_mixed: publication.as_str().starts_with('*'),
            })
            .collect();
        let regions = apply(layout, &present);
        regions.iter().map(|(region, id)| format!("{}={id}", region.id)).collect::<Vec<_>>().join(" ")
    }

    fn table() -> Table {
        let primary = Primary::Publication(id("nobody"));
        Table { sets: Vec::new(), primary_sets: Vec::new(), primary, inputs: None, audio_only: false }
    }

    fn set(name: &str, len: usize) -> Vec<Region> {
        let area = Area { x: 0.0, y: 0.0, w: 1.0, h: 1.0 };
        let region = |at| Region { id: format!("{name}{at}"), area, z: 0, fit: Fit::Crop, publication: None };
        (0..len).map(region).collect()
    }

    fn id(text: &str) -> PublicationId {
        text.parse().unwrap()
    }
}
