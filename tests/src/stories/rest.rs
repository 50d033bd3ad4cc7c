//! REST calls through the real component.

use heliu_sdk::fake::{Answer, Story};
use serde_json::{Value, json};

use crate::server::{Server, call, pingos_with};

const ROWS: &str = include_str!("../../../plugins/pingos/cases/living.json");

#[test]
fn every_row_is_answered_as_written() {
    // The rows name this host by an authority that is known only once it runs: read them twice.
    let plain = Story::read(ROWS, "x").unwrap();
    for (at, story) in plain.iter().enumerate() {
        let secrets: String = story.secrets.iter().map(|(name, value)| format!("{name} = \"{value}\"\n")).collect();
        let limits = story.mixers_max.map(|max| format!("[limits]\nmixers_max = {max}\n")).unwrap_or_default();
        // Which kind of instances answers must not show.
        let instances = ["fresh", "reuse"][at % 2];
        let plugin = pingos_with(instances, "");
        let server = Server::with(&format!("{plugin}[plugins.pingos.secrets]\n{secrets}\n{limits}"));
        let own = Story::read(ROWS, &server.rtmp().to_string()).unwrap();
        own[at].run(|step| {
            let headers: Vec<(&str, &str)> =
                step.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let answer = call(server.http(), &step.method, &step.path, &headers, &step.body());
            Answer { status: answer.status, body: answer.body }
        });
    }
}

#[test]
fn of_many_simultaneous_creates_for_one_output_exactly_one_wins() {
    let server = Server::start();
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let server = &server;
        let create = move |channel: u32| {
            let body = json!({
                "channel": {"appId": "livhub", "channelId": channel.to_string()},
                "outputs": ["rtmp://nobody.invalid/live/t5"],
                "resolution": "160x90"
            });
            server.json("POST", "/mixer/living", &body.to_string())
        };
        let calls: Vec<_> = (0..16).map(|channel| scope.spawn(move || create(channel))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let winners: Vec<&Value> = answers.iter().filter(|answer| answer["code"] == 0).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert_eq!(winners[0]["data"]["id"], "1");
    let taken = "living task[1]'s streamout[rtmp://nobody.invalid/live/t5] already exists";
    assert_eq!(answers.iter().filter(|answer| answer["message"] == taken).count(), 15, "{answers:?}");
    assert_eq!(server.json("GET", "/mixer/living", "")["data"]["list"].as_array().unwrap().len(), 1);
}

#[test]
fn browsers_may_call_from_anywhere() {
    let server = Server::start();
    let origin = [("origin", "https://app.example"), ("access-control-request-method", "POST")];
    let preflight = call(server.http(), "OPTIONS", "/mixer/living", &origin, b"");
    let header = |name: &str| {
        preflight.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    assert!(preflight.status < 300, "{preflight:?}");
    assert_eq!(header("access-control-allow-origin"), "*");
    for method in ["POST", "DELETE", "GET", "OPTIONS"] {
        assert!(header("access-control-allow-methods").contains(method), "{preflight:?}");
    }
    assert!(header("access-control-allow-headers").contains("content-type"), "{preflight:?}");
    let answer = call(server.http(), "GET", "/mixer/living", &origin, b"");
    assert!(answer.headers.contains(&("access-control-allow-origin".to_owned(), "*".to_owned())), "{answer:?}");
}
