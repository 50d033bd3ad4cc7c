//! A REST client orders a mix of live publishers and plays it from an address of ours.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::ffmpeg::{Ffmpeg, Show};
use crate::probe::{Colour, Pictures, Sound, is_like, packets};
use crate::server::{Server, wait_for};
use crate::stories::media_play::assert_times_grow;

const RED: Colour = [255, 0, 0];
const BLUE: Colour = [0, 0, 255];
const BLACK: Colour = [0, 0, 0];

#[test]
fn two_publishers_become_one_picture_and_one_sound() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mix.flv");
    let url = server.rtmp_url("live/t5");
    assert_eq!(create(&server, &url, "640x360", None)["code"], 0);
    // The output is there while the channel is empty: black and silence.
    let player = play_when_there(&url, 60, &file);
    let _red = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/111"));
    wait_for_regions(&server, 1);
    std::thread::sleep(Duration::from_secs(2));
    let blue = Ffmpeg::publish(&show("blue", 880), &server.rtmp_url("livhub/726122/222"));
    wait_for_regions(&server, 2);
    std::thread::sleep(Duration::from_secs(3));
    blue.finish();
    std::thread::sleep(Duration::from_secs(3));
    player.finish();

    let pictures = Pictures::of(&file);
    assert_eq!((pictures.width, pictures.height), (640, 360));
    let at = |index: usize, x: f64| pictures.colour(index as isize, x, 0.5);
    assert!(is_like(at(0, 0.25), BLACK) && is_like(at(0, 0.75), BLACK), "{:?}", at(0, 0.25));
    let alone = pictures.find(0, 0.75, 0.5, RED).expect("one publisher fills the canvas");
    let both = pictures.find(alone, 0.75, 0.5, BLUE).expect("two publishers share it");
    assert!(is_like(at(both + 5, 0.25), RED), "{:?}", at(both + 5, 0.25));
    let again = pictures.find(both, 0.75, 0.5, RED).expect("the one that stays fills it again");
    assert!(again > both);
    let sound = Sound::of(&file);
    let start = 0.04 * both as f64 + 1.0;
    let [low, high] = [440, 880].map(|hertz| sound.tone(hertz, start, start + 1.0));
    assert!(low > 0.3 && high > 0.3, "{low} and {high}");
    assert!((20.0 * (low / high).log10()).abs() < 1.0, "equally loud: {low} and {high}");
    // Two full-scale tones that clip would make others: their sum and their multiples.
    for other in [1_320, 2_200, 2_640] {
        let heard = sound.tone(other, start, start + 1.0);
        assert!(heard < 0.03, "{other} Hz at {heard}");
    }
    assert_times_grow(&file);
    assert_no_gap(&file);
}

#[test]
fn the_main_endpoint_gets_the_large_picture_when_it_comes() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mix.flv");
    let url = server.rtmp_url("live/t5");
    let _side = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/222"));
    assert_eq!(create(&server, &url, "640x360", Some("111"))["code"], 0);
    wait_for_regions(&server, 1);
    let player = play_when_there(&url, 60, &file);
    std::thread::sleep(Duration::from_secs(2));
    let _main = Ffmpeg::publish(&show("blue", 880), &server.rtmp_url("livhub/726122/111"));
    wait_for_regions(&server, 2);
    std::thread::sleep(Duration::from_secs(3));
    player.finish();

    let pictures = Pictures::of(&file);
    for (what, x, y, want) in [
        ("the main takes three quarters", 0.375, 0.5, BLUE),
        ("the other the first place of the column", 0.875, 0.125, RED),
        ("the rest of the column is background", 0.875, 0.6, BLACK),
    ] {
        let got = pictures.colour(-1, x, y);
        assert!(is_like(got, want), "{what}: {got:?}");
    }
}

#[test]
fn publishers_the_decoder_cannot_read_or_that_change_do_not_stop_the_mix() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mix.flv");
    let url = server.rtmp_url("live/t5");
    let first = show("red", 440);
    let _good = Ffmpeg::publish(&first, &server.rtmp_url("livhub/726122/a"));
    wait_for_publications(&server, 1);
    let strange = Show { size: "322x242", colour: Some("blue"), tone: None, ..Show::default() };
    let _undecodable = Ffmpeg::publish_with(&strange, &["-pix_fmt", "yuv444p"], &server.rtmp_url("livhub/726122/b"));
    wait_for_publications(&server, 2);
    assert_eq!(create(&server, &url, "640x360", None)["code"], 0);
    let player = play_when_there(&url, 60, &file);
    std::thread::sleep(Duration::from_secs(3));
    // The same endpoint again, with another size: no reconnect at the output.
    let larger = Show { size: "640x480", colour: Some("lime"), ..first };
    let _larger = Ffmpeg::publish(&larger, &server.rtmp_url("livhub/726122/a"));
    std::thread::sleep(Duration::from_secs(5));
    player.finish();

    let pictures = Pictures::of(&file);
    assert!(pictures.find(0, 0.25, 0.5, RED).is_some(), "the decodable one is seen");
    let last = pictures.colour(-1, 0.25, 0.5);
    assert!(is_like(last, [0, 255, 0]), "its successor, too: {last:?}");
    assert!(is_like(pictures.colour(-1, 0.75, 0.5), BLACK), "the other keeps its place as background");
    assert_times_grow(&file);
    assert_no_gap(&file);
}

#[test]
fn after_kill_9_the_mix_comes_back_by_itself() {
    let mut server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mix.flv");
    let url = server.rtmp_url("live/t5");
    let created = create(&server, &url, "640x360", None);
    assert_eq!(created["data"]["id"], "1");
    server.kill();
    server.start_again();
    let listed = server.json("GET", "/mixer/living", "");
    assert_eq!(listed["data"]["list"][0]["id"], "1", "{listed}");
    let _red = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/111"));
    wait_for_regions(&server, 1);
    let player = play_when_there(&url, 60, &file);
    std::thread::sleep(Duration::from_secs(3));
    player.finish();
    let pictures = Pictures::of(&file);
    assert!(pictures.find(0, 0.5, 0.5, RED).is_some(), "no client called anything");
    let duplicate = create(&server, &url, "640x360", None);
    assert_eq!(duplicate["code"], 1, "{duplicate}");
    assert_eq!(server.json("DELETE", "/mixer/living/1", ""), json!({"code": 0, "message": "ok", "data": {}}));
    assert_eq!(create(&server, &url, "640x360", None)["data"]["id"], "2", "ids are never used again");
}

/// Orders a mix of channel 726122 of app `livhub`.
pub fn create(server: &Server, output: &str, resolution: &str, main: Option<&str>) -> Value {
    let mut body = json!({
        "channel": {"appId": "livhub", "channelId": "726122"},
        "outputs": [output],
        "resolution": resolution
    });
    if let Some(main) = main {
        body["main_endpoint"] = main.into();
    }
    server.json("POST", "/mixer/living", &body.to_string())
}

pub fn show(colour: &'static str, tone: u32) -> Show<'static> {
    Show { colour: Some(colour), tone: Some(tone), ..Show::default() }
}

/// A player that may have to try again: the output is there within a second or two.
pub fn play_when_there(url: &str, seconds: u32, file: &Path) -> Ffmpeg {
    wait_for("the output", Duration::from_secs(60), || {
        let mut player = Ffmpeg::record(url, seconds, file);
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(100));
            if file.metadata().is_ok_and(|metadata| metadata.len() > 500) {
                return Some(player);
            }
            if !player.is_running() {
                return None;
            }
        }
        None
    })
}

/// Until so many inputs have a place; the log tells each change.
pub fn wait_for_regions(server: &Server, count: usize) {
    wait_for("the layout", Duration::from_secs(60), || {
        server
            .log()
            .lines()
            .rev()
            .find(|line| line.contains("layout changed"))
            .is_some_and(|line| line.contains(&format!("inputs={count}")))
            .then_some(())
    });
}

fn wait_for_publications(server: &Server, count: usize) {
    wait_for("publications", Duration::from_secs(60), || {
        (server.log().matches("publication started").count() >= count).then_some(())
    });
}

/// A reconnect or a black-out would show. Ten times the bound of two pictures, because a busy machine
/// drops ticks; the bound itself is tested in `heliu-media`, in simulated time through codecs and push.
pub fn assert_no_gap(file: &Path) {
    let times: Vec<f64> =
        packets(file).into_iter().filter(|packet| packet.kind == "video").map(|packet| packet.dts).collect();
    let longest = times.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
    assert!(longest <= 0.81, "a gap of {longest} s");
}
