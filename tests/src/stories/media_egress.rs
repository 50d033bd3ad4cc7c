//! Where the mix may be pushed: not into the operator's network, not back into itself.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;

use crate::server::{Server, call, confined_pingos, wait_for};
use crate::stories::media_push::wait_for_state;

#[test]
fn targets_that_are_not_public_are_refused_and_never_connected_to() {
    let server = Server::with(&confined_pingos(""));
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = target.local_addr().unwrap().port();
    let outputs = [
        (format!("rtmp://127.0.0.1:{port}/live/x"), "loopback"),
        (format!("rtmps://localhost:{port}/live/x"), "loopback"),
        (format!("rtmp://[::ffff:7f00:1]:{port}/live/x"), "loopback"),
        ("rtmp://169.254.169.254/live/x".to_owned(), "link-local"),
        ("rtmp://10.0.0.1/live/x".to_owned(), "private"),
        ("rtmp://[fd00::1]/live/x".to_owned(), "private"),
        ("rtmp://0.0.0.0:1/live/x".to_owned(), "unspecified"),
    ];
    let urls: Vec<&str> = outputs.iter().map(|(url, _)| url.as_str()).collect();
    let created = create(&server, "726122", &urls);
    assert_eq!(created["code"], 0, "{created}");
    for (output, (url, why)) in outputs.iter().enumerate() {
        let told = last_error(&server, "1", output, why);
        assert!(told.contains("egress_allow"), "{url}: {told}");
    }
    // Tried again and again, and still nobody is there.
    wait_for("another try", Duration::from_secs(60), || {
        let shown = server.json("GET", "/mixer/living/1", "");
        (shown["data"]["streamouts"][0]["retries"].as_u64() >= Some(2)).then_some(())
    });
    let metrics = call(server.admin(), "GET", "/metrics", &[], b"").body;
    let refused = metrics.lines().find_map(|line| line.strip_prefix("heliu_egress_refused_total "));
    assert!(refused.and_then(|count| count.parse().ok()) >= Some(outputs.len()), "{refused:?}");
    target.set_nonblocking(true).unwrap();
    assert!(target.accept().is_err(), "a connection came");
}

#[test]
fn a_mix_that_would_come_back_to_itself_is_told() {
    let server = Server::start();
    let into = |channel: &str| server.rtmp_url(&format!("livhub/{channel}/99"));
    assert_eq!(create(&server, "one", &[&into("two")])["code"], 0);
    wait_for_state(&server, 0, "pushing");
    assert_eq!(create(&server, "two", &[&into("one"), &server.rtmp_url("live/t5")])["code"], 0);
    last_error(&server, "2", 0, "would come back");
    let pushes = |task: &str, output: usize| {
        let shown = server.json("GET", &format!("/mixer/living/{task}"), "");
        shown["data"]["streamouts"][output]["state"] == "pushing"
    };
    wait_for("the output beside it", Duration::from_secs(60), || pushes("2", 1).then_some(()));
    assert!(pushes("1", 0), "the first stays");
    // The circle is open again: what was refused may go.
    assert_eq!(server.json("DELETE", "/mixer/living/1", "")["code"], 0);
    wait_for("the other way round", Duration::from_secs(90), || pushes("2", 0).then_some(()));
}

fn create(server: &Server, channel: &str, outputs: &[&str]) -> serde_json::Value {
    let body = json!({
        "channel": {"appId": "livhub", "channelId": channel},
        "outputs": outputs,
        "resolution": "160x90"
    });
    server.json("POST", "/mixer/living", &body.to_string())
}

/// Waits until an output tells of `what`.
fn last_error(server: &Server, task: &str, output: usize, what: &str) -> String {
    wait_for(what, Duration::from_secs(60), || {
        let shown = server.json("GET", &format!("/mixer/living/{task}"), "");
        let told = shown["data"]["streamouts"][output]["last_error"].as_str().unwrap_or_default().to_owned();
        told.contains(what).then_some(told)
    })
}
