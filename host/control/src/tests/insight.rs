//! What operators are told about an address and a room.

use heliu_media::Admit;
use heliu_model::{
    Address, AddressIntent, Attempt, Direction, EgressIntent, EgressStage, EgressStatus, Grant, InputStatus,
    MixerStage, MixerStatus, Players, PublicationStatus, RoomStatus, Source, SourceStatus, Takeover, Timestamp,
};
use heliu_store::{Collection, Store};
use serde_json::{Value, json};

use super::fake::{FakePlugin, World, egress, egress_id, mixer, mixer_id, put, room};
use crate::Door;

#[tokio::test(start_paused = true)]
async fn nothing_is_told_of_what_nobody_knows() {
    let world = World::start(Store::in_memory());
    let insight = world.control.insight();
    assert_eq!(insight.explain_address(&address("live/x")), None);
    assert_eq!(insight.explain_room(&room("r")), None);
    assert_eq!(insight.dead_letters(), json!({ "dead_letters": [], "forgotten": 0 }));
}

#[tokio::test(start_paused = true)]
async fn an_address_tells_its_owner_its_answers_and_what_flows() {
    let mut plugin = FakePlugin::plain("mix", &[]);
    plugin.apps = vec!["live".into()];
    plugin.admits = Ok(grant());
    let plugin = std::sync::Arc::new(plugin);
    let world = World::start_with(Store::in_memory(), plugin.clone());
    let door = Door::with(&world.view, vec![plugin]);
    door.admit(attempt("live/cam")).await.expect("the plugin grants");
    door.admit(attempt("other/cam")).await.expect_err("nobody owns the app");
    world.media.change(|status| {
        let players = [(address("live/cam"), Players { count: 2, queue_bytes: 7, ..Players::default() })].into();
        let made = SourceStatus { pictures_dropped: 3, ticks_skipped: 4 };
        let sources = [("bars".parse().unwrap(), made)].into();
        let bars = PublicationStatus { id: "bars".parse().unwrap(), protocol: "source", ..publication() };
        let here = RoomStatus { publications: vec![publication(), bars], viewers: 2, players, sources };
        status.rooms.insert(room("r"), here);
    });

    let insight = world.control.insight();
    let told = insight.explain_address(&address("live/cam")).expect("it is known");
    let granted = json!({ "is": "granted", "room": "mix/r", "participant": "p", "publication": "cam" });
    assert_eq!((&told["owner"], &told["admissions"][0]["answer"]), (&json!("mix"), &granted));
    assert_eq!(told["admissions"][0]["peer"], "10.0.0.1");
    let here = &told["rooms"][0];
    assert_eq!((&here["publications"][0]["peer"], &here["viewers"]), (&json!("10.0.0.1"), &json!(2)));
    let made = json!({ "pictures_dropped": 3, "ticks_skipped": 4 });
    assert_eq!((&here["publications"][0]["source"], &here["publications"][1]["source"]), (&Value::Null, &made));
    assert_eq!((&here["players"][0]["count"], &here["players"][0]["queue_bytes"]), (&json!(2), &json!(7)));

    let refused = insight.explain_address(&address("other/cam")).expect("somebody asked");
    let answer = json!({ "is": "refused", "status": 404, "reason": "nobody serves this address" });
    assert_eq!((&refused["owner"], &refused["admissions"][0]["answer"]), (&Value::Null, &answer));
    assert!(!format!("{told}{refused}").contains("secret"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_room_tells_its_mixers_and_pushes_without_their_keys() {
    let store = Store::in_memory();
    put(&store, Collection::Mixer, "m", &mixer()).await;
    let source = Some(Source { publication: "mix".parse().unwrap(), encoding: heliu_model::Encoding::default() });
    let outside = EgressIntent { url: "rtmp://cdn.example/live/secret?token=secret".into(), video: source, ..egress() };
    put(&store, Collection::Egress, "e", &outside).await;
    let inside = EgressIntent { url: "rtmp://localhost:1936/live/out".into(), ..egress() };
    put(&store, Collection::Egress, "f", &inside).await;
    let name = AddressIntent {
        address: address("live/out"),
        room: room("r"),
        publication: "mix".parse().unwrap(),
        wait_ms: 0,
        hold_ms: 0,
    };
    put(&store, Collection::Address, "live/out", &name).await;
    let mut world = World::start(store);
    for _ in 0..4 {
        let command = world.command().await;
        world.media.show(&command, MixerStage::Running, EgressStage::Running);
    }
    world.media.change(|status| {
        status.mixers.insert(mixer_id("m"), mixed());
        let traffic = EgressStatus { frames_dropped: 3, ..EgressStatus::default() };
        status.egresses.insert(egress_id("e"), traffic);
    });

    let insight = world.control.insight();
    let told = insight.explain_room(&room("r")).expect("it is known");
    assert_eq!((&told["owner"], &told["public_names"]), (&json!("mix"), &json!(["live/out"])));
    let mixer = &told["mixers"][0];
    assert_eq!((&mixer["state"], &mixer["running"]["encode_ms"]), (&json!("running"), &json!(2.5)));
    let regions = json!([
        { "region": "1", "publication": "a", "shows": "picture", "why": null },
        { "region": "2", "publication": "b", "shows": "background", "why": "4:2:2" },
    ]);
    assert_eq!(mixer["running"]["regions"], regions);
    assert_eq!(mixer["running"]["inputs"][0]["decode_ms"], json!(0.4));
    let egresses = told["egresses"].as_array().expect("a list");
    let [push, loop_back] = &egresses[..] else { panic!("{told}") };
    assert_eq!((&push["to"], &push["video"]), (&json!("rtmp://cdn.example/live"), &json!("mix")));
    assert_eq!((&push["state"], &push["running"]["frames_dropped"]), (&json!("running"), &json!(3)));
    assert_eq!(loop_back["to_address"], "live/out");
    assert!(!told.to_string().contains("secret"), "{told}");

    let told = insight.explain_address(&address("live/out")).expect("it is a public name");
    assert_eq!((&told["public"]["publication"], &told["fed_by"][0]["egress"]), (&json!("mix"), &json!("mix/f")));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_nobody_takes_is_listed() {
    let world = World::start(Store::in_memory());
    world.plugin.event_of("host.started").await;
    world.plugin.fail(4);
    let kind = heliu_model::EventKind::ParticipantJoined { participant: "p".parse().unwrap(), protocol: "rtmp" };
    world.events.send(heliu_model::Event { room: room("r"), at: Timestamp(1), kind }).await.expect("control lives");
    world.plugin.event_of("room.resync").await;
    let list = world.control.insight().dead_letters();
    let letter = &list["dead_letters"][0];
    let told = (&letter["plugin"], &letter["kind"], &letter["room"], &letter["subject"], &letter["attempts"]);
    assert_eq!(told, (&json!("mix"), &json!("participant.joined"), &json!("r"), &json!("p"), &json!(4)));
    assert_eq!(letter["fault"], "trap");
}

fn publication() -> PublicationStatus {
    PublicationStatus {
        id: "cam".parse().unwrap(),
        endpoint: heliu_model::EndpointId(1),
        participant: Some("p".parse().unwrap()),
        address: Some(address("live/cam")),
        protocol: "rtmp",
        tracks: Vec::new(),
        peer: Some("10.0.0.1".into()),
        since: Timestamp(5),
        is_stalled: false,
    }
}

fn mixed() -> MixerStatus {
    MixerStatus {
        regions: vec![("1".into(), "a".parse().unwrap()), ("2".into(), "b".parse().unwrap())],
        undecodable: vec![("b".parse().unwrap(), "4:2:2".into())],
        inputs: vec![InputStatus {
            publication: "a".parse().unwrap(),
            pictures_waiting: 1,
            delay_ms: 60,
            frames_dropped: 0,
            decode_us: Some(400),
        }],
        encode_us: 2_500,
        ..MixerStatus::default()
    }
}

fn attempt(text: &str) -> Attempt {
    Attempt {
        id: "c1".into(),
        protocol: "rtmp",
        direction: Direction::Publish,
        authority: None,
        address: address(text),
        query: Some("key=secret".into()),
        headers: vec![],
        peer: "10.0.0.1".into(),
    }
}

fn grant() -> Grant {
    Grant {
        room: room("r"),
        participant: "p".parse().unwrap(),
        publication: "cam".parse().unwrap(),
        audio: true,
        video: true,
        takeover: Takeover::Refuse,
        wait: std::time::Duration::ZERO,
        hold: std::time::Duration::ZERO,
        bitrate_kbps_max: None,
        time_max: None,
    }
}

fn address(text: &str) -> Address {
    Address::parse(text).expect("a good one")
}
