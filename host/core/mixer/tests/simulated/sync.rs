//! Picture and sound of an input stay together, and its queues bounded, whatever its clock and way do.

use std::ops::Range;
use std::time::Duration;

use heliu_model::MediaTime;
use heliu_sim::{Drift, FlashBeep, Link};

use crate::story::{Story, intent, straight};

const SECOND: Duration = Duration::from_secs(1);
const SKEW_MS_MAX: f64 = 40.0;

#[test]
fn an_hour_with_a_fast_clock_stays_in_sync() {
    an_hour(500);
}

#[test]
fn an_hour_with_a_slow_clock_stays_in_sync() {
    an_hour(-500);
}

#[test]
fn jitter_of_the_way_is_absorbed() {
    for (what, jitter, drops_sound) in [("20 ms", 20, false), ("100 ms", 100, true), ("300 ms", 300, true)] {
        let mut story = Story::new(&intent(1));
        story.publish("a", 0, Link::new(Duration::from_millis(30), 7).jitter(Duration::from_millis(jitter)));
        story.run_for(SECOND * 20);
        let learned = story.mixer.stats().frames_concealed;
        assert!(drops_sound || learned == 0, "{what}: {learned} frames concealed while learning");
        story.run_for(SECOND * 40);
        assert_eq!(story.mixer.stats().frames_concealed, learned, "{what}");
        in_sync(&story, 20..60, what);
    }
}

#[test]
fn sound_waits_for_pictures_that_are_decoded_slowly() {
    for (lag, jitter) in [(30, 10), (120, 60), (300, 100)] {
        let mut story = Story::new(&intent(1));
        story.publish("a", -200, straight());
        let decoder = Link::new(Duration::from_millis(lag), 11).jitter(Duration::from_millis(jitter));
        story.publishers[0].decoder = decoder;
        story.run_for(SECOND * 60);
        in_sync(&story, 20..60, &format!("{lag} ms"));
        assert!(story.mixer.stats().frames_concealed < 48_000 / 2, "{:?}", story.mixer.stats());
    }
}

#[test]
fn pictures_far_behind_do_not_hold_up_the_sound() {
    let mut story = Story::new(&intent(1));
    let id = story.publish("a", 0, straight());
    story.publishers[0].decoder = Link::new(SECOND * 2, 1);
    story.run_for(SECOND * 30);
    assert_eq!(story.mixer.input_stats(&id).map(|stats| stats.delay), Some(Duration::from_millis(80)));
    assert_eq!((story.beeps.len(), story.mixer.stats().frames_concealed), (30, 0));
    assert!(story.flashes.len() > 25, "pictures go on, late as they are");
}

#[test]
fn a_stalled_input_keeps_its_picture_and_comes_back_in_sync() {
    let mut story = Story::new(&intent(1));
    let id = story.publish("a", 100, straight());
    story.run_for(SECOND * 5);
    story.publishers[0].is_stalled = true;
    story.run_for(SECOND * 30);

    let picture = story.last_picture.as_ref().expect("ticks go on");
    assert_eq!(picture.draws.len(), 1, "the last picture stays");
    assert_eq!(story.mixer.input_stats(&id).map(|stats| (stats.pictures_len, stats.frames_len)), Some((0, 0)));
    let concealed = story.mixer.stats().frames_concealed / 48;
    assert!((29_800..30_000).contains(&concealed), "{concealed} ms");

    story.publishers[0].is_stalled = false;
    let back = story.clock.now();
    story.run_for(SECOND * 10);
    in_sync(&story, 36..45, "after the stall");
    assert!(story.beeps.iter().any(|beep| beep.since(back) < SECOND * 2));
}

#[test]
fn what_piles_up_on_an_interrupted_way_is_made_up_for() {
    for millis in [200, 600, 3_000, 20_000] {
        let mut story = Story::new(&intent(1));
        story.publish("a", 0, straight());
        story.run_for(SECOND * 5);
        let until = story.clock.now() + Duration::from_millis(millis);
        story.publishers[0].link.hold(until);
        story.run_for(Duration::from_millis(millis) + SECOND * 30);
        let from = (millis / 1000 + 8) as i64;
        in_sync(&story, from..from + 25, &format!("{millis} ms"));
        bounded(&story);
    }
}

#[test]
fn a_jump_in_time_is_a_new_anchor() {
    let day = Duration::from_secs(86_400);
    for jump in [Duration::from_millis(300), SECOND, day] {
        let mut story = Story::new(&intent(1));
        story.publish("a", 0, straight());
        story.run_for(SECOND * 5);
        story.publishers[0].jump = jump;
        story.run_for(SECOND * 20);
        story.publishers[0].jump = Duration::ZERO;
        story.run_for(SECOND * 20);
        in_sync(&story, 7..25, &format!("{jump:?} forth"));
        in_sync(&story, 27..45, &format!("{jump:?} and back"));
        bounded(&story);
    }
}

#[test]
fn an_input_at_sixty_a_second_stays_in_sync() {
    let mut story = Story::new(&intent(1));
    let clock = Drift { since: MediaTime::ZERO, ppm: 300 };
    story.publish_source(
        "a",
        FlashBeep::new(clock, 60, SECOND),
        Link::new(Duration::ZERO, 3).jitter(Duration::from_millis(60)),
    );
    story.run_for(SECOND * 60);
    in_sync(&story, 2..60, "60 per second");
}

#[test]
fn a_first_picture_is_in_the_mix_within_three_hundred_milliseconds() {
    for delay_of_sound in [0, 250, 1_000] {
        let mut story = Story::new(&intent(2));
        story.run_for(SECOND);
        story.publish("a", 0, Link::new(Duration::from_millis(delay_of_sound), 1).jitter(Duration::from_millis(200)));
        story.run_for(Duration::from_millis(delay_of_sound + 200 + 300));
        assert!(story.last_picture.as_ref().is_some_and(|picture| picture.draws.len() == 1), "{delay_of_sound}");
    }
}

fn an_hour(ppm: i32) {
    let mut story = Story::new(&intent(1));
    let source = FlashBeep::new(Drift { since: MediaTime::ZERO, ppm }, 25, SECOND * 4);
    story.publish_source("a", source, Link::new(Duration::from_millis(40), 5).jitter(Duration::from_millis(30)));
    story.run_for(SECOND * 3_600);
    let skews = story.skews(1..3_600);
    assert!(skews.len() >= 898, "{} flashes", skews.len());
    assert!(skews.iter().all(|skew| skew.abs() <= SKEW_MS_MAX), "{skews:?}");
    bounded(&story);
    let stats = story.mixer.stats();
    assert_eq!((stats.frames_concealed, stats.pictures_hurried, stats.reanchors), (0, 0, 0), "{stats:?}");
    assert_eq!((stats.pictures, stats.ticks_skipped, stats.blocks), (90_001, 0, 168_751));
}

fn bounded(story: &Story) {
    let (pictures, frames) = story.longest_queue;
    assert!(pictures <= 16 && frames <= 48_000, "{pictures} pictures, {frames} frames");
}

/// In each of these seconds, but for one lost to the mix's delay, a flash came out, and with its beep.
fn in_sync(story: &Story, seconds: Range<i64>, what: &str) {
    let skews = story.skews(seconds.clone());
    assert!(skews.len() + 1 >= seconds.count(), "{what}: {} flashes", skews.len());
    let apart: Vec<_> = skews.iter().enumerate().filter(|(_, skew)| skew.abs() > SKEW_MS_MAX).collect();
    assert!(apart.is_empty(), "{what}: of {} flashes apart: {apart:.0?}", skews.len());
}
