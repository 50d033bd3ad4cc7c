//! Browsers in a room: what one publishes is mixed with what encoders publish, and what anybody publishes
//! plays in one.

use std::time::Duration;

use serde_json::Value;

use crate::browser::{Browser, colour, hears, stat};
use crate::ffmpeg::Ffmpeg;
use crate::probe::{Colour, Pictures, Sound, is_like};
use crate::server::Server;
use crate::stories::media_mix::{create, play_when_there, show, wait_for_regions};

const RED: Colour = [255, 0, 0];
const LIME: Colour = [0, 255, 0];
const BLUE: Colour = [0, 0, 255];
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_browser_is_mixed_with_encoders_and_leaves_no_picture_behind() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mix.flv");
    let url = server.rtmp_url("live/t5");
    assert_eq!(create(&server, &url, "640x360", None)["code"], 0);
    let _red = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/111"));
    wait_for_regions(&server, 1);
    let _blue = Ffmpeg::publish(&show("blue", 660), &server.rtmp_url("livhub/726122/222"));
    wait_for_regions(&server, 2);
    let browser = Browser::open(&format!("publish={}&canvas=lime&tone=880", whip(&server, "livhub/726122/333")));
    browser.wait_for("its media", PATIENCE, |report| stat(report, "video", "frames") > 25);
    wait_for_regions(&server, 3);
    let player = play_when_there(&url, 120, &file);
    std::thread::sleep(Duration::from_secs(4));
    drop(browser);
    wait_for_regions(&server, 2);
    std::thread::sleep(Duration::from_secs(2));
    player.finish();

    let pictures = Pictures::of(&file);
    let three = pictures.find(0, 0.25, 0.75, LIME).expect("the third has the second row");
    let at = |index: usize, x: f64, y: f64| pictures.colour(index as isize, x, y);
    assert!(is_like(at(three + 5, 0.25, 0.25), RED) && is_like(at(three + 5, 0.75, 0.25), BLUE));
    let last = pictures.colour(-1, 0.25, 0.75);
    assert!(!is_like(last, LIME), "no frozen picture is left: {last:?}");
    let sound = Sound::of(&file);
    let start = 0.04 * three as f64 + 1.0;
    for tone in [440, 660, 880] {
        let heard = sound.tone(tone, start, start + 1.0);
        assert!(heard > 0.03, "{tone} Hz at {heard}");
    }
}

#[test]
fn a_browser_plays_an_encoder_and_another_browser() {
    let server = Server::start();
    let _red = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/111"));
    // x264 as it comes: pictures refer to B pictures.
    let _blue = Ffmpeg::publish_with(
        &show("blue", 660),
        &["-preset", "veryfast", "-bf", "3", "-g", "50"],
        &server.rtmp_url("livhub/726122/222"),
    );
    let publisher = Browser::open(&format!("publish={}&canvas=lime&tone=880", whip(&server, "livhub/726122/333")));
    publisher.wait_for("its media", PATIENCE, |report| stat(report, "video", "frames") > 10);
    for (what, address, tone, want) in [
        ("an encoder", "livhub/726122/111", 440, RED),
        ("an encoder with B pictures", "livhub/726122/222", 660, BLUE),
        ("a browser", "livhub/726122/333", 880, LIME),
    ] {
        let viewer = Browser::open(&format!("play={}", whep(&server, address)));
        viewer.wait_for(what, PATIENCE, |report| is_like(colour(report, 0), want) && hears(report, tone));
        let first = viewer.wait_for(what, PATIENCE, |report| frames(report) > 50);
        let later = viewer.wait_for(what, PATIENCE, |report| frames(report) > frames(&first) + 50);
        assert_eq!(stat(&later, "video", "lost"), 0, "{what}: {later}");
    }
}

fn frames(report: &Value) -> u64 {
    stat(report, "video", "frames")
}

fn whip(server: &Server, address: &str) -> String {
    format!("http://{}/whip/{address}", server.http())
}

fn whep(server: &Server, address: &str) -> String {
    format!("http://{}/whep/{address}", server.http())
}
