//! A plugin that misbehaves costs its own call and nothing else.

use std::time::Duration;

use crate::ffmpeg::Ffmpeg;
use crate::probe::{Pictures, is_like};
use crate::server::{Server, component, pingos};
use crate::stories::media_mix::{create, play_when_there, show};
use crate::stories::media_play::assert_times_grow;

#[test]
fn publishers_pushes_and_other_plugins_do_not_notice_a_rogue_one() {
    let rogue = format!("[plugins.rogue]\ncomponent = \"{}\"\n", component("rogue").display());
    let server = Server::with(&format!("{}{rogue}", pingos("")));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mix.flv");
    let url = server.rtmp_url("live/t5");
    let _red = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/111"));
    assert_eq!(create(&server, &url, "320x180", None)["code"], 0);
    let player = play_when_there(&url, 60, &file);
    std::thread::sleep(Duration::from_secs(1));

    for round in 0..3 {
        for (how, status) in [("trap", 500), ("loop", 504), ("grow", 500), ("nothing", 200)] {
            let answer = server.call("GET", &format!("/rogue/{how}"), "");
            assert_eq!(answer.status, status, "{how} in round {round}: {answer:?}");
            let key = if status == 200 { "rogue" } else { "fault" };
            let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            assert!(body[key].is_string(), "{how}: in the plugin's own shape: {answer:?}");
            assert_eq!(server.json("GET", "/mixer/living", "")["code"], 0, "the good one answers");
        }
    }
    std::thread::sleep(Duration::from_secs(1));
    player.finish();
    let pictures = Pictures::of(&file);
    assert!(is_like(pictures.colour(-1, 0.5, 0.5), [255, 0, 0]), "{:?}", pictures.colour(-1, 0.5, 0.5));
    assert_times_grow(&file);
    assert!(server.log().contains("as ordered"), "the operator reads why: {}", server.log());
}
