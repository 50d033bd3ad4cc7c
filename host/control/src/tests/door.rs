//! Who may come in.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use heliu_media::Admit;
use heliu_model::{Address, AddressIntent, Attempt, Direction, Grant, Refusal, Takeover};
use heliu_store::{Collection, Store};

use super::fake::{FakePlugin, clock, config, put, room};
use crate::{Door, HostView};

#[tokio::test]
async fn a_public_name_is_open_to_players_and_all_else_is_asked() {
    let store = Store::in_memory();
    let intent = AddressIntent {
        address: Address::parse("live/open").unwrap(),
        room: room("r"),
        publication: "mix".parse().unwrap(),
        wait_ms: 700,
        hold_ms: 900,
    };
    put(&store, Collection::Address, "live/open", &intent).await;
    let mut plugin = FakePlugin::plain("mix", &[]);
    plugin.apps = vec!["live".into()];
    plugin.admits = Ok(grant("asked", Duration::ZERO, Duration::ZERO));
    let view = HostView::with_clock(store, config(&[]), clock());
    let door = Door::with(&view, vec![FakePlugin::new("aaa", &[]), Arc::new(plugin)]);

    let nobody = Err(Refusal { status: 404, reason: "nobody serves this address".into() });
    let open = Ok(grant("mix", Duration::from_millis(700), Duration::from_millis(900)));
    let asked = Ok(grant("asked", Duration::ZERO, Duration::ZERO));
    for (what, direction, address, want) in [
        ("a public name", Direction::Play, "live/open", &open),
        ("publishing under it", Direction::Publish, "live/open", &asked),
        ("a name beside it", Direction::Play, "live/open/x", &asked),
        ("an app nobody owns", Direction::Play, "other/open", &nobody),
    ] {
        assert_eq!(door.admit(attempt(direction, address)).await, *want, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_refused_again_and_again_does_not_wake_the_plugin() {
    let mut plugin = FakePlugin::plain("mix", &[]);
    plugin.apps = vec!["live".into()];
    let plugin = Arc::new(plugin);
    let view = HostView::with_clock(Store::in_memory(), config(&[]), clock());
    let door = Door::with(&view, vec![plugin.clone()]);
    let mut answers = Vec::new();
    for _ in 0..600 {
        answers.push(door.admit(attempt(Direction::Publish, "live/a")).await.unwrap_err().status);
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    let asked = plugin.asked.load(Ordering::Relaxed);
    assert_eq!(&answers[..10], [403, 403, 403, 403, 403, 403, 403, 403, 429, 429]);
    assert!((8..20).contains(&asked), "600 guesses in a minute woke it {asked} times");
    let stats = door.stats();
    assert_eq!((stats.admitted, stats.refused, stats.shut), (0, u64::from(asked), 600 - u64::from(asked)));

    let elsewhere = door.admit(attempt(Direction::Publish, "live/b")).await;
    assert_eq!(elsewhere.unwrap_err().status, 403, "another name is asked for");
    let own = Attempt { protocol: "egress", ..attempt(Direction::Publish, "live/a") };
    assert_eq!(door.admit(own).await.unwrap_err().status, 403, "the host's own push is no stranger");
}

fn attempt(direction: Direction, address: &str) -> Attempt {
    Attempt {
        id: "c1".into(),
        protocol: "rtmp",
        direction,
        authority: None,
        address: Address::parse(address).unwrap(),
        query: None,
        headers: vec![],
        peer: "127.0.0.1".into(),
    }
}

fn grant(publication: &str, wait: Duration, hold: Duration) -> Grant {
    Grant {
        room: room("r"),
        participant: "viewer".parse().unwrap(),
        publication: publication.parse().unwrap(),
        audio: true,
        video: true,
        takeover: Takeover::Refuse,
        wait,
        hold,
        bitrate_kbps_max: None,
        time_max: None,
    }
}
