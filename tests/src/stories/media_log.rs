//! The log as a machine reads it: what lives and dies has one line each, and no key is in it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::ffmpeg::Ffmpeg;
use crate::server::{Server, pingos, wait_for};
use crate::stories::media_mix::{create, play_when_there, show};

#[test]
fn each_life_event_is_one_line_with_its_names() {
    let plugin = pingos("config = { plain_publish = false }");
    let server = Server::with(&format!("{plugin}[log]\nformat = \"json\"\n"));
    let folder = tempfile::tempdir().unwrap();
    let _refused = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("live/cam?key=hunter2"));
    wait_for_line(&server, "client refused", "address", "live/cam");
    let camera = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/111?key=hunter2"));
    wait_for_line(&server, "publication started", "address", "livhub/726122/111");
    let output = server.rtmp_url("live/t5");
    assert_eq!(create(&server, &format!("{output}?token=hunter2"), "320x180", None)["code"], 0);
    let player = play_when_there(&output, 60, &folder.path().join("mix.flv"));
    assert_eq!(server.json("DELETE", "/mixer/living/1", "")["code"], 0);
    wait_for_line(&server, "publication ended", "address", "live/t5");
    camera.finish();
    wait_for_line(&server, "publication ended", "address", "livhub/726122/111");
    drop(player);

    let lines = lines(&server);
    let told = |name: &str, value: &str| -> Vec<String> {
        let its = lines.iter().filter(|line| line["fields"][name] == value);
        let messages = its.filter_map(|line| line["fields"]["message"].as_str());
        // On a busy machine anything may pause for two seconds.
        messages.filter(|message| !message.ends_with("stalled")).map(str::to_owned).collect()
    };
    assert_eq!(told("address", "live/cam"), ["client refused"]);
    assert_eq!(told("address", "livhub/726122/111"), ["client admitted", "publication started", "publication ended"]);
    let of_output: Vec<_> =
        told("address", "live/t5").into_iter().filter(|message| message != "client admitted").collect();
    assert_eq!(of_output, ["publication started", "publication ended"]);
    let only = |noun: &str| {
        let mut ids: Vec<&Value> = lines.iter().map(|line| &line["fields"][noun]).filter(|id| id.is_string()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "{noun}: {ids:?}");
        told(noun, ids[0].as_str().expect("filtered"))
    };
    assert_eq!(only("mixer"), ["mixer started", "layout changed", "mixer stopped"]);
    assert_eq!(only("egress"), ["egress running", "egress stopped"]);

    let ended = find(&lines, "publication ended", "address", "livhub/726122/111").expect("it was waited for");
    let fields = &ended["fields"];
    assert_eq!((&fields["publication"], &fields["cause"]), (&json!("111"), &json!("left")));
    assert!(fields["room"].as_str().is_some_and(|room| room.starts_with("pingos/")), "{ended}");
    let refused = find(&lines, "client refused", "address", "live/cam").expect("it was waited for");
    assert_eq!(refused["fields"]["cause"], "plain streams are closed to publishers");
    assert!(!server.log().contains("hunter2"), "{}", server.log());
}

fn wait_for_line(server: &Server, message: &str, name: &str, value: &str) {
    wait_for(message, Duration::from_secs(60), || find(&lines(server), message, name, value).map(|_| ()));
}

fn find<'a>(lines: &'a [Value], message: &str, name: &str, value: &str) -> Option<&'a Value> {
    lines.iter().find(|line| line["fields"]["message"] == message && line["fields"][name] == value)
}

/// The last line may be half written.
fn lines(server: &Server) -> Vec<Value> {
    server.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
