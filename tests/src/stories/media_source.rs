//! The operator's own source is there without an encoder: played as it is, and as a part of a mix.

use std::time::Duration;

use serde_json::{Value, json};

use crate::ffmpeg::Ffmpeg;
use crate::probe::{Colour, Pictures, Sound, is_like};
use crate::server::{Server, pingos, wait_for};
use crate::stories::media_mix::{create, play_when_there, show};
use crate::stories::media_play::assert_times_grow;
use crate::stories::media_probe::{rgb, run};

/// The bars' colours as `examples/heliu.toml` promises them: at 75 %.
const BARS: [Colour; 8] =
    [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191], [0, 0, 0]];

#[test]
fn a_source_of_the_operator_is_played_and_mixed_like_any_publisher() {
    let server = with_source("livhub/726122/bars", "test:bars?size=320x180&tone=660&text=heliu");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bars.flv");
    let mut player = play_when_there(&server.rtmp_url("livhub/726122/bars"), 4, &file);
    assert!(player.wait(Duration::from_secs(60)), "the player ends by itself");

    let pictures = Pictures::of(&file);
    assert_eq!((pictures.width, pictures.height), (320, 180));
    for (bar, want) in BARS.into_iter().enumerate() {
        let got = pictures.colour(-1, (bar as f64 + 0.5) / 8.0, 0.4);
        assert!(is_close(got, want), "bar {bar}: {got:?}");
    }
    let sound = Sound::of(&file);
    let heard = sound.tone(660, 0.5, 2.5);
    // A quarter of full scale left and right, which the referee adds up as powers.
    assert!((0.32..0.39).contains(&heard), "{heard}");
    assert!(sound.tone(1_320, 0.5, 2.5) < 0.005, "and nothing else");
    assert_clock_runs(&pictures);
    assert_times_grow(&file);

    let mixed = folder.path().join("mix.flv");
    let url = server.rtmp_url("live/t5");
    assert_eq!(create(&server, &url, "640x360", None)["code"], 0);
    let player = play_when_there(&url, 60, &mixed);
    wait_for("the layout", Duration::from_secs(60), || server.log().contains("layout changed").then_some(()));
    std::thread::sleep(Duration::from_secs(3));
    player.finish();
    let pictures = Pictures::of(&mixed);
    let [yellow, blue] = [1.5, 6.5].map(|bar| pictures.colour(-1, bar / 8.0, 0.4));
    assert!(is_like(yellow, BARS[1]) && is_like(blue, BARS[6]), "{yellow:?} {blue:?}");
    assert!(Sound::of(&mixed).tone(660, 1.0, 2.0) > 0.1, "its tone is in the mix");
}

#[test]
fn a_source_gives_way_to_a_publisher_and_comes_back_after_it() {
    let server = with_source("livhub/7/cam", "test:bars?size=160x96");
    started(&server, 1);
    let publisher = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/7/cam"));
    wait_for("the source's end", Duration::from_secs(60), || {
        server.log().contains("another publisher took the name").then_some(())
    });
    wait_for("a refusal", Duration::from_secs(60), || server.log().contains("publication is taken").then_some(()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("played.flv");
    assert!(Ffmpeg::record(&server.rtmp_url("livhub/7/cam"), 1, &file).wait(Duration::from_secs(60)));
    assert!(is_like(Pictures::of(&file).colour(-1, 0.5, 0.5), [255, 0, 0]), "the publisher is not disturbed");
    drop(publisher);
    let _ = std::fs::remove_file(&file);
    let mut player = play_when_there(&server.rtmp_url("livhub/7/cam"), 1, &file);
    assert!(player.wait(Duration::from_secs(60)));
    let back = Pictures::of(&file).colour(-1, 1.5 / 8.0, 0.3);
    assert!(is_like(back, BARS[1]), "the source is back: {back:?}");
}

#[test]
fn without_an_encoder_the_probe_sees_and_hears_what_a_source_makes() {
    let server = with_source("livhub/7/bars", "test:bars?size=320x180&tone=1000");
    started(&server, 1);
    let url = server.rtmp_url("livhub/7/bars");
    let bars: Vec<String> = (0..8).map(|bar| format!("--at={},0.4", (f64::from(bar) + 0.5) / 8.0)).collect();
    let arguments: Vec<&str> = [url.as_str()].into_iter().chain(bars.iter().map(String::as_str)).collect();
    let (code, told, words) = run(&arguments);
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(told["end"], "enough", "{told}");
    assert_by_http(&server, &told);
    let video = &told["video"];
    for (key, want) in [("width", json!(320)), ("height", json!(180)), ("profile", json!("Constrained Baseline"))] {
        assert_eq!(video[key], want, "{key}");
    }
    assert_eq!((&video["keyframes"]["is_first"], &video["b_pictures"]), (&json!(true), &json!(0)), "{video}");
    assert!(video["frame_rate"].as_f64().is_some_and(|rate| (20.0..=26.0).contains(&rate)), "{video}");
    assert!(told["first_picture_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{told}");
    let colours = video["colours"].as_array().unwrap();
    for (bar, want) in BARS.into_iter().enumerate() {
        // Behind the grid of nine.
        let got = rgb(&colours[9 + bar]["last"]);
        assert!(is_close(got, want), "bar {bar}: {got:?}");
    }
    let frozen: i64 = video["freezes"].as_array().unwrap().iter().filter_map(|span| span["ms"].as_i64()).sum();
    assert!(frozen < 1_000, "a busy machine drops ticks, but the clock runs: {video}");
    let tone = &told["audio"]["tones"][0];
    let near = |key: &str, want: f64, by: f64| tone[key].as_f64().is_some_and(|value| (value - want).abs() < by);
    assert!(near("hz", 1_000.0, 1.0) && near("dbfs", -12.0, 1.0), "{tone}");
    assert_eq!(told["sync"], Value::Null);
}

#[test]
fn flash_and_beep_of_a_source_leave_it_together() {
    let server = with_source("livhub/7/bars", "test:bars?size=320x180&tone=1000&flash=true");
    started(&server, 1);
    let (code, told, words) = run(&[&server.rtmp_url("livhub/7/bars")]);
    assert_eq!(code, Some(0), "{words}");
    assert!(told["audio"]["silences"].as_array().unwrap().len() >= 3, "between the beeps: {told}");
    let sync = &told["sync"];
    assert!(sync["pairs"].as_u64() >= Some(3), "{sync}");
    assert!(sync["offset_ms"]["median"].as_i64().is_some_and(|offset| offset.abs() <= 25), "{sync}");
}

fn with_source(address: &str, url: &str) -> Server {
    let source = format!("[[source]]\naddress = \"{address}\"\nurl = \"{url}\"\n");
    Server::with(&(pingos("") + &source))
}

/// FLV over HTTP is the same stream.
fn assert_by_http(server: &Server, by_rtmp: &Value) {
    let (code, told, words) = run(&[&format!("http://{}/livhub/7/bars.flv", server.http()), "--seconds", "2"]);
    assert_eq!(code, Some(0), "{words}");
    for key in ["codec", "profile", "level", "width", "height", "declared_frame_rate"] {
        assert_eq!(told["video"][key], by_rtmp["video"][key], "{key}");
    }
    assert_eq!(told["audio"]["sample_rate"], by_rtmp["audio"]["sample_rate"]);
    let (code, _, words) = run(&[&format!("http://{}/livhub/a/b/c.flv", server.http())]);
    assert!(code == Some(1) && words.contains("status 40"), "nobody may play there: {words}");
}

fn started(server: &Server, count: usize) {
    wait_for("the source", Duration::from_secs(60), || {
        (server.log().matches("publication started").count() >= count).then_some(())
    });
}

/// The block below the bars crosses the picture in four seconds: within one it has moved.
fn assert_clock_runs(pictures: &Pictures) {
    let white_at = |index: usize| {
        (0..40).map(|column| (f64::from(column) + 0.5) / 40.0).find(|&x| {
            let colour = pictures.colour(index as isize, x, 0.97);
            is_like(colour, [255, 255, 255])
        })
    };
    let places: Vec<_> = (0..pictures.len()).step_by(25).map(white_at).collect();
    assert!(places.len() >= 3 && places.windows(2).all(|pair| pair[0] != pair[1]), "{places:?}");
}

/// What coding at this rate leaves of a flat colour.
fn is_close(one: Colour, other: Colour) -> bool {
    one.iter().zip(other).all(|(&a, b)| a.abs_diff(b) <= 6)
}
