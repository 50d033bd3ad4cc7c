//! Who may publish and play.

use heliu_pingos::plugin;
use heliu_sdk::Takeover;
use heliu_sdk::fake::FakeHost;
use serde_json::json;

#[test]
fn publishers_enter_by_the_shape_of_their_name() {
    let mut host = FakeHost::new(plugin);
    for (address, want) in [
        ("livhub/726122/111", Ok(("livhub/726122", "111", Takeover::Replace))),
        ("live/t5", Ok(("plain/live/t5", "t5", Takeover::IfStalled))),
        ("plain/live/t5", Ok(("plain/live", "t5", Takeover::Replace))),
        ("livhub/726122/111/x", Err(403)),
        ("livhub/72 6122/111", Err(403)),
        ("livhub/726122/你", Err(403)),
        ("live/t:5", Err(403)),
        ("l ive/t5", Err(403)),
        (&format!("{}/t5", "x".repeat(65)), Err(403)),
        (&format!("live/{}", "x".repeat(129)), Err(403)),
    ] {
        let got = host.publish(address);
        let got = got.as_ref().map(|grant| (grant.room.as_str(), grant.publication.as_str(), grant.takeover));
        assert_eq!(got.map_err(|refusal| refusal.status), want, "{address}");
    }
}

#[test]
fn anybody_may_play_what_can_be_published() {
    let mut host = FakeHost::new(plugin).config(&json!({ "plain_publish": false }));
    for (address, want) in [
        ("livhub/726122/111", Ok(("livhub/726122", "111", 5_000))),
        ("live/t5", Ok(("plain/live/t5", "t5", 5_000))),
        ("livhub/726122/111/x", Err(404)),
        ("live/t 5", Err(404)),
    ] {
        let got = host.play(address);
        let got = got.as_ref().map(|grant| (grant.room.as_str(), grant.publication.as_str(), grant.wait_ms));
        assert_eq!(got.map_err(|refusal| refusal.status), want, "{address}");
    }
}

#[test]
fn closed_plain_streams_are_open_to_outputs_of_running_tasks() {
    let mut host = FakeHost::new(plugin).config(&json!({ "plain_publish": false })).own_authority("media.example");
    let order = json!({
        "channel": { "appId": "livhub", "channelId": "726122" },
        "outputs": ["rtmp://MEDIA.example:1935/live/t5?key=1"],
        "resolution": "1280x720",
    });
    assert_eq!(status(host.push_into_itself("live/t5")), 403);

    host.request("POST", "/mixer/living", &order.to_string());
    assert_eq!(status(host.push_into_itself("live/t5")), 200);
    assert_eq!(host.push_into_itself("live/t5").map(|grant| grant.takeover), Ok(Takeover::Refuse));
    assert_eq!(status(host.publish("live/t5")), 403);
    assert_eq!(status(host.push_into_itself("live/t6")), 403);
    assert_eq!(status(host.publish("livhub/726122/111")), 200);

    host.request("DELETE", "/mixer/living/1", "");
    assert_eq!(status(host.push_into_itself("live/t5")), 403);
}

#[test]
fn our_own_push_never_throws_anybody_out() {
    let mut host = FakeHost::new(plugin);
    for address in ["live/t5", "livhub/other/mix"] {
        assert_eq!(host.push_into_itself(address).map(|grant| grant.takeover), Ok(Takeover::Refuse), "{address}");
    }
}

fn status(answer: Result<heliu_sdk::Grant, heliu_sdk::Refusal>) -> u16 {
    answer.map_or_else(|refusal| refusal.status, |_| 200)
}
