//! Calls and answers, and the wishes behind them.

use std::fmt::Write as _;

use heliu_pingos::plugin;
use heliu_sdk::Noun;
use heliu_sdk::fake::{FakeHost, Story};
use heliu_sdk::status::State;
use serde_json::{Value, json};

const OWN: &str = "media.example";

#[test]
fn every_row_of_the_table_is_answered_as_written() {
    let stories = Story::read(include_str!("../../cases/living.json"), OWN).unwrap();
    assert!(stories.len() >= 7);
    for story in stories {
        story.run_on_fake_host(plugin, OWN);
    }
}

#[test]
fn a_task_is_a_mixer_and_its_pushes() {
    let mut host = FakeHost::new(plugin).own_authority(OWN);
    create(&mut host, &["rtmp://a.example/live/x", "rtmp://media.example/live/t5"]);

    let mixer = &host.mixers()["1"];
    let scene = mixer.scene.as_ref().unwrap();
    let size = scene.encoding.size.unwrap();
    assert_eq!((mixer.room.as_str(), mixer.publication.as_str()), ("livhub/726122", "mix:1"));
    assert_eq!((size.width, size.height, scene.encoding.frame_rate), (1280, 720, Some(25)));
    assert_eq!((scene.encoding.bitrate_kbps, scene.encoding.keyframe_ms), (Some(1_843), Some(2_000)));
    assert!(mixer.sound.is_some());

    let pushes: Vec<_> = host.egresses().iter().map(|(id, push)| format!("{id} {} {}", push.room, push.url)).collect();
    assert_eq!(pushes, ["1.1 livhub/726122 rtmp://a.example/live/x", "1.2 livhub/726122 rtmp://media.example/live/t5"]);
    assert!(host.egresses().values().all(|push| push.attempts_max.is_none() && push.audio == push.video));
}

#[test]
fn a_deleted_task_leaves_nothing_but_the_counter() {
    let mut host = FakeHost::new(plugin).own_authority(OWN);
    create(&mut host, &["rtmp://a.example/live/x", "rtmp://media.example/live/t5"]);
    host.request("DELETE", "/mixer/living/1", "");
    assert_eq!(host.keys(), ["task-number"]);
    assert!(host.mixers().is_empty() && host.egresses().is_empty());
}

#[test]
fn a_mixer_that_does_not_start_takes_its_task_with_it() {
    for state in [State::Failed, State::Retrying] {
        let mut host = FakeHost::new(plugin);
        host.set_job(Noun::Mixer, "1", state, 1, "no encoder");
        assert_eq!(create(&mut host, &["rtmp://a.example/live/x"]), r#"{"code":5,"message":"internal error"}"#);
        assert_eq!(host.keys(), ["task-number"], "{state:?}");
        assert!(host.mixers().is_empty() && host.egresses().is_empty());
        // Its number is spent.
        assert!(create(&mut host, &["rtmp://a.example/live/x"]).contains(r#""id":"2""#));
    }
}

#[test]
fn a_mixer_that_needs_longer_is_a_success() {
    let mut host = FakeHost::new(plugin);
    host.set_job(Noun::Mixer, "1", State::Starting, 0, "");
    assert!(create(&mut host, &["rtmp://a.example/live/x"]).starts_with(r#"{"code":0,"#));
    assert_eq!(show(&mut host, "1")["state"], "starting");
}

#[test]
fn an_output_the_operator_forbids_is_a_bad_parameter() {
    let mut host = FakeHost::new(plugin).denied_url("rtmp://10.0.0.1/live/x");
    let answer = create(&mut host, &["rtmp://a.example/live/x", "rtmp://10.0.0.1/live/x"]);
    assert_eq!(answer, r#"{"code":2,"message":"invalid parameter: outputs"}"#);
    assert!(host.keys().is_empty() && host.mixers().is_empty() && host.egresses().is_empty());
}

#[test]
fn a_task_shows_how_each_output_is_doing() {
    let urls: Vec<String> = (1..=6).map(|number| format!("rtmp://a.example/live/{number}")).collect();
    let mut host = FakeHost::new(plugin);
    create(&mut host, &urls.iter().map(String::as_str).collect::<Vec<_>>());
    for (id, state) in [
        ("1.1", State::Starting),
        ("1.2", State::Changing),
        ("1.3", State::Running),
        ("1.4", State::Stalled),
        ("1.5", State::Retrying),
        ("1.6", State::Failed),
    ] {
        host.set_job(Noun::Egress, id, state, 3, "connection refused");
    }
    let task = show(&mut host, "1");
    let states: Vec<&str> =
        task["streamouts"].as_array().unwrap().iter().map(|x| x["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["connecting", "connecting", "pushing", "pushing", "retrying", "retrying"]);
    let want = r#"{"url":"rtmp://a.example/live/6","state":"retrying","since":0,"retries":3,"last_error":"connection refused"}"#;
    assert_eq!(task["streamouts"][5].to_string(), want);
    let keys: Vec<&String> = task.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "resolution", "outputs", "main_endpoint", "channel", "state", "streamouts"]);
    assert_eq!(task["state"], "running");
}

#[test]
fn the_list_is_in_the_order_of_numbers() {
    let mut host = FakeHost::new(plugin);
    let mut want = String::new();
    for number in 1..=12 {
        create(&mut host, &[&format!("rtmp://a.example/live/{number}")]);
        write!(want, "{number} ").unwrap();
    }
    let list: Value = serde_json::from_str(&host.request("GET", "/mixer/living", "").body).unwrap();
    let tasks = list["data"]["list"].as_array().unwrap();
    assert_eq!(tasks.iter().map(|task| format!("{} ", task["id"].as_str().unwrap())).collect::<String>(), want);
}

#[test]
fn endpoints_without_pictures_get_a_place_if_the_operator_wishes() {
    for (audio_tile, want) in [(false, 0), (true, 1)] {
        let mut host = FakeHost::new(plugin).config(&json!({ "audio_tile": audio_tile }));
        create(&mut host, &["rtmp://a.example/live/x"]);
        let scene = host.mixers()["1"].scene.clone().unwrap();
        let heliu_sdk::bindings::heliu::personality::mixers::Layout::Table(table) = scene.layout else {
            panic!("a table")
        };
        assert_eq!(table.options.len(), want);
    }
}

fn create(host: &mut FakeHost, outputs: &[&str]) -> String {
    let order = json!({
        "channel": { "appId": "livhub", "channelId": "726122" },
        "main_endpoint": "111",
        "outputs": outputs,
        "resolution": "1280x720",
    });
    host.request("POST", "/mixer/living", &order.to_string()).body
}

fn show(host: &mut FakeHost, id: &str) -> Value {
    let answer = host.request("GET", &format!("/mixer/living/{id}"), "");
    let answer: Value = serde_json::from_str(&answer.body).expect("answers are JSON");
    answer["data"].clone()
}
