//! Channels that stay empty.

use std::time::Duration;

use heliu_pingos::plugin;
use heliu_sdk::fake::FakeHost;
use serde_json::json;

const ROOM: &str = "livhub/726122";

#[test]
fn a_channel_that_stays_empty_loses_its_tasks() {
    let mut host = host(60);
    create(&mut host, "x");
    create(&mut host, "y");
    pass(&mut host, 59);
    assert_eq!(host.mixers().len(), 2);
    pass(&mut host, 1);
    assert!(host.mixers().is_empty() && host.egresses().is_empty());
    assert_eq!(host.keys(), ["task-number"]);
}

#[test]
fn publishers_keep_it_alive_and_mixers_do_not() {
    let mut host = host(60);
    create(&mut host, "x");
    host.publication_started(ROOM, None, "mix:1").unwrap();
    pass(&mut host, 30);
    host.publication_started(ROOM, Some("111"), "111").unwrap();
    host.publication_started(ROOM, Some("222"), "222").unwrap();
    host.publication_ended(ROOM, "111").unwrap();
    pass(&mut host, 600);
    assert_eq!(host.mixers().len(), 1);

    host.publication_ended(ROOM, "222").unwrap();
    pass(&mut host, 59);
    assert_eq!(host.mixers().len(), 1);
    pass(&mut host, 1);
    assert!(host.mixers().is_empty());
}

#[test]
fn a_restarted_host_gives_publishers_the_time_to_come_back() {
    let mut host = host(60);
    create(&mut host, "x");
    host.publication_started(ROOM, Some("111"), "111").unwrap();
    assert!(host.alarms().is_empty());
    host.restart().unwrap();
    assert_eq!(host.alarms().into_iter().collect::<Vec<_>>(), [("idle/livhub/726122", 60_000)]);
    host.publication_started(ROOM, Some("111"), "111").unwrap();
    pass(&mut host, 600);
    assert_eq!(host.mixers().len(), 1);
}

#[test]
fn lost_events_are_made_up_from_what_is_there() {
    let mut host = host(60);
    create(&mut host, "x");
    host.publication_started(ROOM, Some("111"), "111").unwrap();
    host.within(|| heliu_sdk::Table::<String, ()>::new("~pub/").put(&"livhub/726122/ghost".to_owned(), &())).unwrap();
    host.event("room.resync", Some(ROOM), "", &json!({})).unwrap();
    host.publication_ended(ROOM, "111").unwrap();
    pass(&mut host, 60);
    assert!(host.mixers().is_empty());
}

#[test]
fn without_a_timeout_events_write_nothing() {
    let mut host = host(0);
    create(&mut host, "x");
    let keys: Vec<String> = host.keys().into_iter().map(str::to_owned).collect();
    host.publication_started(ROOM, Some("111"), "111").unwrap();
    host.publication_ended(ROOM, "111").unwrap();
    host.restart().unwrap();
    assert_eq!(host.keys(), keys);
    assert!(host.alarms().is_empty());
}

#[test]
fn a_channel_without_tasks_sets_no_alarm() {
    let mut host = host(60);
    host.publication_started(ROOM, Some("111"), "111").unwrap();
    host.publication_ended(ROOM, "111").unwrap();
    host.publication_started("plain/live/t5", Some("t5"), "t5").unwrap();
    assert!(host.alarms().is_empty() && host.keys().is_empty());
}

fn host(timeout_s: u32) -> FakeHost {
    FakeHost::new(plugin).config(&json!({ "empty_channel_timeout_s": timeout_s }))
}

fn create(host: &mut FakeHost, name: &str) {
    let order = json!({
        "channel": { "appId": "livhub", "channelId": "726122" },
        "outputs": [format!("rtmp://a.example/live/{name}")],
        "resolution": "1280x720",
    });
    assert_eq!(host.request("POST", "/mixer/living", &order.to_string()).status, 200);
}

fn pass(host: &mut FakeHost, seconds: u64) {
    host.advance(Duration::from_secs(seconds)).expect("no alarm comes again");
}
