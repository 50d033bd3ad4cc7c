//! Inputs come and go, and the layout follows by itself.

use heliu_mixer::{Input, Mixer, Output};
use heliu_model::{Composition, Layout, MediaTime, MixerIntent, Picture, Primary, PublicationId, Rect, Size, Table};

use crate::story::{columns, id, input, intent, table};

#[test]
fn the_table_follows_one_to_seventeen_inputs_and_back() {
    let mut mixer = mixer(&with_table(Table { sets: [1, 2, 4, 6, 9, 16].map(columns).to_vec(), ..table(vec![]) }));
    let names: Vec<String> = (0..17).map(|n| format!("p{n:02}")).collect();
    let size_for = |inputs: usize| [1, 2, 4, 6, 9, 16].into_iter().find(|size| *size >= inputs).unwrap_or(16);

    for joined in 1..=17 {
        join(&mut mixer, &names[joined - 1]);
        assert_eq!(regions(&mixer), filled(size_for(joined), &names[..joined]), "{joined} joined");
        assert_eq!(draw(&mut mixer).draws.len(), joined.min(16));
    }
    for left in 1..=17 {
        mixer.remove_input(&id(&names[left - 1]));
        let rest = &names[left..];
        assert_eq!(regions(&mixer), filled(size_for(rest.len()), rest), "{left} left");
        assert_eq!(draw(&mut mixer).draws.len(), rest.len());
    }
}

#[test]
fn a_primary_that_joins_late_and_leaves_early_switches_the_layout() {
    let mut primary_sets = vec![columns(1), columns(3)];
    primary_sets.iter_mut().flatten().for_each(|region| region.id.insert(0, 'P'));
    let primary = Primary::Participant("of main".parse().expect("an id"));
    let mut mixer =
        mixer(&with_table(Table { sets: vec![columns(2), columns(4)], primary_sets, primary, ..table(vec![]) }));

    for (what, name, is_join, want) in [
        ("a joins", "a", true, "2.0=a"),
        ("b joins", "b", true, "2.0=a 2.1=b"),
        ("the primary joins", "main", true, "P3.0=main P3.1=a P3.2=b"),
        ("c finds no place", "c", true, "P3.0=main P3.1=a P3.2=b"),
        ("a leaves, c moves up", "a", false, "P3.0=main P3.1=b P3.2=c"),
        ("the primary leaves", "main", false, "2.0=b 2.1=c"),
        ("and comes back", "main", true, "P3.0=main P3.1=b P3.2=c"),
        ("b leaves", "b", false, "P3.0=main P3.1=c"),
        ("c leaves", "c", false, "P1.0=main"),
    ] {
        if is_join {
            join(&mut mixer, name);
        } else {
            mixer.remove_input(&id(name));
        }
        assert_eq!(regions(&mixer), want, "{what}");
    }
}

#[test]
fn an_input_counts_from_its_first_picture_or_as_placeholder() {
    let mut mixer = mixer(&intent(4));
    mixer.add_input(input("slow"), MediaTime::ZERO);
    mixer.add_input(Input { has_video: false, ..input("sound") }, MediaTime::ZERO);
    mixer.add_input(Input { is_mixed: true, ..input("mixed") }, MediaTime::ZERO);
    mixer.add_input(input("mix"), MediaTime::ZERO);
    join(&mut mixer, "b");
    assert_eq!(regions(&mixer), "1.0=b");

    mixer.handle_undecodable(&id("slow"), "4:2:2");
    assert_eq!(regions(&mixer), "2.0=slow 2.1=b", "in order of arrival");
    assert_eq!(mixer.undecodable(), [(id("slow"), "4:2:2".to_owned())]);
    assert_eq!(draw(&mut mixer).draws.len(), 1, "its place shows the background");

    show(&mut mixer, "slow", 16);
    assert_eq!((mixer.undecodable().len(), draw(&mut mixer).draws.len()), (0, 2));
    show(&mut mixer, "nobody", 16);
    assert_eq!((regions(&mixer), mixer.stats().unknown_input), ("2.0=slow 2.1=b".to_owned(), 1));
}

#[test]
fn only_what_has_or_could_soon_have_a_region_is_decoded() {
    let mut mixer = mixer(&with_table(table(vec![columns(2)])));
    for name in ["a", "b", "c"] {
        mixer.add_input(input(name), MediaTime::ZERO);
    }
    let mut heard = input("heard");
    heard.has_video = false;
    mixer.add_input(heard, MediaTime::ZERO);
    let seen = |mixer: &Mixer| ["a", "b", "c", "heard"].map(|name| u8::from(mixer.is_seen(&id(name))));
    assert_eq!(seen(&mixer), [1, 1, 1, 0], "whoever comes first");

    show(&mut mixer, "c", 16);
    show(&mut mixer, "b", 16);
    assert_eq!((seen(&mixer), regions(&mixer).as_str()), ([1, 1, 1, 0], "2.0=b 2.1=c"));
    show(&mut mixer, "a", 16);
    assert_eq!((seen(&mixer), regions(&mixer).as_str()), ([1, 1, 0, 0], "2.0=a 2.1=b"));
    mixer.remove_input(&id("a"));
    assert_eq!(seen(&mixer), [0, 1, 1, 0]);
}

#[test]
fn audio_only_inputs_get_a_place_where_the_table_says_so() {
    for (audio_only, want) in [(false, "1.0=b"), (true, "2.0=sound 2.1=b")] {
        let mut mixer = mixer(&with_table(Table { audio_only, ..table(vec![columns(1), columns(2)]) }));
        mixer.add_input(Input { has_video: false, ..input("sound") }, MediaTime::ZERO);
        join(&mut mixer, "b");
        assert_eq!(regions(&mixer), want);
        assert_eq!(draw(&mut mixer).draws.len(), 1);
    }
}

#[test]
fn a_description_may_change_and_keeps_its_turn() {
    let mut mixer = mixer(&with_table(Table { audio_only: true, ..table(vec![columns(2)]) }));
    mixer.add_input(Input { has_video: false, ..input("a") }, MediaTime::ZERO);
    join(&mut mixer, "b");
    assert_eq!(regions(&mixer), "2.0=a 2.1=b");
    mixer.add_input(input("a"), MediaTime::ZERO);
    assert_eq!(regions(&mixer), "2.0=b", "pictures are announced, none is there");
    show(&mut mixer, "a", 16);
    assert_eq!(regions(&mixer), "2.0=a 2.1=b");
}

#[test]
fn fixed_regions_are_painted_by_height_and_then_order() {
    let mut regions = columns(3);
    for (region, (publication, z)) in regions.iter_mut().zip([("a", 5), ("b", -1), ("a", 5)]) {
        (region.publication, region.z) = (Some(id(publication)), z);
    }
    let mut intent = intent(1);
    intent.scene.as_mut().expect("there").layout = Layout::Regions(regions);
    let mut mixer = mixer(&intent);
    ["a", "b", "c"].iter().for_each(|name| join(&mut mixer, name));
    let places: Vec<u32> = draw(&mut mixer).draws.iter().map(|draw| draw.place.x).collect();
    assert_eq!(places, [106, 0, 212], "b, then both of a");
    assert!(mixer.is_seen(&id("a")) && !mixer.is_seen(&id("c")));
}

#[test]
fn a_picture_of_another_size_meets_its_region_anew() {
    let mut mixer = mixer(&intent(1));
    join(&mut mixer, "a");
    for (now, size, crop) in [(1, 16, [2, 0, 12, 9]), (2, 160, [20, 0, 120, 90]), (3, 1_280, [160, 0, 960, 720])] {
        let now = MediaTime::from_millis(now * 1_000);
        mixer.handle_picture(&id("a"), picture(size, size * 9 / 16), now, now);
        let later = MediaTime::from_millis(now.as_millis() + 500);
        let last = std::iter::from_fn(|| mixer.poll(later)).filter_map(composition).last().expect("there");
        let [x, y, width, height] = crop;
        assert_eq!(last.draws[0].crop, Rect { x, y, width, height }, "{size}");
    }
}

#[test]
fn a_new_layout_takes_effect_with_the_next_tick() {
    let mut intent = intent(4);
    let mut mixer = mixer(&intent);
    ["a", "b"].iter().for_each(|name| join(&mut mixer, name));
    let scene = intent.scene.as_mut().expect("there");
    scene.layout = Layout::Table(Table { inputs: Some(vec![id("b")]), ..table(vec![columns(3)]) });
    scene.background = "#0000ff".into();
    mixer.update(&intent);
    let composition = draw(&mut mixer);
    assert_eq!((regions(&mixer).as_str(), composition.draws.len()), ("3.0=b", 1));
    assert_eq!(composition.background.0, [41, 240, 110]);
}

fn mixer(intent: &MixerIntent) -> Mixer {
    Mixer::new(intent, MediaTime::ZERO)
}

fn with_table(table: Table) -> MixerIntent {
    let mut intent = intent(1);
    intent.scene.as_mut().expect("there").layout = Layout::Table(table);
    intent
}

fn join(mixer: &mut Mixer, name: &str) {
    mixer.add_input(input(name), MediaTime::ZERO);
    show(mixer, name, 16);
}

fn show(mixer: &mut Mixer, name: &str, edge: u32) {
    mixer.handle_picture(&id(name), picture(edge, edge), MediaTime::ZERO, MediaTime::ZERO);
}

fn picture(width: u32, height: u32) -> Picture {
    Picture::filled(Size { width, height }, [16, 128, 128])
}

/// The picture of the next tick.
fn draw(mixer: &mut Mixer) -> Composition {
    loop {
        let next = mixer.poll_timeout();
        if let Some(composition) = mixer.poll(next).and_then(composition) {
            return composition;
        }
    }
}

fn composition(output: Output) -> Option<Composition> {
    match output {
        Output::Picture(composition) => Some(composition),
        Output::Samples { .. } => None,
    }
}

fn regions(mixer: &Mixer) -> String {
    joined(mixer.regions().into_iter())
}

fn filled(size: usize, names: &[String]) -> String {
    let region = |(at, name): (usize, &String)| (format!("{size}.{at}"), id(name));
    joined(names.iter().take(size).enumerate().map(region))
}

fn joined(regions: impl Iterator<Item = (String, PublicationId)>) -> String {
    regions.map(|(region, id)| format!("{region}={id}")).collect::<Vec<_>>().join(" ")
}
