//! The data directory's disk fills up while a mix runs.

use std::time::Duration;

use serde_json::{Value, json};

use crate::ffmpeg::Ffmpeg;
use crate::probe::{Pictures, is_like};
use crate::server::{Server, pingos, wait_for};
use crate::stories::media_mix::{create, play_when_there, show};
use crate::stories::media_play::assert_times_grow;

/// Room for the store of a few tasks, and little to fill.
const DISK_KIB: u32 = 12 << 10;

#[test]
fn a_full_disk_refuses_what_writes_and_nothing_else() {
    let limits = "[limits]\nmixers_max = 64\n";
    let Some(mut server) = Server::on_small_disk(&format!("{}{limits}", pingos("")), DISK_KIB) else {
        assert!(
            std::env::var_os("HELIU_TEST_DISK").is_none(),
            "HELIU_TEST_DISK is set, and this machine lets no test mount a disk of its own (unshare --user --mount)"
        );
        println!("SKIPPED, NOTHING WAS TESTED: this machine lets no test mount a disk of its own");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mix.flv");
    let url = server.rtmp_url("live/t5");
    let _red = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/111"));
    assert_eq!(create(&server, &url, "320x180", None)["code"], 0);
    let player = play_when_there(&url, 60, &file);

    let (mut accepted, mut refused) = (1, 0);
    server.disk().fill();
    for number in 0..40 {
        let answer = order(&server, number);
        match answer["code"].as_i64() {
            // Room inside the file is still room.
            Some(0) => accepted += 1,
            Some(_) => refused += 1,
            None => panic!("not in the vendor's shape: {answer}"),
        }
        assert!(answer["message"].is_string(), "in the vendor's shape: {answer}");
        // A reader may meet the moment in which the store is opened again.
        let listed = wait_for("what reads", Duration::from_secs(60), || {
            Some(server.json("GET", "/mixer/living", "")).filter(|listed| listed["code"] == 0)
        });
        assert_eq!(tasks(&listed), accepted, "what was refused is not there: {listed}");
        if refused == 5 {
            break;
        }
    }
    assert!(refused > 0, "the disk is full, {accepted} were accepted");
    // Media asks nobody's disk: a second player comes, the first one goes on.
    let other = folder.path().join("other.flv");
    play_when_there(&url, 25, &other).finish();
    assert!(server.log().contains("store cannot be written"), "{}", server.log());

    server.disk().free();
    wait_for("the service", Duration::from_secs(60), || (order(&server, 100)["code"] == 0).then_some(()));
    accepted += 1;
    assert_eq!(tasks(&server.json("GET", "/mixer/living", "")), accepted);
    player.finish();
    for file in [&file, &other] {
        let pictures = Pictures::of(file);
        assert!(is_like(pictures.colour(-1, 0.5, 0.5), [255, 0, 0]), "{:?}", pictures.colour(-1, 0.5, 0.5));
        assert_times_grow(file);
    }
    server.kill();
    server.start_again();
    assert_eq!(tasks(&server.json("GET", "/mixer/living", "")), accepted, "all that was acknowledged");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// A task that writes some, for media that nobody sends.
fn order(server: &Server, number: u32) -> Value {
    let outputs: Vec<String> = (0..4).map(|at| server.rtmp_url(&format!("live/{number}-{at}"))).collect();
    let body = json!({
        "channel": {"appId": "livhub", "channelId": format!("none-{number}")}, "outputs": outputs, "resolution": "160x90"
    });
    server.json("POST", "/mixer/living", &body.to_string())
}

fn tasks(listed: &Value) -> usize {
    listed["data"]["list"].as_array().map_or(0, Vec::len)
}
