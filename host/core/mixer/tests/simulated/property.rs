//! Whatever happens in whatever order: no panic, times increase, pictures stay in their bounds.

use std::time::Duration;

use heliu_mixer::{BLOCK_FRAMES, Input, Mixer, Output};
use heliu_model::{
    Area, Fit, Layout, MediaTime, MixerIntent, Picture, Primary, Rect, Region, Size, Sound, Table, Voice,
};
use proptest::prelude::*;

use crate::story::{id, input, intent, table};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks_the_mixer(first in intents(), steps in prop::collection::vec(steps(), 1..120)) {
        let mut mixer = Mixer::new(&first, MediaTime::ZERO);
        let mut now = MediaTime::ZERO;
        let mut last = [MediaTime(i64::MIN); 2];
        for step in steps {
            apply(&mut mixer, step, &mut now);
            while let Some(output) = mixer.poll(now) {
                check(&output, &mut last, now)?;
            }
            prop_assert!(mixer.poll_timeout() > now);
            for name in NAMES {
                if let Some(stats) = mixer.input_stats(&id(name)) {
                    prop_assert!(stats.pictures_len <= 16 && stats.frames_len <= 48_000);
                }
            }
        }
    }
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "mix"];

#[derive(Debug, Clone)]
enum Step {
    Join { who: usize, has_video: bool, is_mixed: bool },
    Leave(usize),
    Picture { who: usize, size: Size, pts: i64 },
    Samples { who: usize, pts: i64, len: usize, value: f32 },
    Undecodable(usize),
    Update(Box<MixerIntent>),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Step> {
    let who = 0..NAMES.len();
    // Mostly near the present, sometimes anywhere.
    let pts = || prop_oneof![9 => -200_000_000..200_000_000_i64, 1 => any::<i64>()];
    let size = (1..40_u32, 1..40_u32).prop_map(|(width, height)| Size { width, height });
    let value = prop_oneof![4 => -1.0..1.0_f32, 1 => any::<f32>()];
    prop_oneof![
        2 => (who.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(who, has_video, is_mixed)| Step::Join { who, has_video, is_mixed }),
        1 => who.clone().prop_map(Step::Leave),
        6 => (who.clone(), size, pts()).prop_map(|(who, size, pts)| Step::Picture { who, size, pts }),
        6 => (who.clone(), pts(), 0..5_000_usize, value)
            .prop_map(|(who, pts, len, value)| Step::Samples { who, pts, len, value }),
        1 => who.prop_map(Step::Undecodable),
        1 => intents().prop_map(|intent| Step::Update(Box::new(intent))),
        5 => (0..100_000_000_u64).prop_map(Step::Wait),
        1 => (0..100_000_000_000_u64).prop_map(Step::Wait),
    ]
}

fn intents() -> impl Strategy<Value = MixerIntent> {
    let name = || (0..NAMES.len()).prop_map(|who| id(NAMES[who]));
    let voices = prop::option::of(prop::collection::vec((name(), any::<f32>()), 0..4));
    let edge = || prop_oneof![4 => 1..100_u32, 1 => any::<u32>()];
    let scene = prop::option::of((edge(), edge(), any::<u32>(), layouts()));
    (scene, prop::option::of(voices)).prop_map(|(scene, sound)| {
        let mut intent = intent(1);
        let mut wish = intent.scene.take().expect("a scene");
        intent.scene = scene.map(|(width, height, frame_rate, layout)| {
            wish.encoding.size = Some(Size { width, height });
            wish.encoding.frame_rate = Some(frame_rate);
            wish.layout = layout;
            wish
        });
        let voice = |(publication, gain)| Voice { publication, gain };
        intent.sound = sound.map(|voices| Sound {
            voices: voices.map(|voices| voices.into_iter().map(voice).collect()),
            encoding: Default::default(),
        });
        intent
    })
}

fn layouts() -> impl Strategy<Value = Layout> {
    let sets = || prop::collection::vec(regions(), 0..4);
    let primary = prop_oneof![
        Just(Primary::First),
        Just(Primary::Publication(id("b"))),
        Just(Primary::Participant("of c".parse().expect("an id"))),
    ];
    let inputs = prop::option::of(prop::collection::vec((0..NAMES.len()).prop_map(|who| id(NAMES[who])), 0..4));
    prop_oneof![
        regions().prop_map(Layout::Regions),
        (sets(), sets(), primary, inputs, any::<bool>()).prop_map(
            |(sets, primary_sets, primary, inputs, audio_only)| {
                Layout::Table(Table { primary_sets, primary, inputs, audio_only, ..table(sets) })
            }
        ),
    ]
}

fn regions() -> impl Strategy<Value = Vec<Region>> {
    let number = || prop_oneof![4 => 0.0..1.0_f32, 1 => any::<f32>()];
    let fit = prop_oneof![Just(Fit::Stretch), Just(Fit::Crop), Just(Fit::Letterbox)];
    let who = prop::option::of((0..NAMES.len()).prop_map(|who| id(NAMES[who])));
    let region = (number(), number(), number(), number(), any::<i32>(), fit, who).prop_map(
        |(x, y, w, h, z, fit, publication)| Region { id: "r".into(), area: Area { x, y, w, h }, z, fit, publication },
    );
    prop::collection::vec(region, 0..6)
}

fn apply(mixer: &mut Mixer, step: Step, now: &mut MediaTime) {
    let at = |pts: i64| MediaTime(now.0.saturating_add(pts));
    match step {
        Step::Join { who, has_video, is_mixed } => {
            mixer.add_input(Input { has_video, is_mixed, ..input(NAMES[who]) }, *now);
        }
        Step::Leave(who) => mixer.remove_input(&id(NAMES[who])),
        Step::Picture { who, size, pts } => {
            mixer.handle_picture(&id(NAMES[who]), Picture::filled(size, [16, 128, 128]), at(pts), *now);
        }
        Step::Samples { who, pts, len, value } => {
            mixer.handle_samples(&id(NAMES[who]), at(pts), &vec![value; len], *now);
        }
        Step::Undecodable(who) => mixer.handle_undecodable(&id(NAMES[who]), "absurd"),
        Step::Update(intent) => mixer.update(&intent),
        Step::Wait(ns) => *now = *now + Duration::from_nanos(ns),
    }
}

fn check(output: &Output, last: &mut [MediaTime; 2], now: MediaTime) -> Result<(), TestCaseError> {
    let (kind, pts) = match output {
        Output::Picture(picture) => (0, picture.pts),
        Output::Samples { pts, .. } => (1, *pts),
    };
    prop_assert!(pts > last[kind] && pts <= now, "{pts:?} after {:?} at {now:?}", last[kind]);
    last[kind] = pts;
    match output {
        Output::Picture(picture) => {
            prop_assert!(picture.size.width >= 2 && picture.size.height >= 2);
            for draw in &picture.draws {
                let Rect { x, y, width, height } = draw.place;
                prop_assert!(is_inside(draw.place, picture.size), "{:?}", draw.place);
                prop_assert!([x, y, width, height].iter().all(|edge| edge % 2 == 0), "{:?}", draw.place);
                prop_assert!(is_inside(draw.crop, draw.picture.size()), "{:?} of {:?}", draw.crop, draw.picture);
            }
        }
        Output::Samples { samples, .. } => {
            prop_assert_eq!(samples.len(), 2 * BLOCK_FRAMES);
            prop_assert!(samples.iter().all(|sample| sample.abs() <= 1.0));
        }
    }
    Ok(())
}

fn is_inside(rect: Rect, size: Size) -> bool {
    let is_empty = rect.width == 0 || rect.height == 0;
    !is_empty && rect.x + rect.width <= size.width && rect.y + rect.height <= size.height
}
