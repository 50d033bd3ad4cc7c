//! Ticks come on an exact grid from the first moment, whoever is there and however late they are asked.

use std::time::Duration;

use heliu_mixer::{Mixer, Output};
use heliu_model::{MediaTime, Size};

use crate::story::{Story, id, input, intent, straight};

#[test]
fn background_and_silence_flow_from_the_start() {
    let start = MediaTime::from_millis(1_234);
    let mut mixer = Mixer::new(&intent(1), start);
    assert_eq!(mixer.poll_timeout(), start);

    let mut outputs = outputs(&mut mixer, start);
    let described: Vec<String> = outputs.iter().map(describe).collect();
    assert_eq!(described, ["picture 1234", "sound 1234"]);

    outputs.extend((1_235..2_234).flat_map(|now| poll_at(&mut mixer, now)));
    assert_eq!((mixer.stats().pictures, mixer.stats().blocks, mixer.stats().ticks_skipped), (25, 47, 0));
    for output in outputs {
        match output {
            Output::Picture(picture) => {
                assert_eq!((picture.size, picture.draws.len()), (Size { width: 320, height: 240 }, 0));
            }
            Output::Samples { samples, .. } => assert!(samples.len() == 2_048 && samples.iter().all(|x| *x == 0.0)),
        }
    }
}

#[test]
fn late_polls_skip_pictures_but_no_sound() {
    let mut mixer = Mixer::new(&intent(1), MediaTime::ZERO);
    poll_at(&mut mixer, 0);
    let late: Vec<String> = poll_at(&mut mixer, 130).iter().map(describe).collect();
    assert_eq!(late, ["sound 21", "sound 42", "sound 64", "sound 85", "sound 106", "picture 120", "sound 128"]);
    assert_eq!((mixer.stats().pictures, mixer.stats().ticks_skipped), (2, 2));
    assert_eq!(mixer.poll_timeout(), MediaTime(7 * 64_000_000 / 3));
}

#[test]
fn after_a_long_sleep_the_past_is_given_up() {
    let mut mixer = Mixer::new(&intent(1), MediaTime::ZERO);
    poll_at(&mut mixer, 0);
    let day = 86_400_000;
    let outputs = poll_at(&mut mixer, day);
    assert_eq!(outputs.iter().map(describe).collect::<Vec<_>>(), ["picture 86400000", "sound 86400000"]);
    assert_eq!((mixer.stats().ticks_skipped, mixer.stats().blocks_skipped), (25 * 86_400 - 1, 86_400_000 * 3 / 64 - 1));
}

#[test]
fn a_changed_scene_goes_on_at_the_next_tick() {
    let mut intent = intent(1);
    let mut mixer = Mixer::new(&intent, MediaTime::ZERO);
    poll_at(&mut mixer, 50);
    let scene = intent.scene.as_mut().expect("there");
    scene.encoding.frame_rate = Some(50);
    scene.encoding.size = Some(Size { width: 641, height: 361 });
    mixer.update(&intent);

    let pictures: Vec<_> = poll_all(&mut mixer, 50..=121).into_iter().filter_map(picture).collect();
    let times: Vec<i64> = pictures.iter().map(|picture| picture.pts.as_millis()).collect();
    assert_eq!(times, [80, 100, 120]);
    assert!(pictures.iter().all(|picture| picture.size == Size { width: 642, height: 362 }));
}

#[test]
fn picture_and_sound_can_be_taken_away_and_given_back() {
    let whole = intent(1);
    let mut story = Story::new(&whole);
    story.publish("a", 0, straight());
    story.run_for(Duration::from_secs(3));
    for (what, has_scene, has_sound) in [("sound", false, true), ("none", false, false), ("picture", true, false)] {
        let mut part = whole.clone();
        part.scene = part.scene.filter(|_| has_scene);
        part.sound = part.sound.filter(|_| has_sound);
        story.mixer.update(&part);
        let before = *story.mixer.stats();
        story.run_for(Duration::from_secs(3));
        let after = story.mixer.stats();
        let made = (after.pictures - before.pictures, after.blocks - before.blocks);
        assert_eq!((made.0 > 70, made.1 > 135), (has_scene, has_sound), "{what}: {made:?}");
        assert_eq!((after.ticks_skipped, after.blocks_skipped), (0, 0), "{what}");
    }
    story.mixer.update(&whole);
    story.run_for(Duration::from_secs(10));
    assert!(story.skews(15..22).iter().all(|skew| skew.abs() <= 40.0));
    assert_eq!(story.skews(15..22).len(), 7);
}

#[test]
fn a_mixer_of_nothing_never_wakes() {
    let mut intent = intent(1);
    (intent.scene, intent.sound) = (None, None);
    let mut mixer = Mixer::new(&intent, MediaTime::ZERO);
    mixer.add_input(input("a"), MediaTime::ZERO);
    assert_eq!(mixer.poll_timeout(), MediaTime(i64::MAX));
    assert!(mixer.poll(MediaTime::from_millis(1_000)).is_none());
    assert!(!mixer.is_seen(&id("a")) && !mixer.is_heard(&id("a")));
}

fn poll_at(mixer: &mut Mixer, millis: i64) -> Vec<Output> {
    outputs(mixer, MediaTime::from_millis(millis))
}

fn poll_all(mixer: &mut Mixer, mut millis: std::ops::RangeInclusive<i64>) -> Vec<Output> {
    let mut all = Vec::new();
    millis.by_ref().for_each(|now| all.extend(poll_at(mixer, now)));
    all
}

fn outputs(mixer: &mut Mixer, now: MediaTime) -> Vec<Output> {
    std::iter::from_fn(|| mixer.poll(now)).collect()
}

fn picture(output: Output) -> Option<heliu_model::Composition> {
    match output {
        Output::Picture(picture) => Some(picture),
        Output::Samples { .. } => None,
    }
}

fn describe(output: &Output) -> String {
    match output {
        Output::Picture(picture) => format!("picture {}", picture.pts.as_millis()),
        Output::Samples { pts, .. } => format!("sound {}", pts.as_millis()),
    }
}
