//! A plugin that misbehaves costs its own call and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ffmpeg::Ffmpeg;
use crate::probe::{Pictures, is_like};
use crate::server::{Server, call, pingos_with, rogue};
use crate::stories::media_mix::{create, play_when_there, show};
use crate::stories::media_play::assert_times_grow;

#[test]
fn publishers_pushes_and_other_plugins_do_not_notice_a_rogue_one() {
    for instances in ["fresh", "reuse"] {
        beside_a_rogue_one(instances);
    }
}

/// How it misbehaves, the status of the host's answer, and under which causes it may be counted.
const WAYS: [(&str, u16, &[&str]); 8] = [
    ("trap", 500, &["trap"]),
    ("loop", 504, &["cpu"]),
    ("grow", 500, &["memory"]),
    ("flood", 504, &["cpu"]),
    ("talk", 500, &["host-call"]),
    ("talk-more", 500, &["memory"]),
    // A broken heap may trap, loop or ask for too much.
    ("corrupt", 500, &["trap", "cpu", "memory"]),
    ("nothing", 200, &[]),
];

fn beside_a_rogue_one(instances: &str) {
    let server = Server::with(&format!("{}{}", pingos_with(instances, ""), rogue("bad", instances)));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mix.flv");
    let url = server.rtmp_url("live/t5");
    let _red = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/111"));
    assert_eq!(create(&server, &url, "320x180", None)["code"], 0);
    let player = play_when_there(&url, 60, &file);
    std::thread::sleep(Duration::from_secs(1));

    for round in 0..3 {
        for (how, status, causes) in WAYS {
            let before = faults(&server);
            let answer = server.call("GET", &format!("/bad/rogue/{how}"), "");
            let is_expected = answer.status == status || (how == "corrupt" && answer.status == 504);
            assert!(is_expected, "{how} in round {round}: {answer:?}");
            let key = if status == 200 { "rogue" } else { "fault" };
            let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            assert!(body[key].is_string(), "{how}: in the plugin's own shape: {answer:?}");
            let after = faults(&server);
            let counted: Vec<&str> = after
                .iter()
                .filter(|(cause, count)| before.get(*cause) != Some(count))
                .map(|(cause, _)| cause.as_str())
                .collect();
            let one_of = |counted: &[&str]| matches!(counted, [cause] if causes.contains(cause));
            assert!(one_of(&counted) || (causes.is_empty() && counted.is_empty()), "{how}: counted as {counted:?}");
            let told = causes.is_empty() || counted.iter().all(|cause| server.log().contains(cause));
            assert!(told, "{how}: the operator reads the cause");
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

/// Calls of the rogue that ended in a fault, by cause.
fn faults(server: &Server) -> BTreeMap<String, String> {
    let text = call(server.admin(), "GET", "/metrics", &[], b"").body;
    let lines = text.lines().filter_map(|line| line.strip_prefix("heliu_plugin_faults_total{plugin=\"bad\",cause=\""));
    let counts = lines.filter_map(|line| line.split_once("\"} "));
    counts.map(|(cause, count)| (cause.to_owned(), count.to_owned())).collect()
}
